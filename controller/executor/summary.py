"""The failure in sentences: for the person who is called and for the prompt of the next analysis."""

from collections.abc import Mapping

from controller.api.texts import clean
from controller.api.workflowexecution import FailureReason
from controller.executor.evidence import Cause

_NAME_LIMIT = 253

RECOMMENDATIONS: Mapping[FailureReason, str] = {
    FailureReason.OOM_KILLED: "Raise the memory limit of the task, or use a workflow that needs less memory.",
    FailureReason.DEADLINE_EXCEEDED: "Find what the workflow waited for; raise the timeout or use a faster workflow.",
    FailureReason.FORBIDDEN: "Grant the missing permission, or use a workflow that does not need it.",
    FailureReason.RESOURCE_EXHAUSTED: "Free quota or node capacity before another try.",
    FailureReason.CONFIGURATION_ERROR: "Correct the workflow, its parameters or its target; as it is, it fails again.",
    FailureReason.IMAGE_PULL_BACK_OFF: "Check that the image exists and that the cluster may pull it.",
    FailureReason.TASK_FAILED: "Read the log of the failed step, and use another workflow if the cause is in this one.",
    FailureReason.EXECUTION_RACE_CONDITION: "Wait for the execution that holds the target, then look at its outcome.",
    FailureReason.UNKNOWN: "Look at the PipelineRun, its TaskRuns and the state of the target by hand.",
}


def summarize(cause: Cause, *, workflow_id: str, target: str, after: str, service_account: str) -> str:
    """Several lines, the last one the recommendation. ``after`` is a Go duration since the start."""
    lines = [f"Workflow '{clean(workflow_id, _NAME_LIMIT)}' failed on target '{clean(target, _NAME_LIMIT * 2)}'."]
    if cause.task_name:
        place = f" (step {cause.task_index + 1} of {cause.task_count})" if cause.task_count else ""
        lines.append(f"Task '{clean(cause.task_name, _NAME_LIMIT)}'{place} failed after {after} with {cause.reason}.")
    else:
        reached = "Which task was at work is not known" if cause.started else "No task was reached"
        lines.append(f"{reached}; it failed after {after} with {cause.reason}.")
    if cause.exit_code is not None:
        step = f"Step '{clean(cause.step_name, _NAME_LIMIT)}'" if cause.step_name else "The step"
        lines.append(f"{step} ended with exit code {cause.exit_code}.")
    if cause.message:
        lines.append(f"Message: {cause.message}")
    if cause.reason is FailureReason.FORBIDDEN:
        who = f"The service account '{clean(service_account, _NAME_LIMIT)}'" if cause.task_name else "The controller"
        lines.append(f"{who} lacks a permission that is needed.")
    if not cause.started:
        lines.append("No step had started: nothing was changed.")
    elif cause.goes_on:
        lines.append(f"TaskRun {clean(cause.goes_on, _NAME_LIMIT)} had not ended: it may still change the target.")
    elif cause.task_name:
        lines.append("Steps had started: the target may have been changed.")
    else:
        lines.append("Steps may have started: the target may have been changed.")
    lines.append(f"Recommendation: {cause.recommendation or RECOMMENDATIONS[cause.reason]}")
    return "\n".join(lines)
