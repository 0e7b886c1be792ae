"""Audit events of remediations. The trail must not cost work: what its sink refuses is lost and nothing else."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from controller.orchestrator.view import target_of
from controller.ports import Document

ACTOR = "remediation-orchestrator"
CATEGORY = "orchestration"
_STATUS_FIELDS = (
    ("phase", "overallPhase"),
    ("outcome", "outcome"),
    ("block_reason", "blockReason"),
    ("block_message", "blockMessage"),
    ("blocked_until", "blockedUntil"),
    ("skip_reason", "skipReason"),
    ("skip_message", "skipMessage"),
    ("blocking_wfe", "blockingWorkflowExecution"),
    ("duplicate_of", "duplicateOf"),
    ("consecutive_failures", "consecutiveFailureCount"),
    ("failure_phase", "failurePhase"),
    ("failure_reason", "failureReason"),
    ("recovery_attempts", "recoveryAttempts"),
)


class AuditType(StrEnum):
    """``event_type`` of what we record; the last word is its ``event_action``."""

    STARTED = "orchestrator.lifecycle.started"
    MOVED = "orchestrator.phase.transitioned"
    COMPLETED = "orchestrator.lifecycle.completed"
    BLOCKED = "orchestrator.routing.blocked"
    APPROVAL_REQUESTED = "orchestrator.approval.requested"
    APPROVED = "orchestrator.approval.approved"
    REJECTED = "orchestrator.approval.rejected"
    APPROVAL_EXPIRED = "orchestrator.approval.expired"
    MANUAL_REVIEW = "orchestrator.remediation.manual_review"
    DELETED = "orchestrator.lifecycle.deleted"


def audit_event(request: Document, type_: AuditType, now: datetime, **data: Any) -> dict[str, Any]:
    """The envelope. ``request`` is the document as it now stands; ``data`` is added to ``event_data``."""
    metadata, status = request["metadata"], request.get("status") or {}
    told = {name: status[field] for name, field in _STATUS_FIELDS if status.get(field) is not None}
    failed = type_ is AuditType.COMPLETED and status.get("overallPhase") in ("Failed", "TimedOut")
    return {
        "version": "1.0",
        "event_type": str(type_),
        "event_timestamp": now.isoformat().replace("+00:00", "Z"),
        "event_category": CATEGORY,
        "event_action": type_.rsplit(".", 1)[1],
        "event_outcome": "failure" if failed else "success",
        "actor_type": "service",
        "actor_id": ACTOR,
        "resource_type": "RemediationRequest",
        "resource_id": metadata["name"],
        "correlation_id": metadata["uid"],
        "namespace": metadata["namespace"],
        "event_data": {
            "target_resource": target_of(request),
            "signal_fingerprint": request["spec"]["signalFingerprint"],
            **told,
            **data,
        },
    }
