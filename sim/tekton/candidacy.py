"""From caches that are warm to a leader that looks at every object: what a process does to lead its controllers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from random import Random
from typing import Any

from controller.runtime.cache import Cache, Key
from controller.runtime.controller import Controller, Result
from controller.runtime.reflector import Reflector
from sim.loop import Loop
from sim.tekton.buckets import bucket_names, owner
from sim.tekton.election import Election, Elector, Leadership
from sim.tekton.locks import Lock

Reconcile = Callable[[Key], Awaitable[Result | None]]


class Candidacy:
    """One controller's leases. ``lock`` makes the lock of a lease by its name."""

    def __init__(
        self,
        loop: Loop,
        election: Election,
        prefix: str,
        lock: Callable[[str], Lock],
        cache: Cache,
        stream: Random,
    ) -> None:
        self._cache = cache
        self._stream = stream
        self._loop = loop
        self.controller: Controller[Key] | None = None
        """Whose queue is filled by a promotion."""
        names = bucket_names(prefix, election.buckets)
        self.leadership = Leadership(names, self._promoted)
        self.electors = [Elector(loop, lock(name), election, stream, self.leadership, name) for name in names]

    def guarded(self, reconcile: Reconcile) -> Reconcile:
        """``reconcile`` for the keys that this process leads; the others are skipped."""
        leads = self.leadership.leads

        async def reconcile_if_leading(key: Key) -> Result | None:
            return await reconcile(key) if leads(key) else None

        return reconcile_if_leading

    def _promoted(self, bucket: str) -> None:
        """Queue every object of the bucket: in no order, as Go's maps have none."""
        assert self.controller is not None, "promoted before there was a queue"
        keys = [key for key in tuple(self._cache) if owner(self.leadership.buckets, key) == bucket]
        self._stream.shuffle(keys)
        for key in keys:
            self.controller.queue.add(key)


def standing(
    loop: Loop, candidacies: Sequence[Candidacy], reflectors: Sequence[Reflector], pace_us: Callable[[], int]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Work that stands for every election once the caches are warm; ``pace_us`` draws each one's delay."""

    async def stand() -> None:
        for reflector in reflectors:
            await reflector.synced.wait()
        async with asyncio.TaskGroup() as group:
            for candidacy in candidacies:
                for elector in candidacy.electors:
                    group.create_task(_delayed(loop, pace_us(), elector))

    return stand


async def _delayed(loop: Loop, delay_us: int, elector: Elector) -> None:
    await loop.pause(delay_us)
    await elector.run()
