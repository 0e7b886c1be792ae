"""Couples a world's calendar to the time of the asyncio loop that turns it.

The simulated loop stays one step of the outer loop: :class:`Pump` lets the world run up to the instant that the outer
loop's time is mapped to, for a few milliseconds at most, and hands control back. Whatever comes from outside enters
through :meth:`Pump.enter`, as an event of the calendar at the mapped instant. The outer loop's own time is the only
clock that is read here; a world that nobody pumps never learns of it.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeVar

from sim.loop import Loop

T = TypeVar("T")
Condition = Callable[[], bool]

PAUSED = 0.0
FASTEST = math.inf
_SLICE_S = 0.004  # of the outer loop's time, before others have their turn
_STRIDE_US = 1_000_000  # the first guess of how much virtual time fits into a slice
_STRIDE_MAX_US = 3_600_000_000
_BEHIND_MAX_S = 1.0  # what a world that cannot keep up may owe; the rest is forgiven
_REST_MAX_S = 3600.0


class Broken(Exception):
    """The world has ended with an error; nothing enters it any more."""


class Stretch:
    """A stretch of virtual time that somebody asked for: until an instant, or until a condition holds."""

    __slots__ = ("condition", "done", "end_us")

    def __init__(self, end_us: int, condition: Condition | None, done: "asyncio.Future[bool]") -> None:
        self.end_us = end_us
        self.condition = condition
        self.done = done


class Pump:
    """``speed`` is virtual seconds per second of the outer loop; :data:`PAUSED` and :data:`FASTEST` are its ends.

    Time stops for good at ``end_us``, or as soon as ``end_when`` holds. An error of the world ends the pumping and is
    kept in :attr:`broken`. :attr:`ended` is done in all three cases.
    """

    def __init__(
        self, loop: Loop, *, speed: float = 1.0, end_us: int | None = None, end_when: Condition | None = None
    ) -> None:
        self.loop = loop
        self.broken: BaseException | None = None
        self.ended: asyncio.Future[None] | None = None
        self._end_us = end_us
        self._end_when = end_when
        self._speed = speed
        self._resumed_speed = speed or 1.0
        self._stretch: Stretch | None = None
        self._stride_us = _STRIDE_US
        self._anchor_us = loop.now_us
        self._anchor_s = 0.0
        self._outer: asyncio.AbstractEventLoop | None = None
        self._time: Callable[[], float] = lambda: 0.0
        self._timer: asyncio.Handle | None = None
        self._wake_us = 0.0
        """When the world is turned next, in its own time; what is due sooner changes that."""

    @property
    def speed(self) -> float:
        """The speed that counts now; a stretch runs as fast as it can."""
        return self._speed if self._stretch is None else FASTEST

    @property
    def paused(self) -> bool:
        return self._speed == PAUSED and self._stretch is None

    @property
    def started(self) -> bool:
        return self.ended is not None

    def start(self) -> None:
        """Begin to pump from the running asyncio loop."""
        self._outer = asyncio.get_running_loop()
        self._time = self._outer.time
        self.ended = self._outer.create_future()
        self._anchor()
        self._turn()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._outer = None

    def set_speed(self, speed: float) -> None:
        """Raises ValueError for a negative speed or none at all."""
        if not speed >= 0:
            raise ValueError(f"a speed of {speed}")
        self._reach()
        self._speed = speed
        if speed:
            self._resumed_speed = speed
        self._anchor()
        self._turn()

    def pause(self) -> None:
        """Time stands still; whoever waited for a stretch of it is told that it was broken off."""
        self._break_off()
        self.set_speed(PAUSED)

    def resume(self) -> None:
        """Go on with the speed there was before the pause."""
        self.set_speed(self._resumed_speed)

    async def step(self, us: int, condition: Condition | None = None) -> bool:
        """Let ``us`` pass as fast as they can, or less when ``condition`` holds sooner; then time stands still.

        Answers whether the condition held (without one: whether the whole stretch has passed).
        """
        assert self._outer is not None
        self._reach()
        self._break_off()
        self._speed = PAUSED
        stretch = Stretch(self.loop.now_us + us, condition, self._outer.create_future())
        self._stretch = stretch
        self._turn()
        return await stretch.done

    def enter(self, act: Callable[..., T], *args: Any) -> T:
        """Do something from outside to the world, at the instant it has by now; what it raises comes through."""
        if self.broken is not None:
            raise Broken(str(self.broken))
        if 0 < self._speed < FASTEST and self._stretch is None:
            self._reach()
        try:
            return enter(self.loop, act, *args)
        finally:
            if self.loop.errors:
                self._break(self.loop.errors[0])
            elif self.loop.next_us < self._wake_us:
                self._rest()

    def _break_off(self) -> None:
        stretch, self._stretch = self._stretch, None
        if stretch is not None and not stretch.done.done():
            stretch.done.set_result(False)

    def _anchor(self) -> None:
        self._anchor_us, self._anchor_s = self.loop.now_us, self._time()

    def _target_us(self) -> int:
        if self._stretch is not None:
            return self._bounded(self._stretch.end_us)
        if self._speed == FASTEST:
            return self._bounded(self.loop.now_us + self._stride_us)
        return self._bounded(self._anchor_us + round((self._time() - self._anchor_s) * self._speed * 1_000_000))

    def _bounded(self, at_us: int) -> int:
        return at_us if self._end_us is None else min(at_us, self._end_us)

    def _reach(self) -> bool:
        """Run up to the mapped instant, for one slice at most; whether it was reached."""
        if self.over or self.paused:
            return True
        loop, began_s = self.loop, self._time()
        target_us = self._target_us()
        try:
            while loop.now_us < target_us:
                before_s = self._time()
                held = loop.run_until(min(target_us, loop.now_us + self._stride_us), until=self._until())
                after_s = self._time()
                self._adapt(after_s - before_s)
                if held:
                    break
                if after_s - began_s > _SLICE_S:
                    break
        except Exception as error:
            self._break(error)
            return True
        self._look()
        if loop.now_us < target_us:
            self._forgive()
            return False
        return True

    def _until(self) -> Condition | None:
        wanted = None if self._stretch is None else self._stretch.condition
        end = self._end_when
        if wanted is None or end is None:
            return wanted or end
        return lambda: wanted() or end()

    def _look(self) -> None:
        """Whether a stretch, or everything, has come to its end."""
        stretch, now_us = self._stretch, self.loop.now_us
        if stretch is not None:
            held = stretch.condition is not None and stretch.condition()
            if held or now_us >= stretch.end_us:
                self._finish(held or stretch.condition is None)
        if (self._end_us is not None and now_us >= self._end_us) or (self._end_when is not None and self._end_when()):
            self._end()

    def _adapt(self, took_s: float) -> None:
        if took_s > _SLICE_S:
            self._stride_us = max(self._stride_us // 2, 1_000)
        elif took_s < _SLICE_S / 4:
            self._stride_us = min(self._stride_us * 2, _STRIDE_MAX_US)

    def _forgive(self) -> None:
        """A world that cannot keep up goes as fast as it can, and makes up for a moment only."""
        if self._stretch is None and 0 < self._speed < FASTEST:
            owed_s = (self._target_us() - self.loop.now_us) / self._speed / 1_000_000
            if owed_s > _BEHIND_MAX_S:
                self._anchor()

    def _finish(self, held: bool) -> None:
        stretch, self._stretch = self._stretch, None
        assert stretch is not None
        if not stretch.done.done():
            stretch.done.set_result(held)
        self._anchor()

    @property
    def over(self) -> bool:
        return self.broken is not None or (self.ended is not None and self.ended.done())

    def _break(self, error: BaseException) -> None:
        self.broken = error
        self._end()

    def _end(self) -> None:
        self._speed = PAUSED
        self._break_off()
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(None)

    def _turn(self) -> None:
        reached = self._reach()
        if self._outer is None or self.over:
            return
        if not reached or self._stretch is not None or self._speed == FASTEST:
            self._again(0.0)
        else:
            self._rest()

    def _rest(self) -> None:
        """Come back when the next event of the calendar is due."""
        if self._speed == PAUSED or self._stretch is not None:
            self._wake_us = 0.0
            return
        next_us = self.loop.next_us
        if self._end_us is not None:
            next_us = min(next_us, self._end_us)
        self._wake_us = next_us
        if math.isinf(next_us):
            return
        if self._speed == FASTEST:
            self._again(0.0)
            return
        due_s = self._anchor_s + (next_us - self._anchor_us) / self._speed / 1_000_000
        self._again(min(max(due_s - self._time(), 0.0), _REST_MAX_S))

    def _again(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._outer is not None:
            self._timer = self._outer.call_later(delay_s, self._turn)


def enter(loop: Loop, act: Callable[..., T], *args: Any) -> T:
    """Call ``act`` as the last event of the present instant, and let what follows from it at once happen, too.

    Raises what ``act`` raises; what the world lets escape stands in ``loop.errors``, and is raised where there is no
    answer.
    """
    answer: list[T] = []
    failure: list[Exception] = []

    def acted() -> None:
        try:
            answer.append(act(*args))
        except Exception as error:
            failure.append(error)

    loop.run_until(loop.now_us)  # a condition may have stopped the world in the middle of this instant
    loop.post(0, acted)
    try:
        loop.run_until(loop.now_us)
    except Exception:
        if not answer and not failure:
            raise
    if failure:
        raise failure[0]
    return answer[0]
