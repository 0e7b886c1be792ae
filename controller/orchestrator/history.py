"""What the executions of one target say about the next one. Nothing is counted on any object: it is derived anew."""

from dataclasses import dataclass
from datetime import datetime

from controller.api.timestamps import parse_time
from controller.api.workflowexecution import Phase
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.ports import Document

_NONE: Document = {}


@dataclass(frozen=True, slots=True)
class History:
    """``failures`` are the pre-execution failures in a row, oldest first, that nothing has come after.

    ``unfinished`` is the oldest execution under way; ``decisive`` the newest one that changed something: it completed,
    or failed with a step under way. ``completed`` ones are newest first, as far back as was asked for.
    """

    unfinished: Document | None
    decisive: Document | None
    failures: tuple[Document, ...]
    completed: tuple[Document, ...]


NO_HISTORY = History(None, None, (), ())


def ended_at(execution: Document) -> datetime:
    """When a terminal execution ended; one that does not say, when it was made."""
    status = execution.get("status") or _NONE
    return parse_time(status.get("completionTime") or execution["metadata"]["creationTimestamp"])


def was_execution_failure(execution: Document) -> bool:
    """Whether a step had started, or nobody can know: an execution that does not say is of the second kind."""
    details = (execution.get("status") or _NONE).get("failureDetails")
    return True if details is None else bool(details.get("wasExecutionFailure", True))


def changed_target(execution: Document) -> bool:
    """Whether a terminal execution changed its target, for the better or not."""
    return bool(execution["status"]["phase"] == Phase.COMPLETED) or was_execution_failure(execution)


def is_cleared(execution: Document) -> bool:
    return CLEAR_BLOCK in (execution["metadata"].get("annotations") or _NONE)
