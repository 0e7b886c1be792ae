"""An asyncio event loop whose calendar is a simpy Environment, in integer microseconds.

The rules of this file:

* Every timer is one simpy event. Handles made ready at one instant are drained, first in first out, by one
  simpy event of that instant which sorts after all timers of the instant, as asyncio sorts them.
* Timers of one instant fire in the order they were set, or, with ``ties``, in an order drawn from that stream.
* A killed :class:`Process` never runs again: its handles are dropped, its coroutines are neither cancelled nor
  closed while the world goes on, so no ``finally`` of theirs runs. A crash is not a cancellation.
* Nothing here reads a wall clock. When the calendar is empty and someone still waits, that is a :class:`Stalled`.
"""

import asyncio
import contextvars
import random
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from heapq import heappush
from typing import Any, TypeVar

import simpy

T = TypeVar("T")

_LAST = 2  # simpy sorts URGENT=0 and NORMAL=1 before it: a drain comes after the timers of its instant
_SPIN_LIMIT = 5_000_000  # handles in one instant; beyond it a controller spins without letting time pass

_process: contextvars.ContextVar["Process | None"] = contextvars.ContextVar("process", default=None)


class Stalled(Exception):
    """Someone waits for what can never happen: nothing is scheduled. Names the waiting tasks."""


class Spinning(Exception):
    """Callbacks keep each other busy within one instant; time cannot pass."""


class Process:
    """Everything that one simulated operating-system process started, so that it can be killed as one."""

    def __init__(self, loop: "Loop", name: str) -> None:
        self.loop = loop
        self.name = name
        self.alive = True
        self.tasks: set[asyncio.Task[Any]] = set()

    def start(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Run ``coro`` as a task of this process; tasks that it creates belong to the process too."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return context.run(self.loop.create_task, coro, name=name or self.name)

    def kill(self) -> None:
        """Never resume any task of this process. May be called from inside the process itself."""
        if self.alive:
            self.alive = False
            self.loop.bury(self)


class Handle(asyncio.Handle):
    """A callback in the ready queue."""

    __slots__ = ()

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context) -> None:
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def __repr__(self) -> str:
        return f"<Handle {self._callback!r}{' cancelled' if self._cancelled else ''}>"

    def cancel(self) -> None:
        self._cancelled = True


class Timer(asyncio.TimerHandle):
    """A callback at an instant: asyncio's handle and simpy's event in one object."""

    __slots__ = ("_ok", "at_us", "callbacks")

    def __init__(  # not calling up: asyncio's own constructor would cost more than the whole timer
        self,
        at_us: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
        fire: Callable[["Timer"], None],
    ) -> None:
        self.at_us = at_us
        self._callback = callback
        self._args = args
        self._context = context  # type: ignore[assignment]
        self._cancelled = False
        self.callbacks: list[Callable[[Timer], None]] | None = [fire]
        self._ok = True

    def __repr__(self) -> str:
        return f"<Timer at {self.at_us} us {self._callback!r}>"

    def when(self) -> float:
        return self.at_us / 1_000_000

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = _nothing
        self._args = ()


def _nothing() -> None:
    return None


