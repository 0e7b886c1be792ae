"""The conditions of a WorkflowExecution: their types and reasons."""

from controller.api.conditions import condition
from controller.api.workflowexecution import FailureReason
from controller.ports import Document

CREATED = "TektonPipelineCreated"
RUNNING = "TektonPipelineRunning"
COMPLETE = "TektonPipelineComplete"
AUDIT_RECORDED = "AuditRecorded"
LOCK_ACQUIRED = "LockAcquired"

COOLDOWN_ACTIVE = "CooldownActive"
LOCK_RELEASED = "LockReleased"

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


def lock_is_released(execution: Document) -> bool:
    """Whether the durable record says that this execution has given its lock back."""
    found = condition(execution, LOCK_ACQUIRED)
    return found is not None and found.get("reason") == LOCK_RELEASED
