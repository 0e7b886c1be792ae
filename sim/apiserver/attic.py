"""Cold storage for objects that are written, hardly ever read, and many: Events.

Thirty Events an execution would outweigh everything else a run keeps. Old ones are packed in blocks; a block is
compressed as a whole, because Events are alike.
"""

import marshal
import zlib
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from controller.ports import Document

BLOCK_SIZE = 64
_FRESH = 512  # the newest stay as they are: aggregation still patches them
_SPAN_US = 60_000_000  # a block expires as one, so its objects must be about as old


class Expiry(NamedTuple):
    """When one version of an object has outlived its time."""

    due_us: int
    namespace: str
    name: str
    version: str


class Block:
    """Packed objects. Compares and hashes by identity."""

    __slots__ = ("_packed", "due_us")

    def __init__(self, documents: list[Document], due_us: tuple[int, ...]) -> None:
        self._packed = zlib.compress(marshal.dumps((documents, due_us)), 1)
        self.due_us = due_us[0]

    def find(self, namespace: str, name: str) -> Document:
        return _unpacked(self)[namespace, name]

    def unpack(self) -> Iterator[tuple[Expiry, Document]]:
        documents, due_us = marshal.loads(zlib.decompress(self._packed))  # noqa: S302  # packed above, by ourselves
        for document, due in zip(documents, due_us, strict=True):
            metadata = document["metadata"]
            expiry = Expiry(due, metadata.get("namespace", ""), metadata["name"], metadata["resourceVersion"])
            yield expiry, document


@lru_cache(maxsize=8)
def _unpacked(block: Block) -> dict[tuple[str, str], Document]:
    return {(expiry.namespace, expiry.name): document for expiry, document in block.unpack()}


Rows = dict[str, dict[str, "Document | Block"]]


class Attic:
    """The expiries of one table, oldest first, and the blocks that its oldest objects are packed in."""

    __slots__ = ("_blocks", "_fresh", "_rows", "ttl_us")

    def __init__(self, rows: Rows, ttl_us: int) -> None:
        self._rows = rows
        self.ttl_us = ttl_us
        self._fresh: deque[Expiry] = deque()
        self._blocks: deque[Block] = deque()

    def written(self, now_us: int, namespace: str, name: str, version: str) -> None:
        fresh = self._fresh
        fresh.append(Expiry(now_us + self.ttl_us, namespace, name, version))
        if len(fresh) >= _FRESH + BLOCK_SIZE and fresh[BLOCK_SIZE - 1].due_us - fresh[0].due_us <= _SPAN_US:
            self._pack()

    def _pack(self) -> None:
        kept: list[tuple[Expiry, Document]] = []
        for _ in range(BLOCK_SIZE):
            expiry = self._fresh.popleft()
            document = self._current(expiry)
            if document is not None:
                kept.append((expiry, document))
        if not kept:
            return
        block = Block([document for _, document in kept], tuple(expiry.due_us for expiry, _ in kept))
        self._blocks.append(block)
        for expiry, _ in kept:
            self._rows[expiry.namespace][expiry.name] = block

    def _current(self, expiry: Expiry) -> Document | None:
        found = self._rows.get(expiry.namespace, {}).get(expiry.name)
        if found is None or isinstance(found, Block) or found["metadata"]["resourceVersion"] != expiry.version:
            return None
        return found

    def expired(self, now_us: int) -> Iterator[tuple[Expiry, Document]]:
        """What has outlived its time, oldest first; the caller removes it."""
        blocks = self._blocks
        while blocks and blocks[0].due_us <= now_us:
            self._restore(blocks.popleft())
        fresh = self._fresh
        while fresh and fresh[0].due_us <= now_us:
            expiry = fresh.popleft()
            document = self._current(expiry)
            if document is not None:
                yield expiry, document

    def _restore(self, block: Block) -> None:
        """Lay a block's objects out again, before everything younger."""
        restored = []
        for expiry, document in block.unpack():
            row = self._rows.get(expiry.namespace, {})
            if row.get(expiry.name) is block:
                row[expiry.name] = document
                restored.append(expiry)
        self._fresh.extendleft(reversed(restored))
