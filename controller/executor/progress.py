"""How far a PipelineRun is: its Succeeded condition and its tasks, counted."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from controller.api.tekton import succeeded, task_count
from controller.api.texts import clean
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
    result: dict[str, Any] = {"status": condition.get("status", "Unknown")}
    if condition.get("reason"):
        result["reason"] = condition["reason"]
    counts = None
    if message:
        result["message"], counts = _read(message)
    completed = total = 0
    if counts is not None:
        completed, total = counts
    elif task_runs is not None:
        completed = sum(1 for run in task_runs if (succeeded(run) or {}).get("status") == "True")
    result["completedTasks"] = completed
    result["totalTasks"] = task_count(pipeline_run) or total or _children(pipeline_run)
    return result


@lru_cache(maxsize=256)
def _read(message: str) -> tuple[str, tuple[int, int] | None]:
    """A message as it is shown, and (completed, total) where it counts tasks. Many runs say the same."""
    counters = _COUNTERS.match(message)
    if counters is None:
        return clean(message, _MESSAGE_LIMIT), None
    done, failed, cancelled, incomplete, skipped = [int(number or 0) for number in counters.groups()]
    return clean(message, _MESSAGE_LIMIT), (max(0, done - failed - cancelled), done + incomplete + skipped)


def _children(pipeline_run: Document) -> int:
    status = pipeline_run.get("status") or {}
    return len(status.get("childReferences") or ()) + len(status.get("skippedTasks") or ())
