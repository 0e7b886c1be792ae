"""What each reason of a failed execution suggests to whoever looks for another way."""

from collections.abc import Mapping

from controller.api.workflowexecution import FailureReason

GUIDANCE: Mapping[FailureReason, tuple[str, tuple[str, ...]]] = {
    FailureReason.OOM_KILLED: (
        "A container of the workflow needed more memory than its limit allows.",
        (
            "Prefer a workflow whose steps need less memory, or one that works in smaller portions.",
            "Do not take this as evidence about the memory of the target: the workflow's own container was killed.",
        ),
    ),
    FailureReason.DEADLINE_EXCEEDED: (
        "The workflow did not finish within its time.",
        (
            "Find out whether the target answers slowly or the workflow waits for something that never comes.",
            "Prefer a workflow with fewer or shorter waits.",
        ),
    ),
    FailureReason.FORBIDDEN: (
        "A permission was missing, in the cluster or for the workflow's service account.",
        (
            "Prefer a workflow that needs fewer permissions or works in another namespace.",
            "Trying the same request again cannot succeed until somebody grants the permission.",
        ),
    ),
    FailureReason.RESOURCE_EXHAUSTED: (
        "A quota or a node had no room for the workflow's own objects.",
        (
            "Prefer a workflow with fewer or smaller pods.",
            "Check whether the exhausted resource is also what troubles the target.",
        ),
    ),
    FailureReason.CONFIGURATION_ERROR: (
        "The workflow or its parameters were refused before anything ran.",
        (
            "Check names, formats and required parameters against the workflow's schema.",
            "Prefer a workflow whose parameters can all be filled from what is known.",
        ),
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: (
        "An image or the workflow's bundle could not be pulled.",
        (
            "Prefer a workflow from another bundle or registry.",
            "The registry may be unreachable for every workflow: compare where the images come from.",
        ),
    ),
    FailureReason.TASK_FAILED: (
        "A task of the workflow ended with an error of its own.",
        (
            "Read the message: it is the task's last word.",
            "Prefer a workflow that reaches the goal in another way over one that repeats the failing step.",
        ),
    ),
    FailureReason.EXECUTION_RACE_CONDITION: (
        "Another execution held the target at that moment; this workflow never ran.",
        (
            "Nothing is known against this workflow.",
            "Look at the target again first: the other execution may have remedied it.",
        ),
    ),
    FailureReason.UNKNOWN: (
        "The cause is not known.",
        ("Inspect the present state of the target before choosing.", "Prefer a careful, reversible workflow."),
    ),
}
"""A sentence of interpretation, and what to consider."""

_OTHER = ("The reason is not one of the known ones.", ("Rely on the message and on the present state of the target.",))


def guidance_for(reason: str) -> tuple[str, tuple[str, ...]]:
    """Interpretation and advice; for a reason of another engine, general ones."""
    try:
        return GUIDANCE[FailureReason(reason)]
    except ValueError:
        return _OTHER
