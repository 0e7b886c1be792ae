"""The executions of one target in the order of their ends, kept in step with the cache that they come from.

A target that is remedied often has thousands of them; a decision looks at the newest few and parses no time.
"""

from bisect import bisect_left, insort
from datetime import datetime
from typing import NamedTuple

from controller.api.workflowexecution import Phase
from controller.orchestrator.history import History, changed_target, ended_at, is_cleared
from controller.orchestrator.labels import owner_uid
from controller.ports import Document
from controller.runtime.cache import Key, key_of

_UNFINISHED = ("", Phase.PENDING, Phase.RUNNING)
_ENDED = (Phase.COMPLETED, Phase.FAILED)
_NONE: Document = {}


class _Place(NamedTuple):
    ended_at: datetime
    created: str
    key: Key


class Ledger:
    """A phase of another engine tells nothing and is not kept."""

    __slots__ = ("_documents", "_order", "_places", "_unfinished")

    def __init__(self) -> None:
        self._unfinished: dict[Key, Document] = {}
        self._documents: dict[Key, Document] = {}
        self._places: dict[Key, _Place] = {}
        self._order: list[_Place] = []

    def __bool__(self) -> bool:
        return bool(self._unfinished or self._places)

    def put(self, execution: Document) -> None:
        """This is now the newest version of it."""
        key = key_of(execution)
        phase = (execution.get("status") or _NONE).get("phase") or ""
        if phase in _UNFINISHED:
            self._leave_order(key)
            self._unfinished[key] = execution
            return
        self.remove(key)
        if phase in _ENDED:
            place = _Place(ended_at(execution), execution["metadata"]["creationTimestamp"], key)
            self._places[key] = place
            self._documents[key] = execution
            insort(self._order, place)

    def remove(self, key: Key) -> None:
        """It is gone."""
        self._unfinished.pop(key, None)
        self._leave_order(key)

    def _leave_order(self, key: Key) -> None:
        place = self._places.pop(key, None)
        if place is not None:
            del self._documents[key]
            del self._order[bisect_left(self._order, place)]

    def history(self, apart_from: str, since: datetime) -> History:
        """What counts now, without the unfinished executions of the request with the uid ``apart_from``; completed
        ones only as far back as ``since``."""
        failures: list[Document] = []
        completed: list[Document] = []
        decisive: Document | None = None
        in_a_row = True
        for place in reversed(self._order):
            if decisive is not None and place.ended_at < since:
                break
            execution = self._documents[place.key]
            if changed_target(execution):
                decisive = decisive or execution
                in_a_row = False
                if execution["status"]["phase"] == Phase.COMPLETED and place.ended_at >= since:
                    completed.append(execution)
            elif in_a_row and is_cleared(execution):
                in_a_row = False
            elif in_a_row:
                failures.append(execution)
        return History(self._oldest_unfinished(apart_from), decisive, tuple(reversed(failures)), tuple(completed))

    def _oldest_unfinished(self, apart_from: str) -> Document | None:
        others = [one for one in self._unfinished.values() if not apart_from or owner_uid(one) != apart_from]
        return min(others, key=_age) if others else None


def _age(execution: Document) -> tuple[str, str, str]:
    metadata = execution["metadata"]
    return metadata["creationTimestamp"], metadata["namespace"], metadata["name"]
