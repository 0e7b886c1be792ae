"""The API server's own log of a recording: who called what, when, to the tenth of a millisecond."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.tekton.latency import REQUEST_SHARE

PUPPET = "puppet-kubelet"
CLIENT = "client"
CONTROLLER = "tekton-controller"


@dataclass(frozen=True, slots=True)
class Call:
    """Times are milliseconds on the scale of the recording's ``tMs``."""

    start_ms: float
    end_ms: float
    user: str
    verb: str
    resource: str
    """Plural, with its subresource: ``pods/status``."""
    name: str
    code: int

    @property
    def what(self) -> tuple[str, str]:
        return self.verb, self.resource

    @property
    def commit_ms(self) -> float:
        """About when the API server carried it out."""
        return self.start_ms + REQUEST_SHARE * (self.end_ms - self.start_ms)

    @property
    def succeeded(self) -> bool:
        return self.code < 300


def calls_of(raw: Mapping[str, Any], run: str) -> list[Call]:
    """All logged calls in the order of their beginnings; none where nothing was logged. ``run`` is what $PR means."""
    logged = raw.get("apiCalls") or {}
    rows = next((rows for key, rows in logged.items() if key.startswith("sequence")), ())
    calls = [
        Call(start, start + lasted, user, verb, resource, (name or "").replace("$PR", run), code)
        for start, lasted, user, verb, resource, name, code in rows
    ]
    return sorted(calls, key=lambda call: call.start_ms)


class Times:
    """Finds for what a watch saw the call that caused it, each call once."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = [call for call in calls if call.succeeded]

    def cause(self, user: str, verb: str, resource: str, name: str, seen_ms: float) -> Call | None:
        """The first unused call that ended before it was seen, though not long before."""
        for call in self._calls:
            if (call.user, call.verb, call.resource, call.name) == (
                user,
                verb,
                resource,
                name,
            ) and seen_ms - _LATE_MS < call.end_ms < seen_ms + _EARLY_MS:
                self._calls.remove(call)
                return call
        return None


_LATE_MS = 400.0  # a watch line is that late at most
_EARLY_MS = 30.0  # the answer may reach its caller after the watch line reached the recorder
