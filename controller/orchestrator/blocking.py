"""Asking routing, and writing down what it says."""

from datetime import timedelta

from controller.api.remediationrequest import Outcome, Phase
from controller.api.timestamps import format_time
from controller.orchestrator.audit import AuditType
from controller.orchestrator.desk import Desk
from controller.orchestrator.memory import Memory
from controller.orchestrator.routing import Block, Question, action_for, route
from controller.orchestrator.view import phase_of, target_of
from controller.ports import Document
from controller.runtime.cache import key_of

_NONE: Document = {}


def ask(desk: Desk, request: Document, workflow_id: str) -> Block | None:
    """Whether ``request`` may execute ``workflow_id`` now (empty before one is chosen), from the caches."""
    target, own = target_of(request), key_of(request)
    view, now = desk.view, desk.now()
    since = now - timedelta(seconds=desk.settings.cooldown_s)
    return route(
        Question(
            request=request,
            target=target,
            workflow_id=workflow_id,
            now=now,
            history=view.history(target, request["metadata"]["uid"], since),
            lock=view.lock(target),
            elder=view.elder(request),
            claim=view.claimed(target, own),
            settings=desk.settings,
            draw=desk.random.random,
        )
    )


async def apply(
    desk: Desk, request: Document, memory: Memory, block: Block, also: tuple[AuditType, ...] = ()
) -> Document:
    """Fail, block or skip the request, as the reason demands. Answers the request as it now stands.

    ``also`` is recorded before what is recorded of it.
    """
    desk.view.withdraw(key_of(request))  # of an earlier try whose answer was lost
    action = action_for(block.reason, desk.settings)
    if action == "fail":
        return await _fail(desk, request, memory, block, also)
    return await (_block if action == "block" else skip)(desk, request, memory, block, also)


async def _fail(desk: Desk, request: Document, memory: Memory, block: Block, also: tuple[AuditType, ...]) -> Document:
    namespace = request["metadata"]["namespace"]

    def tell(written: Document) -> None:
        desk.events.event(written, "Warning", "RemediationFailed", f"{block.reason}: {block.message}")
        desk.metrics.review_requested("Routing", block.reason, "", namespace)

    return await desk.write(
        request,
        memory,
        Phase.FAILED,
        tell,
        outcome=Outcome.MANUAL_REVIEW_REQUIRED,
        requiresManualReview=True,
        message=block.message,
        skipReason=block.reason,
        skipMessage=block.message,
        failurePhase=phase_of(request),
        failureReason=block.reason,
        blockingWorkflowExecution=block.execution or None,
        consecutiveFailureCount=block.failures,
        audit=(*also, AuditType.COMPLETED, AuditType.MANUAL_REVIEW),
    )


async def skip(
    desk: Desk, request: Document, memory: Memory, block: Block, also: tuple[AuditType, ...] = ()
) -> Document:
    """Skipped, by routing or by an executor that routed for itself."""
    namespace = request["metadata"]["namespace"]

    def tell(written: Document) -> None:
        desk.events.event(written, "Normal", "RemediationSkipped", f"{block.reason}: {block.message}")
        desk.metrics.skipped(block.reason, namespace)

    return await desk.write(
        request,
        memory,
        Phase.SKIPPED,
        tell,
        audit=(*also, AuditType.COMPLETED),
        message=block.message,
        skipReason=block.reason,
        skipMessage=block.message,
        blockingWorkflowExecution=block.execution or None,
        duplicateOf=block.duplicate_of or None,
    )


async def _block(desk: Desk, request: Document, memory: Memory, block: Block, also: tuple[AuditType, ...]) -> Document:
    """Blocked again for the same thing is not written again."""
    known = request.get("status") or _NONE
    until = format_time(block.until) if block.until is not None else None
    same = known.get("blockReason") == block.reason and known.get("blockMessage") == block.message
    if phase_of(request) == Phase.BLOCKED and same and known.get("blockedUntil") == until:
        return request
    namespace = request["metadata"]["namespace"]

    def tell(written: Document) -> None:
        desk.events.event(written, "Normal", "RemediationBlocked", f"{block.reason}: {block.message}")
        desk.metrics.blocked(block.reason, namespace)

    return await desk.write(
        request,
        memory,
        Phase.BLOCKED,
        tell,
        audit=(*also, AuditType.BLOCKED),
        message=block.message,
        blockReason=block.reason,
        blockMessage=block.message,
        blockedUntil=until,
        nextAllowedExecution=until if block.failures else None,
        consecutiveFailureCount=block.failures or None,
        blockingWorkflowExecution=block.execution or None,
        duplicateOf=block.duplicate_of or None,
    )
