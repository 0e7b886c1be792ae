"""Cold storage for objects that are written, hardly ever read, and many: Events.

Thirty Events an execution would outweigh everything else a run keeps. Old ones are packed in blocks; a block is
compressed as a whole, because Events are alike.
"""

import marshal
import zlib
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

from controller.ports import Document
from sim.apiserver.whereabouts import Whereabouts, fingerprint

BLOCK_SIZE = 256
_FRESH = 128  # the newest stay as they are: aggregation still patches them (measured: within 50 writes)
_NEVER_US = 1 << 62
_SPAN_US = 240_000_000  # a block expires as one, so its objects must be about as old


_Expiry = tuple[int, str, str, str]
"""When one version of an object has outlived its time: (due_us, namespace, name, version)."""


class Block:
    """Packed objects. Compares and hashes by identity."""

    __slots__ = ("_gone", "_packed", "due_us", "number")

    def __init__(self, number: int, documents: list[Document], due_us: list[int]) -> None:
        self.number = number
        self.due_us = due_us[0]
        self._packed = zlib.compress(marshal.dumps((documents, due_us)), 1)
        self._gone: set[tuple[str, str]] = set()

    def find(self, namespace: str, name: str) -> Document | None:
        return None if (namespace, name) in self._gone else _unpacked(self).get((namespace, name))

    def forget(self, namespace: str, name: str) -> None:
        """The object was written again or deleted."""
        self._gone.add((namespace, name))

    def unpack(self) -> Iterator[tuple[_Expiry, Document]]:
        """What is still current."""
        documents, due_us = marshal.loads(zlib.decompress(self._packed))  # noqa: S302  # packed above, by ourselves
        gone = self._gone
        for document, due in zip(documents, due_us, strict=True):
            metadata = document["metadata"]
            namespace, name = metadata.get("namespace", ""), metadata["name"]
            if not gone or (namespace, name) not in gone:
                yield (due, namespace, name, metadata["resourceVersion"]), document


@lru_cache(maxsize=8)
def _unpacked(block: Block) -> dict[tuple[str, str], Document]:
    return {(namespace, name): document for (_, namespace, name, _), document in block.unpack()}


Rows = dict[str, dict[str, Document]]


class Attic:
    """The expiries of one table, oldest first, and the blocks that its oldest objects are packed in.

    What is packed is no longer in ``rows``; a namespace keeps its row, empty or not, while it has objects here.
    """

    __slots__ = ("_blocks", "_counts", "_fresh", "_number", "_rows", "_whereabouts", "due_us", "ttl_us")

    def __init__(self, rows: Rows, ttl_us: int) -> None:
        self._rows = rows
        self.ttl_us = ttl_us
        self.due_us = _NEVER_US
        """Before then nothing can have expired."""
        self._fresh: deque[_Expiry] = deque()
        self._number = 0
        self._blocks: dict[int, Block] = {}
        self._counts: dict[str, int] = {}
        self._whereabouts = Whereabouts()

    def count(self, namespace: str) -> int:
        return self._counts.get(namespace, 0)

    def counts(self) -> int:
        return sum(self._counts.values())

    def find(self, namespace: str, name: str) -> Document | None:
        """A packed object."""
        for number in self._whereabouts.candidates(fingerprint(namespace, name)):
            block = self._blocks.get(number)
            found = None if block is None else block.find(namespace, name)
            if found is not None:
                return found
        return None

    def items(self, namespace: str) -> dict[str, Document]:
        """All packed objects of a namespace, by name."""
        if not self.count(namespace):
            return {}
        blocks = self._blocks.values()
        return {name: one for block in blocks for (_, space, name, _), one in block.unpack() if space == namespace}

    def forget(self, namespace: str, name: str) -> None:
        """A packed object was written again or deleted."""
        for number in self._whereabouts.candidates(fingerprint(namespace, name)):
            block = self._blocks.get(number)
            if block is not None and block.find(namespace, name) is not None:
                block.forget(namespace, name)
                self._counts[namespace] -= 1
                return

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
        prints: list[int] = []
        for _ in range(BLOCK_SIZE):
            due, namespace, name, version = self._fresh.popleft()
            row = self._rows.get(namespace)
            found = None if row is None else row.get(name)
            if row is not None and found is not None and found["metadata"]["resourceVersion"] == version:
                documents.append(found)
                due_us.append(due)
                del row[name]
                self._counts[namespace] = self._counts.get(namespace, 0) + 1
                prints.append(fingerprint(namespace, name))
        if documents:
            self._number = number = self._number + 1
            self._blocks[number] = Block(number, documents, due_us)
            for print_ in prints:
                self._whereabouts.put(print_, number, self._blocks)

    def expired(self, now_us: int) -> Iterator[tuple[str, str, Document]]:
        """What has outlived its time, oldest first, by namespace and name; the caller removes it."""
        fresh, rows = self._fresh, self._rows
        while True:
            oldest = next(iter(self._blocks.values()), None)
            packed_us = _NEVER_US if oldest is None else oldest.due_us
            laid_out_us = fresh[0][0] if fresh else _NEVER_US
            self.due_us = min(packed_us, laid_out_us)
            if self.due_us > now_us:
                return
            if oldest is not None and packed_us <= laid_out_us:
                self._restore(oldest)
                continue
            while fresh and (due_us := fresh[0][0]) <= now_us and due_us < packed_us:
                _, namespace, name, version = fresh.popleft()
                found = rows[namespace].get(name) if namespace in rows else None
                if found is not None and found["metadata"]["resourceVersion"] == version:
                    yield namespace, name, found

    def _restore(self, block: Block) -> None:
        """Lay a block's objects out again, before everything that expires later."""
        del self._blocks[block.number]
        rows, counts, restored = self._rows, self._counts, []
        for expiry, document in block.unpack():
            _, namespace, name, _ = expiry
            rows[namespace][name] = document
            counts[namespace] -= 1
            restored.append(expiry)
        self._fresh.extendleft(reversed(restored))
