"""The recent past of one resource: what a watch resumes from and what pages of a list are pinned to."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from controller.ports import Document, WatchType

_TRIM_EVERY = 512


class Change(NamedTuple):
    """One committed write. ``new`` of a DELETED change is the last state under the version of the deletion."""

    version: int
    at_us: int
    type: WatchType
    old: Document | None
    new: Document


class History:
    """Changes of one resource in version order, bounded by age and by count. Keeps references only."""

    __slots__ = ("_cap", "_changes", "_floor", "_keep_us", "_start")

    def __init__(self, *, keep_us: int, cap: int, floor: int) -> None:
        self._changes: list[Change] = []
        self._start = 0
        self._keep_us = keep_us
        self._cap = cap
        self._floor = floor

    @property
    def floor(self) -> int:
        """The oldest version from which nothing later has been forgotten."""
        return self._floor

    def append(self, change: Change) -> None:
        changes = self._changes
        changes.append(change)
        if not len(changes) % _TRIM_EVERY:
            self.trim(change.at_us)

    def trim(self, now_us: int) -> None:
        """Forget what is older than the window or beyond the cap."""
        changes, start = self._changes, self._start
        oldest_us = now_us - self._keep_us
        end = max(len(changes) - self._cap, start)
        while end < len(changes) and changes[end].at_us < oldest_us:
            end += 1
        if end > start:
            self._floor = changes[end - 1].version
            self._start = end
        if self._start * 2 > len(changes):
            del changes[: self._start]
            self._start = 0

    def forget(self) -> None:
        """Forget everything so far: what a compaction of the whole past does."""
        if self._changes:
            self._floor = max(self._floor, self._changes[-1].version)
        self._changes.clear()
        self._start = 0

    def since(self, version: int) -> list[Change]:
        """All changes later than ``version``; the caller has compared it with :attr:`floor`."""
        changes = self._changes
        at = bisect_right(changes, version, lo=self._start, key=_version)
        return changes[at:]

    def undoing(self, version: int) -> Iterator[Change]:
        """The changes later than ``version``, newest first: undo them and the table stands as it did then."""
        return reversed(self.since(version))


def _version(change: Change) -> int:
    return change.version
