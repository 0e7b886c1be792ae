"""An asyncio event loop whose calendar is a simpy Environment, in integer microseconds.

The rules of this file:

* Every timer is one entry of simpy's calendar, and the loop alone turns that calendar: processes of ``env`` run
  only while the loop does. Handles made ready at one instant run, first in first out, after everything that the
  calendar holds for that instant, as in asyncio; what they put on the calendar for the same instant comes next.
* A cancelled timer leaves no trace: the clock does not even stop at its instant.
* Timers of one instant fire in the order they were set, or, with ``ties``, in an order drawn from that stream.
* A killed :class:`Process` never runs again: its handles are dropped, its coroutines are neither cancelled nor
  closed while the world goes on, so no ``finally`` of theirs runs. A crash is not a cancellation.
* Nothing here reads a wall clock. When the calendar is empty and someone still waits, that is a :class:`Stalled`.
"""

import asyncio
import contextlib
import contextvars
import random
from asyncio import Future
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from heapq import heappop, heappush
from operator import call as call_now
from typing import Any, TypeVar

from sim.calendar import FAR_US, NEVER_US, Calendar, Slot
from sim.task import Task
from sim.timer import Handle, Timer

__all__ = ["Calendar", "Loop", "Process", "Spinning", "Stalled", "Timer"]

T = TypeVar("T")

