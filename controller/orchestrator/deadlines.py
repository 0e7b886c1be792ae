"""When a remediation has taken too long, and which limit it was."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from controller.api.durations import parse_duration
from controller.api.remediationrequest import Phase
from controller.api.timestamps import parse_time
from controller.orchestrator.settings import Timeouts
from controller.ports import Document

GLOBAL = "global"
_PHASES: Mapping[str, tuple[str, Callable[[Timeouts], float], str]] = {
    Phase.PROCESSING: ("processing", lambda limits: limits.processing_s, "processingStartTime"),
    Phase.ANALYZING: ("analyzing", lambda limits: limits.analyzing_s, "analyzingStartTime"),
    Phase.AWAITING_APPROVAL: ("approval", lambda limits: limits.approval_s, "approvalStartTime"),
    Phase.EXECUTING: ("executing", lambda limits: limits.executing_s, "executingStartTime"),
}
"""The key in ``spec.timeoutConfig``, the setting, and the status field that the limit counts from."""
_LONGEST_S = 10 * 366 * 86_400.0  # whoever asks for more means never; a calendar ends somewhere
_NONE: Document = {}


def limit_s(request: Document, key: str, default_s: float) -> float:
    """A limit of the request's own, else the operator's; one that is not a duration is as if it were absent."""
    text = (request["spec"].get("timeoutConfig") or _NONE).get(key)
    if text is None:
        return default_s
    try:
        return min(parse_duration(text), _LONGEST_S)
    except ValueError:
        return default_s


def deadline(request: Document, timeouts: Timeouts) -> tuple[datetime, str] | None:
    """The next instant at which a limit is reached, and the phase it belongs to (or ``global``); None before the start.

    A blocked remediation has the global limit only.
    """
    status = request.get("status") or _NONE
    began = status.get("startTime")
    if not began:
        return None
    first = parse_time(began) + timedelta(seconds=limit_s(request, "global", timeouts.global_s)), GLOBAL
    phase = status.get("overallPhase") or Phase.PENDING
    own = _PHASES.get(phase)
    since = status.get(own[2]) if own is not None else None
    if own is None or not since:
        return first
    seconds = limit_s(request, own[0], own[1](timeouts))
    return min(first, (parse_time(since) + timedelta(seconds=seconds), str(phase)))
