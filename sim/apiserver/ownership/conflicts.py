"""Who owns what somebody else wants to apply, in the words of apimachinery."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from controller.ports import ApiError
from sim.apiserver.ownership.entries import Identity


class Conflict(NamedTuple):
    owner: Identity
    path: str

    @property
    def who(self) -> str:
        manager, operation, api_version, subresource = self.owner
        text = json.dumps(manager, ensure_ascii=False)
        if subresource:
            text = f"{text} with subresource {json.dumps(subresource)}"
        return f"{text} using {api_version}" if operation == "Update" else text


class Conflicts(Exception):
    """Applying would take fields from others. ``found`` is not empty."""

    def __init__(self, found: Sequence[Conflict]) -> None:
        super().__init__(found)
        self.found = sorted(found, key=lambda one: _identifier(one.owner))  # stable: paths keep their order

    def status(self) -> ApiError:
        """409, with a cause for every field."""
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {one.who}", "field": one.path}
            for one in self.found
        ]
        return ApiError(409, "Conflict", self._message(), {"causes": causes})

    def _message(self) -> str:
        if len(self.found) == 1:
            only = self.found[0]
            return f"Apply failed with 1 conflict: conflict with {only.who}: {only.path}"
        lines: list[str] = []
        for one in self.found:
            heading = f"conflicts with {one.who}:"
            if heading not in lines:
                lines.append(heading)
            lines.append(f"- {one.path}")
        return f"Apply failed with {len(self.found)} conflicts: " + "\n".join(lines)


def _identifier(owner: Identity) -> str:
    """How apimachinery names a manager inside, by which it sorts."""
    manager, operation, api_version, subresource = owner
    named = {"manager": manager, "operation": operation, "apiVersion": api_version, "subresource": subresource}
    return json.dumps({key: value for key, value in named.items() if value}, ensure_ascii=False, separators=(",", ":"))
