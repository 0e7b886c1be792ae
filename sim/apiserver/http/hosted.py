"""A served world on a thread of its own, for programs that are not asyncio: tests above all."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

import uvloop

from sim.apiserver.http.application import Application
from sim.apiserver.http.listener import Listener, bind
from sim.pump import Condition, Pump

T = TypeVar("T")
_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 600.0  # for what the thread does; nothing takes so long unless it is stuck


class Hosted:
    """Use as a context manager: plain HTTP on loopback at :attr:`url`, on any free port.

    An error of the world is raised when it is left. Nobody but the thread touches the world meanwhile: see
    :meth:`call`.
    """

    def __init__(self, application: Application, pump: Pump) -> None:
        self.url = ""
        self._application = application
        self._pump = pump
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._host, name="rehearse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_PATIENCE_S):
            raise TimeoutError("the server has not started")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            raise TimeoutError("the server has not stopped")
        error = self._failure or self._pump.broken
        if error is not None:
            raise error

    def call(self, act: Callable[..., T], *args: Any) -> T:
        """Do something to the world, as an event of its calendar; what it raises comes through."""

        async def acted() -> T:
            return self._pump.enter(act, *args)

        return self._wait(acted())

    def step(self, us: int, condition: Condition | None = None) -> bool:
        """See :meth:`sim.pump.Pump.step`; waits until the time has passed."""
        return self._wait(self._pump.step(us, condition))

    def set_speed(self, speed: float) -> None:
        async def changed() -> None:
            self._pump.set_speed(speed)

        self._wait(changed())

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE_S)

    def _host(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._run())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        listener = Listener(self._application, bind(_LOOPBACK, 0))
        await listener.start()
        self._pump.start()
        self.url = listener.url
        self._started.set()
        await self._stopping.wait()
        self._application.stop()
        await listener.stop()
        self._pump.stop()
