"""How far a PipelineRun is: its Succeeded condition and its tasks, counted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from controller.api.tekton import succeeded, task_names
from controller.executor.texts import clean
from controller.ports import Document

_COUNTERS = re.compile(
    r"Tasks Completed: (\d+) \(Failed: (\d+)(?: \(Ignored: \d+\))?, Cancelled (\d+)\)"
    r"(?:, Incomplete: (\d+))?, Skipped: (\d+)",
    re.ASCII,
)
_MESSAGE_LIMIT = 1024


def pipeline_run_status(pipeline_run: Document, task_runs: Sequence[Document] | None = None) -> dict[str, Any]:
    """The ``status.pipelineRunStatus`` that mirrors ``pipeline_run``.

    ``completedTasks`` counts tasks that ended well: by Tekton's own counters, whose "completed" includes failed
    and cancelled tasks, so those are taken off, or, where a timeout or cancel hides them, by ``task_runs``.
    Skipped tasks are never completed, but they are part of ``totalTasks``, which counts the tasks of the pipeline,
    finally tasks included.
    """
    condition: Mapping[str, Any] = succeeded(pipeline_run) or {}
    message = condition.get("message") or ""
    counters = _COUNTERS.match(message)
    result: dict[str, Any] = {"status": condition.get("status", "Unknown")}
    if condition.get("reason"):
        result["reason"] = condition["reason"]
    if message:
        result["message"] = clean(message, _MESSAGE_LIMIT)
    completed = total = 0
    if counters is not None:
        done, failed, cancelled, incomplete, skipped = (int(number or 0) for number in counters.groups())
        completed, total = done - failed - cancelled, done + incomplete + skipped
    elif task_runs is not None:
        completed = sum(1 for run in task_runs if (succeeded(run) or {}).get("status") == "True")
    status = pipeline_run.get("status") or {}
    known = len(task_names(pipeline_run)) or total
    result["completedTasks"] = max(0, completed)
    result["totalTasks"] = known or len(status.get("childReferences") or ()) + len(status.get("skippedTasks") or ())
    return result
