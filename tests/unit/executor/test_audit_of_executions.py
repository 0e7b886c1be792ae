"""The audit events and the buffer that keeps them for a store."""

import asyncio
from datetime import UTC, datetime

import pytest

from controller.executor.audit import AuditBuffer, AuditOverflowError, AuditType, audit_event

EXECUTION = {
    "metadata": {"name": "we-1", "namespace": "ns", "uid": "u"},
    "spec": {
        "remediationRequestRef": {"name": "rr-7"},
        "workflowRef": {"workflowId": "w", "version": "2", "containerImage": "i"},
        "targetResource": "node/n",
    },
    "status": {
        "phase": "Failed",
        "startTime": "2026-01-05T08:00:00Z",
        "completionTime": "2026-01-05T08:00:45Z",
        "duration": "45s",
        "pipelineRunRef": {"name": "wfe-x"},
        "failureDetails": {"reason": "OOMKilled", "message": "m", "failedTaskName": "t"},
    },
}
NOW = datetime(2026, 1, 5, 8, 0, 45, tzinfo=UTC)


def test_the_envelope_is_complete() -> None:
    event = audit_event(EXECUTION, AuditType.FAILED, NOW)
    data = event.pop("event_data")
    assert event == {
        "version": "1.0",
        "event_type": "workflowexecution.workflow.failed",
        "event_timestamp": "2026-01-05T08:00:45Z",
        "event_category": "workflowexecution",
        "event_action": "failed",
        "event_outcome": "failure",
        "actor_type": "service",
        "actor_id": "workflowexecution-controller",
        "resource_type": "WorkflowExecution",
        "resource_id": "we-1",
        "correlation_id": "rr-7",
        "namespace": "ns",
    }
    assert data == {
        "workflow_id": "w",
        "workflow_version": "2",
        "target_resource": "node/n",
        "phase": "Failed",
        "container_image": "i",
        "execution_name": "we-1",
        "execution_uid": "u",
        "started_at": "2026-01-05T08:00:00Z",
        "completed_at": "2026-01-05T08:00:45Z",
        "duration": "45s",
        "failure_reason": "OOMKilled",
        "failure_message": "m",
        "failed_task_name": "t",
        "pipelinerun_name": "wfe-x",
    }


@pytest.mark.parametrize("type_", [AuditType.SELECTED, AuditType.STARTED, AuditType.COMPLETED])
def test_everything_but_a_failure_is_a_success(type_: AuditType) -> None:
    assert audit_event(EXECUTION, type_, NOW)["event_outcome"] == "success"


def test_the_buffer_is_bounded_and_hands_out_the_oldest_first() -> None:
    buffer = AuditBuffer(2)
    asyncio.run(buffer.record({"n": 1}))
    asyncio.run(buffer.record({"n": 2}))
    with pytest.raises(AuditOverflowError):
        asyncio.run(buffer.record({"n": 3}))
    assert buffer.take(1) == [{"n": 1}]
    assert (buffer.take(), len(buffer)) == ([{"n": 2}], 0)


def test_a_buffer_needs_room() -> None:
    with pytest.raises(ValueError, match="capacity must be positive"):
        AuditBuffer(0)
