"""The status of a WorkflowExecution: which phase may follow which, and the patches that write it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from controller.api.conditions import Fact, merged
from controller.api.durations import format_duration
from controller.api.timestamps import format_time, parse_time
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import conditions
from controller.executor.evidence import Cause
from controller.executor.summary import summarize
from controller.ports import Document

TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset({Phase.RUNNING, Phase.FAILED}),
    Phase.RUNNING: frozenset({Phase.COMPLETED, Phase.FAILED}),
    Phase.COMPLETED: frozenset(),
    Phase.FAILED: frozenset(),
}
_REASON_LIMIT = 1024
_NONE: Document = {}
_PHASES: Mapping[str, Phase] = {"": Phase.PENDING, **{str(each): each for each in Phase}}


class TransitionError(Exception):
    """A phase that may not follow the present one: a mistake in the reconciler."""


def phase(execution: Document) -> Phase:
    """The phase; absent or empty means Pending. Raises KeyError for a phase that is not ours."""
    status = execution.get("status")
    return _PHASES[status.get("phase") or ""] if status else Phase.PENDING


def patch(execution: Document, to: Phase, now: str, facts: Sequence[Fact] = (), **fields: Any) -> dict[str, Any]:
    """A merge patch of ``/status`` that only applies to the version of ``execution`` that was read (else 409).

    Raises TransitionError when ``to`` may not follow. ``fields`` are the status fields that change.
    """
    metadata, known = execution["metadata"], execution.get("status") or _NONE
    before = phase(execution)
    if to is not before and to not in TRANSITIONS[before]:
        raise TransitionError(f"{metadata['namespace']}/{metadata['name']}: invalid phase transition {before} to {to}")
    status: dict[str, Any] = {}
    if known.get("phase") != to:
        status["phase"] = str(to)
    generation = metadata.get("generation")
    if generation is not None and known.get("observedGeneration") != generation:
        status["observedGeneration"] = generation
    status.update(fields)
    if facts:
        after = merged(execution, facts, now)
        if after != known.get("conditions"):
            status["conditions"] = after
    return {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": status}


def end(execution: Document, completed: str | None, now: datetime) -> tuple[str, str]:
    """Completion time (RFC 3339) and duration since the start; a clock that runs behind never makes it negative."""
    completed = completed or format_time(now)
    start = (execution.get("status") or {}).get("startTime")
    if not start:
        return completed, "0s"
    seconds = (parse_time(completed) - parse_time(start)).total_seconds()
    return (completed if seconds >= 0 else start), format_duration(seconds)


def failure_fields(
    execution: Document, cause: Cause, completed: str | None, now: datetime, service_account: str
) -> dict[str, Any]:
    """The status fields of a failure, ``failureReason`` included."""
    spec = execution["spec"]
    completion_time, duration = end(execution, completed, now)
    failed_at, after = end(execution, cause.failed_at or completion_time, now)
    details: dict[str, Any] = {
        "failedTaskIndex": cause.task_index,
        "failedTaskName": cause.task_name,
        "reason": str(cause.reason),
        "message": cause.message,
        "failedAt": failed_at,
        "executionTimeBeforeFailure": after,
        "naturalLanguageSummary": summarize(
            cause,
            workflow_id=spec["workflowRef"]["workflowId"],
            target=spec["targetResource"],
            after=after,
            service_account=service_account,
        ),
        "wasExecutionFailure": cause.started,
    }
    if cause.step_name:
        details["failedStepName"] = cause.step_name
    if cause.exit_code is not None:
        details["exitCode"] = cause.exit_code
    fields: dict[str, Any] = {
        "completionTime": completion_time,
        "failureReason": f"{cause.reason}: {cause.message}"[:_REASON_LIMIT],
        "failureDetails": details,
    }
    if (execution.get("status") or {}).get("startTime"):
        fields["duration"] = duration
    return fields


def completed_fact(duration: str) -> Fact:
    message = f"All tasks completed successfully in {duration}"
    return Fact(conditions.COMPLETE, "True", "PipelineSucceeded", message)


def failed_fact(cause: Cause) -> Fact:
    """``TektonPipelineComplete=False`` in the words of its reason."""
    reason = conditions.COMPLETE_FALSE_REASONS.get(cause.reason, "PipelineFailed")
    message = {
        FailureReason.DEADLINE_EXCEEDED: "Pipeline exceeded timeout deadline",
        FailureReason.OOM_KILLED: "Pipeline task killed due to out of memory",
    }.get(cause.reason, cause.message)
    return Fact(conditions.COMPLETE, "False", reason, message)


def not_created_fact(cause: Cause) -> Fact:
    reason = conditions.CREATED_FALSE_REASONS.get(cause.reason, "PipelineCreationFailed")
    return Fact(conditions.CREATED, "False", reason, f"Failed to create PipelineRun: {cause.message}")
