"""simpy's calendar in two parts: a heap of what comes soon, and unsorted slots of time for what lies further off.

Most timers that are set for later never fire (limits, polls, retries), and a heap that carries them along costs every
near event a dozen comparisons of tuples that are in no cache. A slot is sorted in when its time comes, without its
cancelled timers.
"""

from heapq import heappop, heappush
from typing import Any

import simpy

from sim.timer import Timer

Entry = tuple[int, int, int, Timer]
"""As in simpy's heap: (microseconds, priority, order, event)."""

NEVER_US = 1 << 63
_SHIFT = 22  # a slot is 2**22 microseconds, about four seconds
_SWEEP_FROM = 4096  # entries


class Calendar(simpy.Environment):
    """simpy's environment in whole microseconds: a process of it waits with ``env.timeout(microseconds)``.

    An entry before ``near_us`` belongs into the heap, any other to :meth:`put_off`. Nothing that was put off is due
    before ``far_us``. Now is always before ``near_us``.
    """

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.near_us = 1 << _SHIFT
        self.far_us = NEVER_US
        self._slots: dict[int, list[Entry]] = {}
        self._numbers: list[int] = []  # of the slots, a heap
        self._put_off = 0
        self._sweep_at = _SWEEP_FROM

    def put_off(self, entry: Entry) -> None:
        number = entry[0] >> _SHIFT
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [entry]
            heappush(self._numbers, number)
            self.far_us = self._numbers[0] << _SHIFT
        else:
            slot.append(entry)
        self._put_off += 1
        if self._put_off > self._sweep_at:
            self._sweep()

    def bring_near(self) -> None:
        """Sort the first slot into the heap."""
        number = heappop(self._numbers)
        slot = self._slots.pop(number)
        self._put_off -= len(slot)
        queue: list[Any] = self._queue
        for entry in slot:
            if entry[3].callback is not None:
                heappush(queue, entry)
        self.near_us = (number + 1) << _SHIFT
        self.far_us = self._numbers[0] << _SHIFT if self._numbers else NEVER_US

    def moved_to(self, now_us: int) -> None:
        """Time has come to ``now_us``, beyond ``near_us``; every slot that has begun by then was brought near."""
        self.near_us = ((now_us >> _SHIFT) + 1) << _SHIFT

    def peek(self) -> float:
        """The instant of the next event, cancelled ones in the heap included; infinite when there is none."""
        while self._numbers and super().peek() >= self.far_us:
            self.bring_near()
        return super().peek()

    def clear(self) -> None:
        self._queue.clear()
        self._slots.clear()
        self._numbers.clear()
        self.far_us = NEVER_US

    def step(self) -> None:
        raise RuntimeError("only the loop turns the calendar: call run_until() of the loop")

    def _sweep(self) -> None:
        """Let cancelled timers go, so that they are never more than the others."""
        for number, slot in self._slots.items():
            self._slots[number] = [entry for entry in slot if entry[3].callback is not None]
        self._put_off = sum(map(len, self._slots.values()))
        self._sweep_at = max(2 * self._put_off, _SWEEP_FROM)