_new = object.__new__
_NORMAL = 1  # simpy's priority of a timeout
_SPIN_LIMIT = 5_000_000  # callbacks or events in one instant; beyond it someone spins without letting time pass
_FOREVER_US = 1 << 62
_NAMED_MAX = 40  # tasks in the explanation of a stall

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

    @staticmethod
    def current() -> "Process | None":
        """The process whose task runs now; None outside any."""
        return _process.get()

    def start(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Run ``coro`` as a task of this process; tasks that it creates belong to the process too.

        An error that ends it and that nobody awaits ends the run, whoever still holds the task.
        """
        context = contextvars.copy_context()
        context.run(_process.set, self)
        task = context.run(self.loop.create_task, coro, name=name or self.name)
        task.add_done_callback(self._ended, context=context)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.loop.call_soon(self._crashed, task)  # after those who await the task

    def _crashed(self, task: asyncio.Task[Any]) -> None:
        if task._log_traceback:
            error = task.exception()
            assert error is not None
            self.loop.errors.append(error)

    def kill(self) -> None:
        """Never resume any task of this process. May be called from inside the process itself."""
        if self.alive:
            self.alive = False
            self.loop.bury(self)


def _never() -> bool:
    return False


def _killed(context: contextvars.Context) -> bool:
    process = context.get(_process)
    return process is not None and not process.alive


class Loop(asyncio.AbstractEventLoop):
    """asyncio on virtual time. ``env`` is the simpy calendar that simulated processes may share.

    ``ties`` is a random stream that shuffles timers of the same instant; None keeps them first in first out.
    """

    def __init__(self, *, ties: random.Random | None = None) -> None:
        self.env = Calendar()
        self.now_us = 0
        """Virtual microseconds since the world began: the calendar's own, for everybody to read and nobody to set."""
        self.errors: list[BaseException] = []
        self._queue: list[Any] = self.env._queue
        self._order: Callable[[], int] = self.env._eid.__next__
        if ties is not None:
            first_in, bits = self._order, ties.getrandbits
            self._order = lambda: bits(24) << 64 | first_in()
        self._ready: deque[Any] = deque()  # of Handle, and of Timer when it is due
        self._dead: list[Process] = []
        self._created = 0  # tasks
        self._running = False
        self._stopping = False
        self._closed = False

    @property
    def events(self) -> int:
        """How many events have been put on the calendar so far."""
        return int(self.env._eid.__reduce__()[1][0])

    @property
    def next_us(self) -> float:
        """The instant of the next thing to do; infinite when there is none."""
        return self.now_us if self._ready else self.env.peek()

    def time(self) -> float:
        return self.now_us / 1_000_000

    def after(self, delay_us: int, *call: Any) -> Timer:
        """After ``delay_us`` virtual microseconds call a callable, given first, with the arguments that follow it.

        For models, not controllers: it runs outside any process, at its very instant, before the tasks of that
        instant. What it raises ends the run.
        """
        if delay_us < 0:
            raise ValueError(f"{delay_us} us is in the past")
        timer = _new(Timer)
        timer.at_us = at_us = self.now_us + delay_us
        timer.call = call
        timer.context = None
        entry = (at_us, _NORMAL, self._order(), timer)
        if delay_us < FAR_US:
            heappush(self._queue, entry)
        else:
            self.env.put_off(entry)
        return timer

    def post(self, delay_us: int, *call: Any) -> None:
        """As :meth:`after`, for what nobody will cancel: the call stands in the calendar itself."""
        if 0 <= delay_us < FAR_US:
            heappush(self._queue, (self.now_us + delay_us, _NORMAL, self._order(), call))
        else:
            self.after(delay_us, *call)

    def pause(self, delay_us: int) -> "Future[None]":
        """A future that completes after ``delay_us``: what models await, cheaper than ``asyncio.sleep``."""
        future: Future[None] = Future(loop=self)
        self.post(delay_us, _complete, future)
        return future

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        timer = self.after(round(delay * 1_000_000) if delay > 0 else 0, callback, *args)
        timer.context = copy_context() if context is None else context
        return timer

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        timer = self.after(max(round(when * 1_000_000) - self.now_us, 0), callback, *args)
        timer.context = copy_context() if context is None else context
        return timer

    def call_soon(self, *call: Any, context: contextvars.Context | None = None) -> Handle:  # type: ignore[override]
        handle = _new(Handle)
        handle.call = call
        handle.context = copy_context() if context is None else context
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def create_future(self) -> "Future[Any]":
        return Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        self._created += 1
        task = Task(coro, number=self._created, loop=self, name=name, context=context)
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

    def _turn(self, at_us: int, done: Callable[[], bool]) -> bool:  # noqa: PLR0912  # calls would be a tenth of it
        """Turn the calendar until ``done()`` holds (True), or nothing is left to do by ``at_us`` (False).

        A world that broke stays broken: its first error is raised here, and again by every later run.
        """
        env, queue, ready, errors, dead = self.env, self._queue, self._ready, self.errors, self._dead
        now_us, popleft = self.now_us, ready.popleft
        left = _SPIN_LIMIT  # events and callbacks, until time has to move
        try:
            while not errors:
                if done():
                    return True
                head_us = queue[0][0] if queue else NEVER_US
                if ready and head_us != now_us:
                    while ready:
                        handle = popleft()
                        call = handle.call
                        if call is not None and not (dead and _killed(handle.context)):
                            handle.context.run(*call)
                        if not (left := left - 1):
                            raise Spinning(f"{_SPIN_LIMIT} callbacks at {self.time():.6f} s; last {handle!r}")
                    continue
                if head_us > at_us:
                    return False
                event = heappop(queue)[3]
                kind = event.__class__
                if kind is Timer:
                    if event.call is None:
                        continue
                elif kind is Slot:
                    env.bring_near(head_us)
                    continue
                if head_us != now_us:
                    self.now_us = env._now = now_us = head_us
                    left = _SPIN_LIMIT
                elif not (left := left - 1):
                    raise Spinning(f"{_SPIN_LIMIT} events at {self.time():.6f} s; last {event!r}")
                if kind is tuple:
                    call_now(*event)
                elif kind is not Timer:
                    _process_event(event)
                elif event.context is None:
                    call_now(*event.call)
                else:
                    ready.append(event)
        except Exception as error:
            errors.append(error)
        raise errors[0]

    def run_until(self, at_us: int, *, until: Callable[[], bool] | None = None) -> bool:
        """Let the world run until ``at_us`` (inclusive) or until ``until()`` holds after some event.

        Returns whether ``until`` held; the clock stands at ``at_us`` when it did not.
        Raises the first error that a callback of the world let escape.
        """
        with _Entered(self):
            held = self._turn(at_us, until or _never)
            if not held and self.now_us < at_us:
                self.now_us = self.env._now = at_us
            return held

    def run_until_complete(self, future: Any) -> Any:
        with _Entered(self):
            waited = asyncio.ensure_future(future, loop=self)
            if not self._turn(_FOREVER_US, waited.done):
                raise Stalled(self.explain_stall())
            return waited.result()

    def run_forever(self) -> None:
        self._stopping = False
        with _Entered(self):
            if not self._turn(_FOREVER_US, lambda: self._stopping):
                raise Stalled(self.explain_stall())

    def stop(self) -> None:
        self._stopping = True

    def explain_stall(self) -> str:
        """Name the tasks that wait, and where in their own code they do; at most forty of them."""
        dead = [task for process in self._dead for task in process.tasks]
        waiting = [task for task in self._tasks() if task not in dead]
        lines = [f"nothing is scheduled at {self.time():.6f} s, and these tasks wait:"]
        for task in waiting[:_NAMED_MAX]:
            frames = task.get_stack(limit=1)
            place = (
                f"{frames[0].f_code.co_filename}:{frames[0].f_lineno} in {frames[0].f_code.co_name}" if frames else "?"
            )
            lines.append(f"  {task.get_name()} waits at {place}")
        if len(waiting) > _NAMED_MAX:
            lines.append(f"  and {len(waiting) - _NAMED_MAX} more")
        return "\n".join(lines)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        """All unfinished tasks in the order of their creation."""
        return sorted(asyncio.all_tasks(self), key=hash)

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End the world: only now may the coroutines of killed processes unwind, with nothing left to disturb."""
        if self._closed:
            return
        self._closed = True
        tasks = self._tasks()  # before the ready queue is cleared, which may hold the only reference to one
        self._ready.clear()
        self.env.clear()
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            # It may await in a finally block, or fail there: the world is over either way.
            with contextlib.suppress(Exception):
                task.get_coro().close()
        self._ready.clear()
        self.env.clear()
        self._dead.clear()

    async def shutdown_asyncgens(self) -> None:
        return None

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        return None

    get_debug = staticmethod(bool)  # False; every new future asks, so without a frame

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


def _process_event(event: Any) -> None:
    """What simpy does with an event of its own; a failure nobody defused ends the run, as itself and not as a copy."""
    callbacks, event.callbacks = event.callbacks, None
    for callback in callbacks:
        callback(event)
    if not event._ok and not hasattr(event, "_defused"):
        raise event._value


def _complete(future: "Future[None]") -> None:
    if not future.done():
        future.set_result(None)
