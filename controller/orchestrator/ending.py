"""The ends of a remediation that are not routing's."""

from collections.abc import Mapping, Sequence

from controller.api.conditions import Fact
from controller.api.remediationrequest import Outcome, Phase, RoutingReason
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.orchestrator import conditions
from controller.orchestrator.audit import AuditType
from controller.orchestrator.deadlines import GLOBAL
from controller.orchestrator.desk import Desk
from controller.orchestrator.memory import Memory
from controller.orchestrator.view import phase_of
from controller.ports import Document

_SOURCES: Mapping[str, str] = {
    Phase.PROCESSING: "AIAnalysis",
    Phase.ANALYZING: "AIAnalysis",
    Phase.AWAITING_APPROVAL: "AIAnalysis",
    Phase.EXECUTING: "WorkflowExecution",
}
"""What makes a person's review necessary, by the phase in which it does."""


async def complete(
    desk: Desk, request: Document, memory: Memory, outcome: Outcome, message: str, facts: list[Fact]
) -> Document:
    """Completed, and what that means for the target."""

    def tell(written: Document) -> None:
        desk.events.event(written, "Normal", "RemediationCompleted", message)

    facts = [*facts, conditions.recovery_complete(message, failed=False)]
    return await desk.write(request, memory, Phase.COMPLETED, tell, outcome=outcome, message=message, facts=facts)


async def fail(
    desk: Desk,
    request: Document,
    memory: Memory,
    reason: str,
    message: str,
    *,
    review: bool,
    facts: Sequence[Fact] = (),
    skip: RoutingReason | None = None,
    by: str = "",
    sub_reason: str = "",
    audit: tuple[AuditType, ...] = (),
) -> Document:
    """Failed in the present phase. ``review``: a person must look. ``skip``: routing's reason, by an older executor.

    ``sub_reason`` is the analyst's; ``audit`` comes before what is recorded of every failure.
    """
    namespace = request["metadata"]["namespace"]
    message, source = clean(message), _SOURCES.get(phase_of(request), "Routing")

    def tell(written: Document) -> None:
        desk.events.event(written, "Warning", "RemediationFailed", f"{reason}: {message}")
        if review:
            desk.metrics.review_requested(source, reason, sub_reason, namespace)

    return await desk.write(
        request,
        memory,
        Phase.FAILED,
        tell,
        outcome=Outcome.MANUAL_REVIEW_REQUIRED if review else None,
        requiresManualReview=review,
        failurePhase=phase_of(request),
        failureReason=clean(reason, 256),
        message=message,
        skipReason=skip,
        skipMessage=message if skip is not None else None,
        blockingWorkflowExecution=by or None,
        facts=[*facts, conditions.recovery_complete(f"{reason}: {message}", failed=True)],
        audit=(*audit, AuditType.COMPLETED, *((AuditType.MANUAL_REVIEW,) if review else ())),
    )


async def time_out(desk: Desk, request: Document, memory: Memory, phase: str) -> Document:
    """TimedOut, with the phase named. What it was waiting for is left to end by itself."""
    namespace = request["metadata"]["namespace"]
    limit = "the whole remediation" if phase == GLOBAL else f"phase {phase}"
    trouble = f"; the last trouble was: {clean(memory.trouble, 512)}" if memory.trouble else ""
    message = f"The time for {limit} is over; it was {phase_of(request)}{trouble}"

    def tell(written: Document) -> None:
        desk.events.event(written, "Warning", "RemediationTimedOut", message)
        desk.metrics.timed_out(phase, namespace)

    return await desk.write(
        request,
        memory,
        Phase.TIMED_OUT,
        tell,
        audit=(*((AuditType.APPROVAL_EXPIRED,) if phase == Phase.AWAITING_APPROVAL else ()), AuditType.COMPLETED),
        timeoutPhase=phase,
        timeoutTime=format_time(desk.now()),
        failurePhase=phase_of(request),
        message=message,
    )
