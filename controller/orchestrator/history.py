"""What the executions of one target say about the next one. Nothing is counted on any object: it is derived anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.api.timestamps import parse_time
from controller.api.workflowexecution import Phase
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.ports import Document

_NONE: Document = {}


def ended_at(execution: Document) -> datetime:
    """When a terminal execution ended; one that does not say, when it was made."""
    status = execution.get("status") or _NONE
    return parse_time(status.get("completionTime") or execution["metadata"]["creationTimestamp"])


def was_execution_failure(execution: Document) -> bool:
    """Whether a step had started, or nobody can know: an execution that does not say is of the second kind."""
    details = (execution.get("status") or _NONE).get("failureDetails")
    return True if details is None else bool(details.get("wasExecutionFailure", True))


def is_cleared(execution: Document) -> bool:
    return CLEAR_BLOCK in (execution["metadata"].get("annotations") or _NONE)


@dataclass(frozen=True, slots=True)
class History:
    """``failures`` are the pre-execution failures in a row, oldest first, that nothing has come after.

    ``decisive`` is the newest execution that changed something: it completed, or failed with a step under way.
    """

    unfinished: Document | None
    decisive: Document | None
    failures: tuple[Document, ...]
    completed: tuple[Document, ...]
    """Newest first."""


def history_of(executions: Iterable[Document]) -> History:
    """The history of one target, from its executions in any order. A phase of another engine tells nothing."""
    unfinished: Document | None = None
    ended: list[tuple[datetime, str, str, Document]] = []
    for execution in executions:
        phase = (execution.get("status") or _NONE).get("phase") or Phase.PENDING
        metadata = execution["metadata"]
        if phase in (Phase.PENDING, Phase.RUNNING):
            if unfinished is None or _age(execution) < _age(unfinished):
                unfinished = execution
        elif phase in (Phase.COMPLETED, Phase.FAILED):
            ended.append((ended_at(execution), metadata["creationTimestamp"], metadata["name"], execution))
    ended.sort(key=lambda one: one[:3], reverse=True)
    return _told(unfinished, [execution for *_, execution in ended])


def _told(unfinished: Document | None, newest_first: list[Document]) -> History:
    failures: list[Document] = []
    decisive: Document | None = None
    in_a_row = True
    for execution in newest_first:
        if execution["status"]["phase"] == Phase.COMPLETED or was_execution_failure(execution):
            decisive = decisive or execution
            in_a_row = False
        elif in_a_row and is_cleared(execution):
            in_a_row = False
        elif in_a_row:
            failures.append(execution)
    completed = tuple(one for one in newest_first if one["status"]["phase"] == Phase.COMPLETED)
    return History(unfinished, decisive, tuple(reversed(failures)), completed)


def _age(execution: Document) -> tuple[str, str]:
    metadata = execution["metadata"]
    return metadata["creationTimestamp"], metadata["name"]
