"""What people are told about a remediation: each message once, under a name that says what it is about."""

from collections.abc import Mapping
from typing import Any

from controller.api.remediationrequest import Phase, RoutingReason
from controller.api.resources import NOTIFICATION_REQUESTS
from controller.api.texts import clean
from controller.orchestrator.children import request_reference
from controller.orchestrator.deadlines import GLOBAL
from controller.orchestrator.labels import child_metadata, child_name
from controller.orchestrator.outcome import RECOVERIES_EXHAUSTED
from controller.orchestrator.view import phase_of, target_of
from controller.ports import Document

_NONE: Document = {}
_BODY_LIMIT = 4096
_SUBJECT_LIMIT = 500
_SHOWN_DUPLICATES = 50
_CRITICAL = frozenset({RoutingReason.PREVIOUS_EXECUTION_FAILED, "ExecutionFailure"})
_HIGH = frozenset({RoutingReason.EXHAUSTED_RETRIES, RECOVERIES_EXHAUSTED})
_LOUD = ("slack", "email")


def owed(request: Document) -> dict[str, dict[str, Any]]:
    """The messages that the present status asks for, by name. What was created once stays named in
    ``notificationRequestRefs`` and is not asked for again."""
    status = request.get("status") or _NONE
    wanted = []
    phase = phase_of(request)
    if status.get("requiresManualReview"):
        wanted.append(_manual_review(request, status))
    if phase == Phase.TIMED_OUT:
        wanted.append(_timed_out(request, status))
    if phase == Phase.AWAITING_APPROVAL:
        wanted.append(_approval(request, status))
    sent = {one["name"] for one in status.get("notificationRequestRefs") or ()}
    return {body["metadata"]["name"]: body for body in wanted if body["metadata"]["name"] not in sent}


def _manual_review(request: Document, status: Document) -> dict[str, Any]:
    reason = status.get("skipReason") or status.get("failureReason") or "Unknown"
    ran = status.get("failurePhase") == Phase.EXECUTING and not status.get("skipReason") and reason not in _HIGH
    cause = "ExecutionFailure" if ran else reason
    critical = cause in _CRITICAL
    severity = "critical" if critical else "high" if reason in _HIGH else "medium"
    execution = status.get("blockingWorkflowExecution") or (status.get("workflowExecutionRef") or _NONE).get("name")
    facts = {"reason": reason, "requiresManualReview": "true"}
    if execution:
        facts["workflowExecution"] = execution
    if status.get("skipReason"):
        facts["skipReason"] = status["skipReason"]
    if status.get("consecutiveFailureCount"):
        facts["consecutiveFailures"] = str(status["consecutiveFailureCount"])
    lines = [
        f"Reason: {reason}",
        f"Details: {clean(status.get('message') or status.get('skipMessage') or 'none')}",
        f"Failures in a row: {status.get('consecutiveFailureCount') or 0}",
    ]
    return _notification(
        request,
        "nr-manual-review-",
        "manual-review",
        severity,
        f"Manual Review Required: {request['spec']['signalName']} - {reason}",
        lines,
        facts,
        loud=severity != "medium",
    )


def _timed_out(request: Document, status: Document) -> dict[str, Any]:
    phase = status.get("timeoutPhase") or GLOBAL
    prefix = "timeout-" if phase == GLOBAL else f"phase-timeout-{phase.lower()}-"
    lines = [f"Phase: {phase}", f"Details: {clean(status.get('message') or 'none')}"]
    subject = f"Remediation Timed Out: {request['spec']['signalName']} - {phase}"
    return _notification(request, prefix, "escalation", "high", subject, lines, {"phase": phase}, loud=True)


def _approval(request: Document, status: Document) -> dict[str, Any]:
    lines = [clean(status.get("message") or "The analyst asks for approval.")]
    analysis = (status.get("aiAnalysisRef") or _NONE).get("name") or ""
    subject = f"Approval Required: {request['spec']['signalName']}"
    attempt = status.get("recoveryAttempts")
    suffix = f"-recovery-{attempt}" if attempt else ""
    facts = {"aiAnalysis": analysis}
    return _notification(request, "nr-approval-", "approval", "high", subject, lines, facts, loud=True, suffix=suffix)


def bulk_duplicates(request: Document) -> dict[str, Any] | None:
    """The one message about all duplicates of a finished remediation; None when it had none or it was sent."""
    status = request.get("status") or _NONE
    duplicates = status.get("duplicateRefs") or ()
    sent = {one["name"] for one in status.get("notificationRequestRefs") or ()}
    if not duplicates or child_name("nr-bulk-", request["metadata"]["name"]) in sent:
        return None
    count = max(status.get("duplicateCount") or 0, len(duplicates))
    shown = ", ".join(duplicates[:_SHOWN_DUPLICATES]) + (", ..." if count > _SHOWN_DUPLICATES else "")
    subject = f"Remediation {phase_of(request)} with {count} Duplicate{'s' if count != 1 else ''}"
    facts = {"duplicateCount": str(count)}
    return _notification(request, "nr-bulk-", "simple", "low", subject, [f"Duplicates: {shown}"], facts, loud=False)


def _notification(
    request: Document,
    prefix: str,
    type_: str,
    priority: str,
    subject: str,
    lines: list[str],
    facts: Mapping[str, str],
    *,
    loud: bool,
    suffix: str = "",
) -> dict[str, Any]:
    spec, name = request["spec"], request["metadata"]["name"]
    head = [f"Signal: {clean(spec['signalName'], 253)} ({spec['severity']})", f"Target: {target_of(request)}"]
    kind = {"simple": "bulk-duplicate"}.get(type_, type_)
    labels = {"kubernaut.ai/notification-type": kind, "kubernaut.ai/severity": priority}
    if "skipReason" in facts:
        labels["kubernaut.ai/skip-reason"] = facts["skipReason"]
    return {
        "apiVersion": NOTIFICATION_REQUESTS.api_version,
        "kind": NOTIFICATION_REQUESTS.kind,
        "metadata": child_metadata(request, child_name(prefix, name, suffix), "notification", **labels),
        "spec": {
            "type": type_,
            "priority": priority,
            "channels": list(_LOUD if loud else _LOUD[:1]),
            "subject": clean(subject, _SUBJECT_LIMIT),
            "body": "\n".join([*head, *lines])[:_BODY_LIMIT],
            "remediationRequestRef": request_reference(request),
            "metadata": {"remediationRequest": name, **facts},
        },
    }
