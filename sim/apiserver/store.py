"""The objects and the one sequence of versions over all of them.

Documents in the store are immutable and shared with history, watchers and caches. A commit stamps the version into
the fresh metadata of the document it is given and from then on nobody may change it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from controller.ports import Document, Resource, WatchEvent, WatchType
from sim.apiserver.attic import Attic, Rows
from sim.apiserver.guard import Guard
from sim.apiserver.history import History
from sim.apiserver.index import Getter, Index
from sim.apiserver.watch import Stream
from sim.loop import Loop

Observer = Callable[[WatchType, Resource, Document | None, Document], None]
"""Called within each commit: ``(type, resource, old, new)``; ``new`` of a DELETED is the last state."""

FIRST_VERSION = 1000  # a cluster has a past; version 1 is long compacted
_INDEX_FROM = 256  # objects
_PASSING_CAP = 2_000  # changes of objects with a time to live: hardly anyone watches Events
_MARK_EVERY_US = 1_000_000
_watch_event = tuple.__new__  # a third of what the constructor of a NamedTuple costs


class Table:
    """The objects of one stored resource, its recent changes and its open watches."""

    __slots__ = ("attic", "history", "indexes", "observers", "resource", "rows", "streams")

    def __init__(self, resource: Resource, history: History, ttl_us: int) -> None:
        self.resource = resource
        self.rows: Rows = {}
        self.attic = Attic(self.rows, ttl_us) if ttl_us else None
        self.observers: list[Observer] = []
        self.indexes: dict[str, Index] = {}
        self.history = history
        self.streams: list[Stream] = []

    def find(self, namespace: str, name: str) -> Document | None:
        row = self.rows.get(namespace)
        if row is None:
            return None
        found = row.get(name)
        return self.attic.find(namespace, name) if found is None and self.attic is not None else found

    def index(self, key: str, getter: Getter) -> Index | None:
        """The index called ``key``, built when it is first asked for; None while looking at all is as cheap."""
        index = self.indexes.get(key)
        if index is None and self.count() >= _INDEX_FROM:
            index = self.indexes[key] = Index(getter, self.in_order())
        return index

    def count(self, namespace: str = "") -> int:
        """How many objects a namespace has, or all of them together."""
        if namespace:
            return len(self.rows.get(namespace, ())) + (self.attic.count(namespace) if self.attic is not None else 0)
        return sum(len(row) for row in self.rows.values()) + (self.attic.counts() if self.attic is not None else 0)

    def in_order(self, namespace: str = "") -> Iterator[Document]:
        """Objects sorted by namespace and name; of all namespaces when ``namespace`` is empty."""
        spaces = [namespace] if namespace or not self.resource.namespaced else sorted(self.rows)
        for space in spaces:
            row = self._laid_out(space)
            for name in sorted(row):
                yield row[name]

    def _laid_out(self, namespace: str) -> Mapping[str, Document]:
        """A namespace's objects by name, the packed ones too: each block is unpacked once."""
        row = self.rows.get(namespace, {})
        return row if self.attic is None else {**self.attic.items(namespace), **row}


class Store:
    def __init__(self, loop: Loop, *, history_us: int, history_cap: int, guard: bool = False) -> None:
        self.version = FIRST_VERSION
        self.observers: list[Observer] = []
        self.guard = Guard() if guard else None
        self._loop = loop
        self._history_us = history_us
        self._history_cap = history_cap
        self._marks: deque[tuple[int, int]] = deque()
        self._compacted = FIRST_VERSION
        self._committed_us = 0
        self._marked_us = 0

    def table(self, resource: Resource, ttl_us: int = 0) -> Table:
        """A new, empty table. Objects vanish ``ttl_us`` after their last write; 0 is never."""
        cap = min(self._history_cap, _PASSING_CAP) if ttl_us else self._history_cap
        return Table(resource, History(keep_us=self._history_us, cap=cap, floor=FIRST_VERSION), ttl_us)

    def expire(self, table: Table) -> None:
        """Remove what has outlived its time. Done when the table is next touched, not by a timer per object."""
        if table.attic is not None and table.attic.due_us <= self._loop.now_us:
            for namespace, name, document in table.attic.expired(self._loop.now_us):
                self.remove(table, namespace, name, document)

    def compacted(self) -> int:
        """The version before which the past is forgotten, of every resource alike: compaction is by age."""
        marks, horizon_us = self._marks, self._loop.now_us - self._history_us
        while marks and marks[0][0] <= horizon_us:
            self._compacted = max(self._compacted, marks.popleft()[1])
        if self._committed_us <= horizon_us:
            self._compacted = self.version
        return self._compacted

    def compact(self, tables: list[Table]) -> None:
        """Forget the whole past now: every older watch version and page token is Expired afterwards."""
        self._compacted = self.version
        self._marks.clear()
        for table in tables:
            table.history.forget()

    def put(self, table: Table, namespace: str, name: str, old: Document | None, new: Document) -> Document:
        """Commit a created or replaced object. ``new["metadata"]`` is a fresh dict: the version is stamped into it."""
        self.version = version = self.version + 1
        new["metadata"]["resourceVersion"] = spelled = str(version)
        row = table.rows.get(namespace)
        if row is None:
            row = table.rows[namespace] = {}
        if table.attic is not None and old is not None and name not in row:
            table.attic.forget(namespace, name)
        row[name] = new
        if table.indexes:
            for index in table.indexes.values():
                index.changed(namespace, name, old, new)
        if table.attic is not None:
            table.attic.written(self._loop.now_us, namespace, name, spelled)
        self._publish(table, "ADDED" if old is None else "MODIFIED", version, namespace, old, new)
        return new

    def remove(self, table: Table, namespace: str, name: str, old: Document) -> Document:
        """Commit a deletion; answers the last state under the deletion's version."""
        self.version = version = self.version + 1
        row = table.rows[namespace]
        if name in row:
            del row[name]
        elif table.attic is not None:
            table.attic.forget(namespace, name)
        if not row and not table.count(namespace):
            del table.rows[namespace]
        if table.indexes:
            for index in table.indexes.values():
                index.changed(namespace, name, old, None)
        last = {**old, "metadata": {**old["metadata"], "resourceVersion": str(version)}}
        self._publish(table, "DELETED", version, namespace, old, last)
        return last

    def _publish(
        self, table: Table, type_: WatchType, version: int, namespace: str, old: Document | None, new: Document
    ) -> None:
        now_us = self._loop.now_us
        if now_us - self._marked_us >= _MARK_EVERY_US:
            self._marks.append((self._committed_us, version - 1))
            self._marked_us = now_us
        self._committed_us = now_us
        table.history.append((version, now_us, type_, old, new))
        if self.guard is not None:
            self.guard.committed(old, new)
        if table.streams:
            event = _watch_event(WatchEvent, (type_, new))
            for stream in tuple(table.streams):
                if not stream.namespace or stream.namespace == namespace:
                    if stream.match is None:
                        stream.push(event)
                    elif type_ == "MODIFIED" and not (stream.by_labels and _same_labels(old, new)):
                        stream.change(type_, old, new)
                    elif stream.match(new):  # what it sees now is what it saw before, or there is no before
                        stream.push(event)
        resource = table.resource
        for observe in table.observers:
            observe(type_, resource, old, new)
        for observe in tuple(self.observers):  # one may come or go with this very commit's consequences
            observe(type_, resource, old, new)


def _same_labels(old: Document | None, new: Document) -> bool:
    return old is not None and old["metadata"].get("labels") is new["metadata"].get("labels")
