"""The work queue: which keys need attention, never one of them by two workers at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from controller.runtime.backoff import ItemBackoff
from controller.runtime.bucket import TokenBucket

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """First in, first out, each key at most once; delays and retries as in client-go.

    A key added while a worker has it is handed out again after :meth:`done`, not before. ``retries_bucket``
    limits the retries of all keys together; client-go's default is 10 a second, burst 100.
    """

    def __init__(self, backoff: ItemBackoff[K] | None = None, retries_bucket: TokenBucket | None = None) -> None:
        self._backoff: ItemBackoff[K] = ItemBackoff() if backoff is None else backoff
        self._bucket = retries_bucket
        self._waiting: deque[K] = deque()
        self._dirty: set[K] = set()  # keys that wait, and keys to be handed out again
        self._processing: set[K] = set()
        self._later: dict[K, tuple[float, asyncio.TimerHandle]] = {}  # due at, in seconds of the loop
        self._getters: deque[asyncio.Future[K | None]] = deque()
        self._shut_down = False
        self.forget: Callable[[K], None] = self._backoff.forget
        """A key succeeded: its back-off starts over."""

    def __len__(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._waiting)

    def add(self, key: K) -> None:
        """``key`` needs attention."""
        dirty = self._dirty
        if key in dirty or self._shut_down:
            return
        if key in self._processing:
            dirty.add(key)
            return
        # Straight to one waiting worker: waking more than one costs twice the whole queue.
        getters = self._getters
        while getters:
            getter = getters.popleft()
            if not getter.done():
                self._processing.add(key)
                getter.set_result(key)
                return
        dirty.add(key)
        self._waiting.append(key)

    def add_after(self, key: K, delay_s: float) -> None:
        """Add ``key`` in ``delay_s`` seconds; of several delays for one key the one that ends first counts."""
        if self._shut_down:
            return
        if delay_s <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        pending = self._later.get(key)
        if pending is not None:
            due_s, timer = pending
            if due_s <= loop.time() + delay_s:
                return
            timer.cancel()
        timer = loop.call_later(delay_s, self._due, key)
        self._later[key] = timer.when(), timer

    def add_rate_limited(self, key: K, *, at_least_s: float = 0.0) -> None:
        """Add ``key`` after its back-off, which grows with every call until :meth:`forget`."""
        delay_s = max(self._backoff.next_s(key), at_least_s)
        if self._bucket is not None:
            delay_s = max(delay_s, self._bucket.reserve_s(asyncio.get_running_loop().time()))
        self.add_after(key, delay_s)

    def retries(self, key: K) -> int:
        """How often in a row ``key`` was added rate limited."""
        return self._backoff.failures(key)

    async def get(self) -> K | None:
        """Wait for a key, to be given back with :meth:`done`; None once the queue is shut down."""
        if self._shut_down:
            return None
        if self._waiting:
            key = self._waiting.popleft()
            self._dirty.discard(key)
            self._processing.add(key)
            return key
        getter: asyncio.Future[K | None] = asyncio.Future()
        self._getters.append(getter)
        try:
            return await getter
        except asyncio.CancelledError:
            if getter.done() and not getter.cancelled():
                self._give_back(getter.result())
            raise

    def done(self, key: K) -> None:
        """The worker is through with ``key``; it is handed out again if it was added meanwhile."""
        self._processing.discard(key)
        dirty = self._dirty
        if key in dirty:
            dirty.discard(key)
            self.add(key)

    def shut_down(self) -> None:
        """Hand out nothing more: waiting keys are dropped, waiting workers get None."""
        self._shut_down = True
        for _, timer in self._later.values():
            timer.cancel()
        self._later.clear()
        self._waiting.clear()
        self._dirty.clear()
        for getter in self._getters:
            if not getter.done():
                getter.set_result(None)
        self._getters.clear()

    def _give_back(self, key: K | None) -> None:
        if key is not None and not self._shut_down:
            self._dirty.add(key)
            self.done(key)

    def _due(self, key: K) -> None:
        del self._later[key]
        self.add(key)