class Loop(asyncio.AbstractEventLoop):
    """asyncio on virtual time. ``env`` is the simpy calendar that simulated processes may share.

    ``ties`` is a random stream that shuffles timers of the same instant; None keeps them first in first out.
    """

    def __init__(self, *, ties: random.Random | None = None) -> None:
        self.env = simpy.Environment(initial_time=0)
        self.errors: list[BaseException] = []
        self._queue: list[Any] = self.env._queue
        self._ties = ties
        self._next = self.env._eid.__next__
        self._ready: deque[Handle] = deque()
        self._drain_armed = False
        self._firing = False
        self._dead: list[Process] = []
        self._running = False
        self._stopping = False
        self._closed = False
        self._fire_timer = self._fire

    # --- time -------------------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """Virtual microseconds since the world began."""
        return self.env._now  # type: ignore[no-any-return]

    def time(self) -> float:
        return self.env._now / 1_000_000  # type: ignore[no-any-return]

    def after(self, delay_us: int, callback: Callable[..., Any], *args: Any) -> Timer:
        """Call ``callback`` after ``delay_us`` virtual microseconds, outside any process: for models, not controllers."""
        return self._schedule(self.env._now + delay_us, callback, args, None)

    def pause(self, delay_us: int) -> "asyncio.Future[None]":
        """A future that completes after ``delay_us``: what models await, cheaper than ``asyncio.sleep``."""
        future: asyncio.Future[None] = asyncio.Future(loop=self)
        self._schedule(self.env._now + delay_us, _complete, (future,), None)
        return future

    def _schedule(
        self, at_us: int, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context | None
    ) -> Timer:
        timer = Timer(at_us, callback, args, context, self._fire_timer)
        order = self._next()
        if self._ties is not None:
            order += self._ties.getrandbits(24) << 64
        heappush(self._queue, (at_us, 1, order, timer))
        return timer

    def _fire(self, timer: Timer) -> None:
        if timer._cancelled:
            return
        if timer._context is not None:
            self._ready.append(timer)  # type: ignore[arg-type]
        else:
            self._firing = True
            try:
                timer._callback(*timer._args)
            finally:
                self._firing = False
        if self._ready and not self._drain_armed:
            queue = self._queue
            if queue and queue[0][0] == self.env._now:
                self._arm_drain()
            else:
                self._drain(None)

    # --- the ready queue --------------------------------------------------------------------------------------

    def _arm_drain(self) -> None:
        self._drain_armed = True
        event = simpy.Event(self.env)
        event._ok = True
        event._value = None
        event.callbacks.append(self._drain)
        heappush(self._queue, (self.env._now, _LAST, self._next(), event))

    def _drain(self, _event: Any) -> None:
        ready = self._ready
        dead = self._dead
        self._drain_armed = True  # call_soon from inside only appends
        try:
            for _ in range(_SPIN_LIMIT):
                if not ready:
                    return
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                context = handle._context
                if dead:
                    process = context.get(_process)
                    if process is not None and not process.alive:
                        continue
                try:
                    context.run(handle._callback, *handle._args)  # type: ignore[arg-type]
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self.errors.append(error)
                    raise
            raise Spinning(f"more than {_SPIN_LIMIT} callbacks at {self.time():.6f} s; last {handle!r}")
        finally:
            self._drain_armed = False

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> Handle:
        handle = Handle(callback, args, context if context is not None else contextvars.copy_context())
        self._ready.append(handle)
        if not self._drain_armed and not self._firing:
            self._arm_drain()
        return handle

    call_soon_threadsafe = call_soon

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        delay_us = round(delay * 1_000_000)
        at_us = self.env._now + (delay_us if delay_us > 0 else 0)
        return self._schedule(at_us, callback, args, context if context is not None else contextvars.copy_context())

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        at_us = max(round(when * 1_000_000), self.env._now)
        return self._schedule(at_us, callback, args, context if context is not None else contextvars.copy_context())

    # --- futures and tasks ------------------------------------------------------------------------------------

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name, context=context)
        process = _process.get()
        if process is not None:
            process.tasks.add(task)
            task.add_done_callback(process.tasks.discard)
        return task

    def process(self, name: str) -> Process:
        """A new simulated operating-system process."""
        return Process(self, name)

    def bury(self, process: Process) -> None:
        """Keep the killed process's tasks referenced, so that the collector cannot run their ``finally`` blocks."""
        self._dead.append(process)
        for task in process.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    # --- running ----------------------------------------------------------------------------------------------

    def run_until(self, at_us: int, *, until: Callable[[], bool] | None = None) -> bool:
        """Let the world run until ``at_us`` (inclusive) or until ``until()`` holds after some event.

        Returns whether ``until`` held; the clock stands at ``at_us`` when it did not.
        Raises the first error that a callback of the world let escape.
        """
        env, queue, step = self.env, self._queue, self.env.step
        with self._entered():
            if until is not None and until():
                return True
            while queue and queue[0][0] <= at_us:
                step()
                if until is not None and until():
                    return True
                if self.errors:
                    raise self.errors[0]
            if env._now < at_us:
                env._now = at_us
        return False

    def run_until_complete(self, future: Any) -> Any:
        step, queue = self.env.step, self._queue
        with self._entered():
            waited = asyncio.ensure_future(future, loop=self)
            while not waited.done():
                if not queue:
                    raise Stalled(self.explain_stall())
                step()
                if self.errors:
                    raise self.errors[0]
            return waited.result()

    def run_forever(self) -> None:
        step, queue = self.env.step, self._queue
        self._stopping = False
        with self._entered():
            while not self._stopping:
                if not queue:
                    raise Stalled(self.explain_stall())
                step()
                if self.errors:
                    raise self.errors[0]

    def stop(self) -> None:
        self._stopping = True

    def _entered(self) -> "_Entered":
        return _Entered(self)

    def explain_stall(self) -> str:
        """Name every task that waits, and where in its own code it does."""
        lines = [f"nothing is scheduled at {self.time():.6f} s, and these tasks wait:"]
        for task in sorted(asyncio.all_tasks(self), key=lambda task: task.get_name()):
            process = next((p for p in self._dead if task in p.tasks), None)
            if process is not None:
                continue
            frames = task.get_stack(limit=1)
            place = (
                f"{frames[0].f_code.co_filename}:{frames[0].f_lineno} in {frames[0].f_code.co_name}" if frames else "?"
            )
            lines.append(f"  {task.get_name()} waits at {place}")
        return "\n".join(lines)

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End the world: only now may the coroutines of killed processes unwind, with nothing left to disturb."""
        if self._closed:
            return
        self._closed = True
        self._ready.clear()
        self._queue.clear()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            try:
                task.get_coro().close()  # type: ignore[union-attr]
            except RuntimeError:
                continue  # it awaited in a finally block, or is still running: the world is over either way
        self._ready.clear()
        self._queue.clear()
        self._dead.clear()

    async def shutdown_asyncgens(self) -> None:
        return None

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # type: ignore[override]
        return None

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        if enabled:
            raise NotImplementedError("the virtual loop has no debug mode")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error nobody awaited ends the run: a rehearsal must not lose a crash."""
        error = context.get("exception")
        if not self._closed:
            self.errors.append(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))


class _Entered:
    """Makes the loop the running one for a stretch; refuses to run inside itself."""

    __slots__ = ("_loop", "_outer")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        if self._loop._closed or self._loop._running:
            raise RuntimeError("this loop is closed" if self._loop._closed else "this loop is already running")
        self._outer = asyncio._get_running_loop()
        asyncio._set_running_loop(self._loop)
        self._loop._running = True

    def __exit__(self, *_: object) -> None:
        self._loop._running = False
        asyncio._set_running_loop(self._outer)


def _complete(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
