"""The process dies between two calls: before a request is sent, or after it was carried out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from controller.ports import Cluster, Resource
from sim.faults.interception import Intercepted
from sim.loop import Process

Moment = Literal["before", "after"]


class Crash(Intercepted):
    """Kills ``process`` at its ``at``-th call (counted from 1), before it is sent or after it was carried out.

    ``calls`` counts the calls of this client; ``on_crash`` hears of the death, so that someone can restart.
    """

    def __init__(
        self, cluster: Cluster, process: Process, *, at: int, moment: Moment, on_crash: Callable[[], None]
    ) -> None:
        super().__init__(cluster, self._pass)
        self.calls: list[tuple[str, str, str]] = []
        self._process = process
        self._at = at
        self._moment = moment
        self._on_crash = on_crash

    async def _pass(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls.append((verb, resource.plural, name))
        if len(self.calls) != self._at:
            return await call()
        if self._moment == "after":
            await call()
        self._process.kill()
        self._on_crash()
        return await asyncio.get_running_loop().create_future()  # never: the process is dead
