"""Conditions of a WorkflowExecution: one a type, their time moves only when their status does."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from controller.api.workflowexecution import FailureReason
from controller.ports import Document

CREATED = "TektonPipelineCreated"
RUNNING = "TektonPipelineRunning"
COMPLETE = "TektonPipelineComplete"
AUDIT_RECORDED = "AuditRecorded"
LOCK_ACQUIRED = "LockAcquired"

COOLDOWN_ACTIVE = "CooldownActive"
LOCK_RELEASED = "LockReleased"

_MESSAGE_LIMIT = 1024

CREATED_FALSE_REASONS = {
    FailureReason.RESOURCE_EXHAUSTED: "QuotaExceeded",
    FailureReason.FORBIDDEN: "RBACDenied",
    FailureReason.IMAGE_PULL_BACK_OFF: "ImagePullFailed",
}
"""Reasons of ``TektonPipelineCreated=False``; anything else is PipelineCreationFailed."""

COMPLETE_FALSE_REASONS = {
    FailureReason.TASK_FAILED: "TaskFailed",
    FailureReason.DEADLINE_EXCEEDED: "DeadlineExceeded",
    FailureReason.OOM_KILLED: "OOMKilled",
}
"""Reasons of ``TektonPipelineComplete=False``; anything else is PipelineFailed."""


class Fact(NamedTuple):
    """What a condition shall say."""

    type: str
    status: Literal["True", "False"]
    reason: str
    message: str


def condition(execution: Document, type_: str) -> Document | None:
    """The condition of that type, or None."""
    status = execution.get("status")
    for found in (status.get("conditions") or ()) if status else ():
        if found.get("type") == type_:
            return found  # type: ignore[no-any-return]
    return None


def lock_is_released(execution: Document) -> bool:
    """Whether the durable record says that this execution has given its lock back."""
    found = condition(execution, LOCK_ACQUIRED)
    return found is not None and found.get("reason") == LOCK_RELEASED


def merged(execution: Document, facts: Iterable[Fact], now: str) -> list[Document]:
    """The whole ``status.conditions`` with ``facts`` in it; ``now`` is RFC 3339. Unchanged ones are shared."""
    before: Sequence[Document] = (execution.get("status") or {}).get("conditions") or ()
    after = [*before]
    generation = execution["metadata"].get("generation")
    for type_, status, reason, message in facts:
        written: dict[str, Any] = {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message[:_MESSAGE_LIMIT],
            "lastTransitionTime": now,
        }
        if generation is not None:
            written["observedGeneration"] = generation
        for place, known in enumerate(after):
            if known.get("type") == type_:
                if known.get("status") == status:
                    written["lastTransitionTime"] = known.get("lastTransitionTime", now)
                if known != written:
                    after[place] = written
                break
        else:
            after.append(written)
    return after
