"""The recorded cases: ours, or a folder of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scenarios.errors import BadInput

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded case. ``last`` ones disturb others, and are replayed after them."""

    id: str
    area: str
    content: Mapping[str, Any]

    @property
    def last(self) -> bool:
        return bool(self.content.get("last"))


def bundled() -> list[Case]:
    """The cases that come with rehearse, by area."""
    return cases(_FOLDER / "cases")


def cases(folder: Path) -> list[Case]:
    """The cases of a folder, one JSON file an area. Raises BadInput."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            listed = content["cases"] if isinstance(content, dict) else content
            found += [Case(str(case["id"]), str(case.get("area", path.stem)), case) for case in listed if case["steps"]]
        except OSError as error:
            raise BadInput(str(path), f"cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadInput(str(path), "holds no cases", "a JSON list of cases, each with id and steps") from None
    if not found:
        raise BadInput(str(folder), "holds no cases", "a folder of JSON files, one for each area")
    return found


@cache
def definitions() -> Mapping[str, Any]:
    """The CustomResourceDefinitions that cases use, by their names in the cases."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((_FOLDER / "definitions").glob("*.json"))}
