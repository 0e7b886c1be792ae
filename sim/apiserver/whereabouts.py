"""Which block a packed object lies in: a hash table in two flat arrays, eight bytes a slot.

A dict of their names would weigh more than the packed objects do.
"""

from array import array
from collections.abc import Container
from zlib import crc32

_SMALLEST = 1024  # slots


def fingerprint(namespace: str, name: str) -> int:
    """32 bits of a name, never 0, the same in every process."""
    return crc32(f"{namespace}/{name}".encode()) or 1


class Whereabouts:
    """Numbers of blocks by fingerprint. Two names may share one: a block that is named need not hold the object."""

    __slots__ = ("_blocks", "_mask", "_prints", "_used")

    def __init__(self) -> None:
        self._clear(_SMALLEST)

    def _clear(self, slots: int) -> None:
        self._prints = array("I", bytes(4 * slots))
        self._blocks = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._used = 0

    def candidates(self, print_: int) -> list[int]:
        prints, mask = self._prints, self._mask
        at = print_ & mask
        if not prints[at]:
            return []
        found: list[int] = []
        while prints[at]:
            if prints[at] == print_:
                found.append(self._blocks[at])
            at = at + 1 & mask
        return found

    def put(self, print_: int, block: int, living: Container[int]) -> None:
        """``living`` are the blocks that still count; the others are forgotten whenever the table grows."""
        if 2 * self._used > self._mask:
            self._grow(living)
        prints, mask = self._prints, self._mask
        at = print_ & mask
        while prints[at]:
            at = at + 1 & mask
        prints[at], self._blocks[at] = print_, block
        self._used += 1

    def _grow(self, living: Container[int]) -> None:
        kept = [
            (print_, block)
            for print_, block in zip(self._prints, self._blocks, strict=True)
            if print_ and block in living
        ]
        slots = _SMALLEST
        while slots < 4 * len(kept):
            slots *= 2
        self._clear(slots)
        for print_, block in kept:
            self.put(print_, block, living)
