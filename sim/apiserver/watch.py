"""Open watches: each a queue of events between the store and one client."""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from controller.ports import Document, WatchEvent, WatchType
from sim.apiserver.selectors import Predicate
from sim.loop import Loop, Process, Timer

_UNREAD_LIMIT = 20_000  # events; a client that far behind is cut off, as the real server cuts slow watchers
_BEGINNING_LIMIT = 1 << 62  # however much there is when a watch begins
_BOOKMARK_US = 60_000_000
_PLAIN = ("BOOKMARK", "ERROR")  # events without an object of the resource


class Lag(Protocol):
    """How long an event travels to its watcher: any distribution of ``sim.workload``."""

    def sample_us(self, stream: Random) -> int: ...


class _Bell:
    """Stands where a waiting reader's future does, and stays there."""

    __slots__ = ("_ring",)

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def done(self) -> bool:
        return False

    def set_result(self, _: None) -> None:
        self._ring()


class Stream:
    """Implements ``controller.ports.WatchStream``. Order is kept whatever the lag draws.

    ``by_labels`` says that ``match`` looks at labels only, so that a change of anything else cannot change its answer.
    """

    __slots__ = (
        "_arrived",
        "_detach",
        "_due_us",
        "_ended",
        "_lag",
        "_limit",
        "_loop",
        "_present",
        "_process",
        "_random",
        "_timers",
        "_travelling",
        "_waiter",
        "by_labels",
        "match",
        "namespace",
    )

    def __init__(
        self,
        loop: Loop,
        *,
        namespace: str,
        match: Predicate | None,
        by_labels: bool,
        present: Callable[[Document], Document] | None,
        lag: Lag | None,
        random: Random,
        process: Process | None,
        detach: Callable[["Stream"], None],
    ) -> None:
        self.namespace = namespace
        self.match = match
        self.by_labels = by_labels
        self._present = present
        self._process = process
        self._loop = loop
        self._lag = lag
        self._random = random
        self._detach = detach
        self._limit = _BEGINNING_LIMIT
        self._arrived: list[WatchEvent] = []
        self._travelling: deque[tuple[int, WatchEvent]] = deque()
        self._due_us = 0
        self._waiter: asyncio.Future[None] | _Bell | None = None
        self._ended = False
        self._timers: list[Timer] = []

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> list[WatchEvent]:
        while not self._arrived:
            if self._ended:
                raise StopAsyncIteration
            waiter: asyncio.Future[None] = asyncio.Future(loop=self._loop)
            self._waiter = waiter
            await waiter
        batch = self._arrived
        self._arrived = []
        return batch

    def begun(self) -> None:
        """What there was is on its way; from now on the reader may be so far behind it, and no further."""
        self._limit = len(self._arrived) + len(self._travelling) + _UNREAD_LIMIT

    def take(self) -> list[WatchEvent]:
        """What has arrived by now, without waiting: for readers that are not coroutines."""
        batch = self._arrived
        self._arrived = []
        return batch

    def alert(self, ring: Callable[[], None]) -> None:
        """Call ``ring``, at the instants at which it happens, whenever something has arrived and when it ends.

        For a reader that uses :meth:`take`.
        """
        self._waiter = _Bell(ring)

    @property
    def ended(self) -> bool:
        return self._ended

    def change(self, type_: WatchType, old: Document | None, new: Document) -> None:
        """Translate one change of the resource for this watch's selector."""
        match = self.match
        if match is None:
            self.push(WatchEvent(type_, new))
            return
        was = old is not None and match(old)
        if type_ == "DELETED":
            if was:
                self.push(WatchEvent("DELETED", new))
            return
        if match(new):
            self.push(WatchEvent("MODIFIED" if was else "ADDED", new))
        elif was:
            assert old is not None
            version = new["metadata"]["resourceVersion"]
            left = {**old, "metadata": {**old["metadata"], "resourceVersion": version}}
            self.push(WatchEvent("DELETED", left))

    def push(self, event: WatchEvent) -> None:
        if self._ended:
            return
        if self._present is not None and event.type not in _PLAIN:
            event = WatchEvent(event.type, self._present(event.object))
        lag = self._lag
        if lag is None:
            self._arrive(event)
            return
        now_us = self._loop.now_us
        due_us = now_us + lag.sample_us(self._random)
        if due_us <= self._due_us:
            due_us = self._due_us
        elif due_us == now_us and not self._travelling:
            self._arrive(event)
            return
        self._due_us = due_us
        self._travelling.append((due_us, event))
        if len(self._travelling) == 1:
            self._loop.post(due_us - now_us, self._land)

    def _arrive(self, event: WatchEvent) -> None:
        if self._process is not None and not self._process.alive:
            self.close()  # nobody reads any more: the connection broke with the process
            return
        arrived = self._arrived
        arrived.append(event)
        waiter = self._waiter
        if waiter is not None:
            if waiter.__class__ is not _Bell:
                self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
        if len(arrived) > self._limit:
            self.close()

    def _land(self) -> None:
        travelling = self._travelling
        if not travelling:
            return  # the stream ended meanwhile
        due_us, event = travelling.popleft()
        self._arrive(event)
        while travelling and travelling[0][0] == due_us:
            self._arrive(travelling.popleft()[1])
        if travelling:
            self._loop.after(travelling[0][0] - due_us, self._land)

    def end_after(self, timeout_us: int, bookmark: Callable[[], WatchEvent] | None) -> None:
        """End cleanly after ``timeout_us``; ``bookmark`` makes the progress mark sent every minute until then."""
        self._timers.append(self._loop.after(timeout_us, self._finish))
        if bookmark is not None and timeout_us > _BOOKMARK_US:
            self._timers.append(self._loop.after(_BOOKMARK_US, self._mark, bookmark))

    def _mark(self, bookmark: Callable[[], WatchEvent]) -> None:
        if not self._ended:
            self.push(bookmark())
            self._timers[-1] = self._loop.after(_BOOKMARK_US, self._mark, bookmark)

    def _finish(self) -> None:
        """The server ends the stream: what still travels arrives first."""
        if self._travelling:
            self._loop.after(self._due_us - self._loop.now_us, self._finish)
            self._detach(self)
        else:
            self.close()

    def fail(self, status: Document) -> None:
        """Send an ERROR event and end: what a server does when it can no longer serve the watch."""
        self._travelling.clear()
        self._lag = None
        self.push(WatchEvent("ERROR", status))
        self.close()

    def close(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._travelling.clear()
        self._detach(self)
        for timer in self._timers:
            timer.cancel()
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
