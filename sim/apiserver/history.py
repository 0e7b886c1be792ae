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


_Kept = tuple[int, int, WatchType, Document | None, Document]


class History:
    """Changes of one resource in version order, bounded by age and by count. Keeps references only."""

    __slots__ = ("_cap", "_changes", "_floor", "_keep_us", "_untrimmed")

    def __init__(self, *, keep_us: int, cap: int, floor: int) -> None:
        self._changes: list[_Kept] = []
        self._untrimmed = 0
        self._keep_us = keep_us
        self._cap = cap
        self._floor = floor

    @property
    def floor(self) -> int:
        """The oldest version from which nothing later has been forgotten."""
        return self._floor

    def append(self, change: _Kept) -> None:
        """Keep the fields of a :class:`Change`; it is made one when somebody asks, which is rare."""
        changes = self._changes
        changes.append(change)
        self._untrimmed += 1
        if self._untrimmed >= _TRIM_EVERY:
            self.trim(change[1])

    def trim(self, now_us: int) -> None:
        """Forget what is older than the window or beyond the cap."""
        self._untrimmed = 0
        changes, oldest_us = self._changes, now_us - self._keep_us
        end = max(len(changes) - self._cap, 0)
        while end < len(changes) and changes[end][1] < oldest_us:
            end += 1
        if end:
            self._floor = changes[end - 1][0]
            del changes[:end]

    def forget(self) -> None:
        """Forget everything so far: what a compaction of the whole past does."""
        if self._changes:
            self._floor = max(self._floor, self._changes[-1][0])
        self._changes.clear()

    def since(self, version: int) -> list[Change]:
        """All changes later than ``version``; the caller has compared it with :attr:`floor`."""
        changes = self._changes
        return [Change(*kept) for kept in changes[bisect_right(changes, version, key=_version) :]]

    def undoing(self, version: int) -> Iterator[Change]:
        """The changes later than ``version``, newest first: undo them and the table stands as it did then."""
        return reversed(self.since(version))


def _version(kept: _Kept) -> int:
    return kept[0]
