"""TaskRuns of an earlier run that a run took over: Tekton finds children by their names and never asks whose they are.

Whatever such a TaskRun says happened in another run. Pure: reads documents, asks nobody.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.api.tekton import is_finished, succeeded
from controller.api.texts import clean
from controller.api.workflowexecution import FailureReason
from controller.executor.evidence import Cause, Child, failed_child, may_have_changed_something, position
from controller.ports import Document

_EMPTY: Mapping[str, Any] = {}
_RUN_UID = "tekton.dev/pipelineRunUID"
_NAMED_MAX = 5  # TaskRuns named in a sentence


def began_before_it_was_created(pipeline_run: Document) -> bool:
    """Tekton moves a run's start back to its oldest child's creation: the sign that costs no call to see.

    Both are times of API servers cut to the second, so clocks that differ can show it too: the children decide.
    """
    started = (pipeline_run.get("status") or _EMPTY).get("startTime")
    created = pipeline_run["metadata"].get("creationTimestamp")
    return bool(started and created and started < created)


def leftovers(pipeline_run: Document, children: Sequence[Child]) -> list[Child]:
    """The children that were made for another run, and those that are gone of a run that has taken some over."""
    uid = pipeline_run["metadata"].get("uid")
    suspect = began_before_it_was_created(pipeline_run)
    return [
        child
        for child in children
        if (suspect if child.task_run is None else made_for(child.task_run) not in (uid, None))
    ]


def made_for(task_run: Document) -> str | None:
    """The uid of the PipelineRun it was created for. Its label stays when an orphaning takes its owner away."""
    metadata = task_run["metadata"]
    uid: str | None = (metadata.get("labels") or _EMPTY).get(_RUN_UID)
    if uid:
        return uid
    owners = metadata.get("ownerReferences") or ()
    return next((owner.get("uid") for owner in owners if owner.get("controller")), None)


def live_children(pipeline_run: Document, children: Sequence[Child], left: Sequence[Child]) -> list[Child]:
    """The children without those that had ended before the run existed: these cannot have changed anything in it."""
    created = pipeline_run["metadata"].get("creationTimestamp") or ""
    return [child for child in children if child not in left or not _ended_before(child.task_run, created)]


def _ended_before(task_run: Document | None, created: str) -> bool:
    if task_run is None or not is_finished(task_run):
        return False
    ended = (task_run.get("status") or _EMPTY).get("completionTime")
    return bool(ended and ended < created)


def adopted_outcome(pipeline_run: Document, children: Sequence[Child], left: Sequence[Child]) -> Cause:
    """The cause to report for a run whose outcome, or a part of it, is not its own."""
    child = failed_child(left) or left[0]
    index, count = position(pipeline_run, children, child)
    text = clean((succeeded(child.task_run or _EMPTY) or _EMPTY).get("message") or "", 300)
    said = f" (it had ended with: {text})" if text else ""
    whose = "its" if len(left) == 1 else "their"
    if len(left) == len(children):
        what = "no task of this run was executed"
    else:
        what = f"{len(left)} of {len(children)} tasks were not executed by this run"
    return Cause(
        reason=FailureReason.EXECUTION_RACE_CONDITION,
        message=f"{told(left)}; Tekton took {whose} outcome for that of this run: {what}{said}",
        started=may_have_changed_something(live_children(pipeline_run, children, left), complete=True),
        task_index=index,
        task_name=child.task_name,
        task_count=count,
        failed_at=(pipeline_run.get("status") or _EMPTY).get("completionTime"),
        recommendation=f"Delete {_names(left)}, which every run on this target takes over as long as it is there; "
        "then try again.",
    )


def told(left: Sequence[Child]) -> str:
    """One clause about the leftovers, by name."""
    return f"{_names(left)} had been left behind by an earlier run"


def _names(left: Sequence[Child]) -> str:
    names = ", ".join(clean(child.name, 253) for child in left[:_NAMED_MAX])
    more = f" and {len(left) - _NAMED_MAX} more" if len(left) > _NAMED_MAX else ""
    return f"TaskRun{'s' if len(left) > 1 else ''} {names}{more}"
