"""The analysis and the execution of a remediation, as they are created."""

from collections.abc import Sequence
from typing import Any

from controller.api.durations import parse_duration
from controller.api.resources import AI_ANALYSES, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import analysis_name, child_metadata, execution_name, reference
from controller.orchestrator.view import target_of
from controller.ports import Document, Resource

_NONE: Document = {}
_WORKFLOW_FIELDS = ("workflowId", "version", "containerImage", "containerDigest")
_COPIED_FIELDS = ("parameters", "confidence", "rationale")


class NoWorkflow(Exception):
    """The analysis does not name a workflow that could be executed; the text says what is absent."""


def _typed(resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **body}


def request_reference(request: Document) -> dict[str, Any]:
    """A core ObjectReference to the request."""
    return {**reference(request, "RemediationRequest"), "namespace": request["metadata"]["namespace"]}


def child_reference(child: Document, resource: Resource) -> dict[str, Any]:
    """A core ObjectReference to a child."""
    return {**reference(child, resource.kind), "namespace": child["metadata"]["namespace"]}


def analysis(request: Document, attempt: int, history: Sequence[Document]) -> dict[str, Any]:
    """The first analysis (``attempt`` 0) or a recovery with the whole ``history``, oldest first."""
    spec, signal = request["spec"], {}
    for theirs, ours in (
        ("fingerprint", "signalFingerprint"),
        ("signalName", "signalName"),
        ("severity", "severity"),
        ("signalType", "signalType"),
        ("targetResource", "targetResource"),
    ):
        signal[theirs] = spec[ours]
    body: dict[str, Any] = {
        "remediationRequestRef": request_reference(request),
        "signalContext": signal,
        "isRecoveryAttempt": attempt > 0,
    }
    if attempt:
        body["recoveryAttemptNumber"] = attempt
        body["previousExecutions"] = list(history)
    name = analysis_name(request["metadata"]["name"], attempt)
    return _typed(AI_ANALYSES, {"metadata": child_metadata(request, name, "ai-analysis"), "spec": body})


def selected_workflow(answer: Document) -> Document:
    """What a completed analysis recommends. Raises NoWorkflow."""
    selected: Document | None = (answer.get("status") or _NONE).get("selectedWorkflow")
    if not selected:
        raise NoWorkflow("AIAnalysis has no selectedWorkflow")
    for field in ("workflowId", "containerImage"):
        if not selected.get(field):
            raise NoWorkflow(f"selectedWorkflow.{field} is required")
    return selected


def execution(request: Document, attempt: int, selected: Document) -> dict[str, Any]:
    """The execution of the selected workflow; its parameters stay as they are, byte for byte."""
    body: dict[str, Any] = {
        "remediationRequestRef": request_reference(request),
        "workflowRef": {field: selected[field] for field in _WORKFLOW_FIELDS if selected.get(field) is not None},
        "targetResource": target_of(request),
    }
    body["workflowRef"].setdefault("version", "")
    body.update({field: selected[field] for field in _COPIED_FIELDS if selected.get(field) is not None})
    timeout = (request["spec"].get("timeoutConfig") or _NONE).get("executing")
    if timeout and _is_duration(timeout):
        body["executionConfig"] = {"timeout": timeout}
    name = execution_name(request["metadata"]["name"], attempt)
    metadata = child_metadata(request, name, "workflow-execution")
    return _typed(WORKFLOW_EXECUTIONS, {"metadata": metadata, "spec": body})


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True
