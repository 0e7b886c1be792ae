"""What a recovery analysis is told of earlier attempts: the executor's words in the analyst's fields."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document

FAILURE_FIELDS: Mapping[str, str] = {
    "failedTaskIndex": "failedStepIndex",
    "failedTaskName": "failedStepName",
    "reason": "reason",
    "message": "message",
    "exitCode": "exitCode",
    "failedAt": "failedAt",
    "executionTimeBeforeFailure": "executionTime",
}
"""``failureDetails.*`` to ``previousExecutions[].failure.*``."""
WORKFLOW_FIELDS = ("workflowId", "version", "containerImage")
_NONE: Document = {}


def previous_execution(execution: Document, analysis: Document | None) -> dict[str, Any]:
    """One element of ``previousExecutions``; ``analysis`` is the one that had chosen the workflow."""
    spec = execution["spec"]
    details: Document = (execution.get("status") or _NONE).get("failureDetails") or _NONE
    workflow = {field: spec["workflowRef"][field] for field in WORKFLOW_FIELDS}
    for field in ("parameters", "rationale"):
        if spec.get(field) is not None:
            workflow[field] = spec[field]
    element: dict[str, Any] = {
        "workflowExecutionRef": execution["metadata"]["name"],
        "selectedWorkflow": workflow,
        "failure": {theirs: details[ours] for ours, theirs in FAILURE_FIELDS.items() if details.get(ours) is not None},
        "wasExecutionFailure": bool(details.get("wasExecutionFailure", True)),
    }
    if details.get("naturalLanguageSummary"):
        element["naturalLanguageSummary"] = details["naturalLanguageSummary"]
    cause = ((analysis or _NONE).get("status") or _NONE).get("rootCauseAnalysis")
    if cause:
        element["originalRCA"] = cause
    return element


def whole_history(execution: Document, analysis: Document | None) -> Sequence[Document]:
    """Every attempt so far, oldest first: those the last analysis was told of, and the one that came of it."""
    told: Sequence[Document] = ((analysis or _NONE).get("spec") or _NONE).get("previousExecutions") or ()
    return [*told, previous_execution(execution, analysis)]
