"""The analysis and the execution of a remediation, as they are created."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeGuard

from controller.api.durations import parse_duration
from controller.api.resources import AI_ANALYSES, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import analysis_name, child_metadata, execution_name, owner_uid, reference
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


class Awaited(NamedTuple):
    """A child that a request refers to. ``uid`` is empty where another version of us has written only its name."""

    name: str
    uid: str

    def is_(self, child: Document | None, request: Document) -> TypeGuard[Document]:
        """Whether ``child`` is the one."""
        if child is None:
            return False
        if self.uid:
            return bool(child["metadata"]["uid"] == self.uid)
        return bool(owner_uid(child) == request["metadata"]["uid"])


def awaited_analysis(request: Document) -> Awaited:
    """The analysis that counts now; without a reference, the one that the present attempt would have made."""
    return _awaited(request, "aiAnalysisRef", analysis_name)


def awaited_execution(request: Document) -> Awaited:
    """The execution that counts now; without a reference, the one that the present attempt would have made."""
    return _awaited(request, "workflowExecutionRef", execution_name)


def _awaited(request: Document, field: str, name_of: Callable[[str, int], str]) -> Awaited:
    status = request["status"]
    reference = status.get(field) or _NONE
    name = reference.get("name") or name_of(request["metadata"]["name"], status.get("recoveryAttempts") or 0)
    return Awaited(name, reference.get("uid") or "")


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
