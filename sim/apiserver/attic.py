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
_NEVER_US = 1 << 62
_SPAN_US = 60_000_000  # a block expires as one, so its objects must be about as old


class Expiry(NamedTuple):
    """When one version of an object has outlived its time."""

    due_us: int
    namespace: str
    name: str
    version: str


_Fresh = tuple[int, str, str, str]


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

    __slots__ = ("_blocks", "_fresh", "_rows", "due_us", "ttl_us")

    def __init__(self, rows: Rows, ttl_us: int) -> None:
        self._rows = rows
        self.ttl_us = ttl_us
        self.due_us = _NEVER_US
        """Before then nothing can have expired."""
        self._fresh: deque[_Fresh] = deque()
        self._blocks: deque[Block] = deque()

    def written(self, now_us: int, namespace: str, name: str, version: str) -> None:
        fresh = self._fresh
        due_us = now_us + self.ttl_us
        fresh.append((due_us, namespace, name, version))
        if self.due_us == _NEVER_US:
            self.due_us = due_us  # nothing is older
        if len(fresh) >= _FRESH + BLOCK_SIZE and fresh[BLOCK_SIZE - 1][0] - fresh[0][0] <= _SPAN_US:
            self._pack()

    def _pack(self) -> None:
        documents: list[Document] = []
        due_us: list[int] = []
        places: list[tuple[dict[str, Document | Block], str]] = []
        for _ in range(BLOCK_SIZE):
            due, namespace, name, version = self._fresh.popleft()
            row = self._rows.get(namespace)
            found = None if row is None else row.get(name)
            if found.__class__ is dict and found["metadata"]["resourceVersion"] == version:
                documents.append(found)
                due_us.append(due)
                places.append((row, name))  # type: ignore[arg-type]
        if not documents:
            return
        block = Block(documents, tuple(due_us))
        self._blocks.append(block)
        for row, name in places:
            row[name] = block

    def _current(self, namespace: str, name: str, version: str) -> Document | None:
        found = self._rows.get(namespace, {}).get(name)
        if found is None or isinstance(found, Block) or found["metadata"]["resourceVersion"] != version:
            return None
        return found

    def expired(self, now_us: int) -> Iterator[tuple[Expiry, Document]]:
        """What has outlived its time, oldest first; the caller removes it."""
        blocks = self._blocks
        while blocks and blocks[0].due_us <= now_us:
            self._restore(blocks.popleft())
        fresh = self._fresh
        while fresh and fresh[0][0] <= now_us:
            expiry = Expiry(*fresh.popleft())
            document = self._current(expiry.namespace, expiry.name, expiry.version)
            if document is not None:
                yield expiry, document
        self.due_us = min(fresh[0][0] if fresh else _NEVER_US, blocks[0].due_us if blocks else _NEVER_US)

    def _restore(self, block: Block) -> None:
        """Lay a block's objects out again, before everything younger."""
        restored = []
        for expiry, document in block.unpack():
            row = self._rows.get(expiry.namespace, {})
            if row.get(expiry.name) is block:
                row[expiry.name] = document
                restored.append(expiry)
        self._fresh.extendleft(reversed(restored))
