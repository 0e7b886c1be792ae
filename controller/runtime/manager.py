"""One controller process: its reflectors, its controllers, its background work, started and stopped in order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from controller.runtime.controller import Controller
from controller.runtime.reflector import Reflector


class Manager:
    """Runs background work (an event recorder, say) and reflectors first, and controllers once every cache has synced.

    The gap between the two is where an election belongs: caches may be warm before one leads.
    """

    def __init__(
        self,
        reflectors: Sequence[Reflector],
        controllers: Sequence[Controller[Any]],
        *,
        background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
        stop_timeout_s: float = 30.0,
    ) -> None:
        self._reflectors = reflectors
        self._controllers = controllers
        self._background = background
        self._stop_timeout_s = stop_timeout_s
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: list[asyncio.Task[None]] = []

    @property
    def synced(self) -> bool:
        """Whether every cache has its first list: what readiness means."""
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    def stop(self) -> None:
        """End :meth:`run` gracefully; returns at once."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until :meth:`stop`, then let the reconciles under way finish, for ``stop_timeout_s`` at most.

        Raises what ended a reflector, a worker or background work, for they never end by themselves; then, and when
        this is cancelled, everything is cancelled at once.
        """
        try:
            await self._run()
        except (Exception, asyncio.CancelledError):  # anything but the end of the interpreter, when nothing can wait
            await self._cancel_all()
            raise
        await self._cancel_all()

    async def _run(self) -> None:
        self._tasks += [
            asyncio.create_task(work(), name=f"background {number}") for number, work in enumerate(self._background)
        ]
        self._tasks += [
            asyncio.create_task(reflector.run(), name=f"reflector of {reflector.resource.group_resource}")
            for reflector in self._reflectors
        ]
        await self._unless_stopped(self._all_synced(), "sync")
        self._start_controllers()
        await self._unless_stopped(asyncio.Event().wait(), "run")
        await self._finish_reconciles()

    async def _all_synced(self) -> None:
        for reflector in self._reflectors:
            await reflector.synced.wait()

    def _start_controllers(self) -> None:
        self._workers += [
            asyncio.create_task(controller.work(), name=f"{controller.name} worker {number}")
            for controller in self._controllers
            for number in range(controller.workers)
        ]

    async def _unless_stopped(self, coro: Coroutine[Any, Any, Any], name: str) -> None:
        """Wait for ``coro`` or for :meth:`stop`, and watch over all that runs meanwhile."""
        waited = asyncio.create_task(coro, name=name)
        stopped = asyncio.create_task(self._stopping.wait(), name="stop")
        try:
            done, _ = await asyncio.wait(
                (waited, stopped, *self._tasks, *self._workers), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waited.cancel()
            stopped.cancel()
        for task in (*self._tasks, *self._workers):
            if task in done:
                task.result()
                raise RuntimeError(f"{task.get_name()} ended by itself")

    async def _finish_reconciles(self) -> None:
        for controller in self._controllers:
            controller.queue.shut_down()
        if self._workers:
            await asyncio.wait(self._workers, timeout=self._stop_timeout_s)

    async def _cancel_all(self) -> None:
        tasks = [*self._workers, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
