"""simpy's calendar in two parts: a heap of what comes soon, and unsorted slots of time for what lies further off.

Most timers that are set for later never fire (limits, polls, retries), and a heap that carries them along costs every
near event a dozen comparisons of tuples that are in no cache. A slot stands in the heap at the instant where it
begins; it is sorted in when its turn comes, without its cancelled timers.
"""

from heapq import heappop, heappush
from typing import Any

import simpy

from sim.timer import Timer

NEVER_US = 1 << 63
_SHIFT = 22
FAR_US = 1 << _SHIFT  # the length of a slot, about four seconds; a slot for what is further off has not begun yet
_BEFORE_ALL = -1  # simpy's priorities begin with 0
_SWEEP_FROM = 4096  # entries

Entry = tuple[int, int, int, Timer]
"""As in simpy's heap: (microseconds, priority, order, event)."""


class Slot(list[Entry]):
    """What falls into one slot of time."""


class Calendar(simpy.Environment):
    """simpy's environment in whole microseconds: a process of it waits with ``env.timeout(microseconds)``."""

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self._slots: dict[int, Slot] = {}  # by number; each stands in the heap too
        self._put_off = 0
        self._sweep_at = _SWEEP_FROM

    def put_off(self, entry: Entry) -> None:
        """Keep an entry that is due in ``FAR_US`` or later."""
        number = entry[0] >> _SHIFT
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = Slot()
            queue: list[Any] = self._queue
            heappush(queue, (number << _SHIFT, _BEFORE_ALL, 0, slot))
        slot.append(entry)
        self._put_off += 1
        if self._put_off > self._sweep_at:
            self._sweep()

    def bring_near(self, begin_us: int) -> None:
        """Sort the slot that begins then, and was taken from the heap, into the heap."""
        slot = self._slots.pop(begin_us >> _SHIFT)
        self._put_off -= len(slot)
        queue: list[Any] = self._queue
        for entry in slot:
            if entry[3].call is not None:
                heappush(queue, entry)

    def peek(self) -> float:
        """The instant of the next event, cancelled ones in the heap included; infinite when there is none."""
        queue: list[Any] = self._queue
        while queue and queue[0][3].__class__ is Slot:
            self.bring_near(heappop(queue)[0])
        return super().peek()

    def clear(self) -> None:
        self._queue.clear()
        self._slots.clear()

    def step(self) -> None:
        raise RuntimeError("only the loop turns the calendar: call run_until() of the loop")

    def _sweep(self) -> None:
        """Let cancelled timers go, so that they are never more than the others."""
        for slot in self._slots.values():
            slot[:] = [entry for entry in slot if entry[3].call is not None]
        self._put_off = sum(map(len, self._slots.values()))
        self._sweep_at = max(2 * self._put_off, _SWEEP_FROM)
