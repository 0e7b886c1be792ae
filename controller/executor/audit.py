"""Audit events of executions, and a bounded buffer for them.

The trail must not cost work: a full buffer or a dead sink is told in the ``AuditRecorded`` condition and nowhere else.
"""

from collections import deque
from datetime import datetime
from enum import StrEnum
from typing import Any

from controller.executor.status import phase
from controller.ports import Document

ACTOR = "workflowexecution-controller"
CATEGORY = "workflowexecution"
_STATUS_FIELDS = (("started_at", "startTime"), ("completed_at", "completionTime"), ("duration", "duration"))
_FAILURE_FIELDS = (
    ("failure_reason", "reason"),
    ("failure_message", "message"),
    ("failed_task_name", "failedTaskName"),
)
_RUN_FIELDS = (("pipelinerun_name", "name"),)


class AuditType(StrEnum):
    """``event_type`` of what we record; the last word is its ``event_action``."""

    SELECTED = "workflowexecution.selection.completed"
    STARTED = "workflowexecution.execution.started"
    COMPLETED = "workflowexecution.workflow.completed"
    FAILED = "workflowexecution.workflow.failed"
    DELETED = "workflowexecution.workflow.deleted"


def audit_event(execution: Document, type_: AuditType, now: datetime) -> dict[str, Any]:
    """The envelope. ``execution`` is the document with the status that is being recorded.

    ``event_data.execution_uid`` with ``event_type`` names an event: it comes again when a crash hides the first.
    """
    metadata, spec = execution["metadata"], execution["spec"]
    reference = spec.get("remediationRequestRef") or {}
    return {
        "version": "1.0",
        "event_type": str(type_),
        "event_timestamp": now.isoformat().replace("+00:00", "Z"),
        "event_category": CATEGORY,
        "event_action": type_.rsplit(".", 1)[1],
        "event_outcome": "failure" if type_ is AuditType.FAILED else "success",
        "actor_type": "service",
        "actor_id": ACTOR,
        "resource_type": "WorkflowExecution",
        "resource_id": metadata["name"],
        "correlation_id": reference.get("name") or metadata["name"],
        "namespace": metadata["namespace"],
        "event_data": _event_data(execution),
    }


def _event_data(execution: Document) -> dict[str, Any]:
    metadata, spec, status = execution["metadata"], execution["spec"], execution.get("status") or {}
    workflow = spec["workflowRef"]
    data = {
        "workflow_id": workflow["workflowId"],
        "workflow_version": workflow.get("version", ""),
        "target_resource": spec["targetResource"],
        "phase": str(phase(execution)),
        "container_image": workflow["containerImage"],
        "execution_name": metadata["name"],
        "execution_uid": metadata["uid"],
    }
    if status:
        _tell(data, status, _STATUS_FIELDS)
        _tell(data, status.get("failureDetails"), _FAILURE_FIELDS)
        _tell(data, status.get("pipelineRunRef"), _RUN_FIELDS)
    return data


def _tell(data: dict[str, Any], part: Document | None, fields: tuple[tuple[str, str], ...]) -> None:
    """What the status says, each field where it is there."""
    if part:
        for name, field in fields:
            value = part.get(field)
            if value:
                data[name] = value


class AuditOverflowError(Exception):
    """The buffer is full: its reader is down. The event is not kept."""


class AuditBuffer:
    """An AuditSink that keeps events in memory, oldest first, until :meth:`take` hands them to a store."""

    def __init__(self, capacity: int = 50_000) -> None:
        if capacity <= 0:
            raise ValueError(f"audit buffer: capacity must be positive, got {capacity}")
        self._capacity = capacity
        self._events: deque[Document] = deque()

    def __len__(self) -> int:
        return len(self._events)

    async def record(self, event: Document) -> None:
        """Keep ``event``. Raises AuditOverflowError when the buffer is full."""
        if len(self._events) >= self._capacity:
            raise AuditOverflowError(f"{self._capacity} audit events wait for their store")
        self._events.append(event)

    def take(self, limit: int = 1_000) -> list[Document]:
        """Up to ``limit`` events, oldest first; they are no longer kept."""
        return [self._events.popleft() for _ in range(min(limit, len(self._events)))]
