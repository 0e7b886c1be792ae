"""What an execution's end means for its remediation. A pure function of the execution."""

from dataclasses import dataclass
from typing import Literal

from controller.api.remediationrequest import RoutingReason
from controller.api.texts import clean
from controller.orchestrator.history import was_execution_failure
from controller.ports import Document

RECOVERIES_EXHAUSTED = "RecoveriesExhausted"
"""Why a remediation fails when the last recovery that is allowed could not begin either."""
_NONE: Document = {}
_SKIPS: dict[str, tuple[Literal["skipped", "review"], RoutingReason]] = {
    "ResourceBusy": ("skipped", RoutingReason.RESOURCE_BUSY),
    "RecentlyRemediated": ("skipped", RoutingReason.RECENTLY_REMEDIATED),
    "ExhaustedRetries": ("review", RoutingReason.EXHAUSTED_RETRIES),
    "PreviousExecutionFailed": ("review", RoutingReason.PREVIOUS_EXECUTION_FAILED),
}
"""What v3.1 asked of its orchestrator for an execution in phase Skipped, by ``status.skipDetails.reason``."""

End = Literal["running", "remediated", "recover", "review", "skipped"]


@dataclass(frozen=True, slots=True)
class Ending:
    """``recover``: nothing was changed, another workflow may be tried. ``review``: a person has to look.

    ``skip`` and ``by`` are set for what an executor of v3.1 skipped: its reason, and the execution in the way.
    """

    end: End
    reason: str = ""
    message: str = ""
    skip: RoutingReason | None = None
    by: str = ""


def ending_of(execution: Document) -> Ending:
    """The end of an execution, or ``running``."""
    status = execution.get("status") or _NONE
    phase = status.get("phase")
    if phase == "Completed":
        return Ending("remediated")
    if phase == "Skipped":
        return _skipped(status.get("skipDetails") or _NONE)
    if phase != "Failed":
        return Ending("running")
    details = status.get("failureDetails")
    if details is None:
        return Ending("review", "Unknown", "Workflow failed with unknown reason")
    reason = details.get("reason") or "Unknown"
    message = clean(details.get("naturalLanguageSummary") or details.get("message") or f"Workflow failed: {reason}")
    return Ending("review" if was_execution_failure(execution) else "recover", reason, message)


def _skipped(details: Document) -> Ending:
    reason = details.get("reason") or "Unknown"
    message = clean(details.get("message") or f"The execution was skipped: {reason}")
    by = (details.get("conflictingWorkflow") or details.get("recentRemediation") or _NONE).get("name") or ""
    known = _SKIPS.get(reason)
    if known is None:
        return Ending("review", reason, message, by=by)
    return Ending(known[0], reason, message, known[1], by)
