"""Leader election as client-go does it and knative uses it: one lease for each bucket of each controller.

* Who does not hold a lease looks again after the retry period, which is stretched by up to 120 %, at random.
* A lease counts as held until the candidate *itself* has seen no renewal for its duration: who starts after a crash
  waits the whole of it, counted from its own first look.
* A holder that cannot renew for the renew deadline gives up, and is a candidate again.
* An orderly end releases the lease at once, while reconciles under way still finish.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from controller.ports import ApiError, ConnectionLost
from controller.runtime.cache import Key
from sim.loop import Loop, Timer
from sim.tekton.buckets import owner
from sim.tekton.locks import Lock

_STRETCH = 1.2  # client-go's JitterFactor
_NEVER: Any = object()


@dataclass(frozen=True, slots=True)
class Election:
    """The ConfigMaps ``config-leader-election-*``, whose defaults these are."""

    lease_us: int = 60_000_000
    renew_us: int = 40_000_000
    retry_us: int = 10_000_000
    buckets: int = 1

    def __post_init__(self) -> None:
        if not self.lease_us > self.renew_us:
            raise ValueError("the lease must last longer than the renew deadline")
        if not self.renew_us > _STRETCH * self.retry_us:
            raise ValueError("the renew deadline must be longer than 1.2 times the retry period")
        if not 1 <= self.buckets <= 10:
            raise ValueError(f"buckets: expected 1 to 10, not {self.buckets}")


class Leadership:
    """Which buckets of one controller this process leads. ``on_promote`` is told every one that it gains."""

    def __init__(self, buckets: tuple[str, ...], on_promote: Callable[[str], None]) -> None:
        self.buckets = buckets
        self.held: set[str] = set()
        self._on_promote = on_promote

    def leads(self, key: Key) -> bool:
        return bool(self.held) and owner(self.buckets, key) in self.held

    def promote(self, bucket: str) -> None:
        self.held.add(bucket)
        self._on_promote(bucket)


class Elector:
    """One process's candidacy for one bucket, for as long as the process lives."""

    def __init__(
        self, loop: Loop, lock: Lock, election: Election, stream: Random, leadership: Leadership, bucket: str
    ) -> None:
        self._loop = loop
        self._lock = lock
        self._election = election
        self._stream = stream
        self._leadership = leadership
        self._bucket = bucket
        self._seen: Any = _NEVER
        self._seen_us = 0
        self._resigned = False
        self._resting: tuple[asyncio.Future[None], Timer | None] | None = None

    async def run(self) -> None:
        """Stand for election until :meth:`resign`, then give the lease back and return."""
        while not self._resigned:
            if await self._acquire():
                if not self._resigned:
                    self._leadership.promote(self._bucket)
                await self._hold()
                self._leadership.held.discard(self._bucket)
                if self._resigned:
                    await self._release()
            else:
                await self._rest(int(self._election.retry_us * (1 + self._stream.random() * _STRETCH)))

    def resign(self) -> None:
        """Lead no more, from this instant; the lease is released as fast as requests allow."""
        self._resigned = True
        self._leadership.held.discard(self._bucket)
        if self._resting is not None:
            future, timer = self._resting
            if timer is not None:
                timer.cancel()
            if not future.done():
                future.set_result(None)

    async def _acquire(self) -> bool:
        try:
            record = await self._lock.read()
            if record is not None:
                if record.mark != self._seen:
                    self._seen, self._seen_us = record.mark, self._loop.now_us
                others = record.holder not in ("", self._lock.identity)
                if others and self._loop.now_us < self._seen_us + record.lease_us:
                    return False
            if self._resigned:
                return False
            await self._lock.take()
        except (ApiError, ConnectionLost):
            return False
        return True

    async def _hold(self) -> None:
        """Renew until resigned, or until that has failed for the renew deadline."""
        election, renewed_us = self._election, self._loop.now_us
        while not self._resigned:
            if not self._lock.renews:
                await self._rest(None)
                continue
            await self._rest(election.retry_us)
            if self._resigned:
                return
            if await self._renewed():
                renewed_us = self._loop.now_us
            elif self._loop.now_us - renewed_us >= election.renew_us:
                return

    async def _renewed(self) -> bool:
        try:
            await self._lock.renew()
        except (ApiError, ConnectionLost):
            return await self._acquire()  # the slow way: look first, then write
        return True

    async def _release(self) -> None:
        try:
            await self._lock.release()
        except (ApiError, ConnectionLost):
            return  # it runs out by itself

    async def _rest(self, delay_us: int | None) -> None:
        """Wait, or until resigned; for ever if there is no delay."""
        future: asyncio.Future[None] = self._loop.create_future()
        timer = None if delay_us is None else self._loop.after(delay_us, _wake, future)
        self._resting = future, timer
        await future
        self._resting = None


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
