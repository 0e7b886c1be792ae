"""Writes that an execution failed, before or after its PipelineRun came to be."""

from typing import Any

from controller.api.conditions import Fact
from controller.api.durations import parse_duration
from controller.api.timestamps import format_time
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import status
from controller.executor.audit import AuditType
from controller.executor.desk import Desk
from controller.executor.evidence import Cause
from controller.executor.memory import Memory
from controller.executor.pipelinerun import service_account
from controller.ports import Document


async def fail_before_run(desk: Desk, execution: Document, memory: Memory, reason: FailureReason, message: str) -> None:
    """Pending to Failed: no PipelineRun of ours came to be, so nothing can have changed."""
    cause = Cause(reason=reason, message=message, started=False)
    told = f"Pre-execution failure: {reason} - {message}"
    await _fail(desk, execution, memory, cause, [status.not_created_fact(cause)], {}, None, told)


async def fail_run(
    desk: Desk,
    execution: Document,
    memory: Memory,
    cause: Cause,
    facts: list[Fact],
    fields: dict[str, Any],
    completed: str | None,
) -> Document:
    """Running to Failed. ``fields`` are further status fields, ``completed`` the PipelineRun's own end.

    Answers the execution as it was written.
    """
    told = f"Workflow {execution['spec']['workflowRef']['workflowId']} failed: {cause.reason}"
    return await _fail(desk, execution, memory, cause, [*facts, status.failed_fact(cause)], fields, completed, told)


async def _fail(
    desk: Desk,
    execution: Document,
    memory: Memory,
    cause: Cause,
    facts: list[Fact],
    fields: dict[str, Any],
    completed: str | None,
    told: str,
) -> Document:
    now = desk.clock.utcnow()
    account = service_account(execution, desk.settings)
    fields = {**fields, **status.failure_fields(execution, cause, completed, now, account)}
    audited = await desk.record(execution, AuditType.FAILED, memory, phase="Failed", **fields)
    patch = status.patch(execution, Phase.FAILED, format_time(now), [*facts, audited], **fields)

    def tell(written: Document) -> None:
        desk.events.event(written, "Warning", "WorkflowFailed", told)
        desk.metrics.ended("Failed", duration_s(written))

    return await desk.write(execution, patch, memory, Phase.FAILED, tell)


def duration_s(execution: Document) -> float:
    """Seconds of ``status.duration``; 0 for an execution that never started."""
    text = (execution.get("status") or {}).get("duration") or "0s"
    return 0.0 if text == "0s" else parse_duration(text)
