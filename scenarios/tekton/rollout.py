"""Restarts of Tekton's resolvers that meet bundle requests while they wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from scenarios.target import Target

RESOLVING = "ResolvingPipelineRef"
_JUDGED_S = 10.0  # by then the new process has looked at every request it found


class Resolvers(Protocol):
    """Tekton's resolvers, one process."""

    async def stop_resolvers(self) -> None: ...

    async def start_resolvers(self) -> None: ...


class _Restart:
    """One of them: closed to more targets as soon as the requests of all that came wait."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.waiting = 0
        self.down = asyncio.Event()
        self.closed = asyncio.Event()
        self.over = asyncio.Event()


class Rollout:
    """As many restarts as it takes to meet every target's request.

    Tekton makes ten bundle requests a second and gives each of them a minute, so no single restart can meet a thousand.
    """

    def __init__(self, resolvers: Resolvers, *, most: int = 100) -> None:
        self._resolvers = resolvers
        self._most = most
        self._now: _Restart | None = None
        self._task: asyncio.Task[None] | None = None

    async def meet(self, target: Target, request: Callable[[], Awaitable[None]]) -> None:
        """Have the target's bundle requested while the resolvers are down; return after they are back."""
        restart = await self._join()
        restart.targets.append(target)
        await restart.down.wait()
        await request()
        await target.until(lambda: target.lock.reason == RESOLVING, "a bundle request")
        restart.waiting += 1
        if restart.waiting == len(restart.targets):
            restart.closed.set()
        await restart.over.wait()

    async def _join(self) -> _Restart:
        while True:
            restart = self._now
            if restart is None:
                self._now = restart = _Restart()
                self._task = asyncio.create_task(self._go(restart), name="rollout of the resolvers")
            if len(restart.targets) < self._most and not restart.closed.is_set():
                return restart
            await restart.over.wait()

    async def _go(self, restart: _Restart) -> None:
        await self._resolvers.stop_resolvers()
        restart.down.set()
        await restart.closed.wait()
        for target in restart.targets:
            target.struck("Tekton's resolvers restart")
        await self._resolvers.start_resolvers()
        await asyncio.sleep(_JUDGED_S)
        self._now = None
        restart.over.set()
