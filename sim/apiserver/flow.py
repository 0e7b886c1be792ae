"""API priority and fairness: how many requests a priority level carries at once, who waits, who gets a 429.

Modelled: seats per level, fair turns between the flows (users) of a level, bounded queues, bounded waiting.
Approximated: one queue per flow where the real server shuffle-shards flows over 64 to 128 queues; every request
takes one seat, lists too; idle levels lend no seats.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controller.ports import ApiError
from sim.apiserver.identity import User
from sim.loop import Loop

_EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class LevelSpec:
    """One priority level. ``seats`` are requests in flight, ``queue_length`` is per flow, 0 refuses at once."""

    name: str
    seats: int
    queue_length: int
    patience_us: int = 15_000_000
    """The longest wait in a queue: a quarter of the server's --request-timeout of 60 s."""


def suggested_levels(seats: int = 600) -> tuple[LevelSpec, ...]:
    """The levels a cluster starts with. ``seats`` is --max-requests-inflight 400 + --max-mutating-requests-inflight
    200, divided by the suggested configuration's shares."""
    shares = {
        "node-high": 40,
        "system": 30,
        "leader-election": 10,
        "workload-high": 40,
        "workload-low": 100,
        "global-default": 20,
        "catch-all": 5,
    }
    total = sum(shares.values())
    return tuple(
        LevelSpec(name, -(-seats * share // total), 0 if name == "catch-all" else 50) for name, share in shares.items()
    )


def suggested_level(user: User) -> str:
    """The level of a user under the suggested flow schemas (without the one for Leases, which needs the resource)."""
    groups = user.groups
    if "system:masters" in groups:
        return _EXEMPT
    if "system:nodes" in groups:
        return "system"
    if user.name in ("system:kube-controller-manager", "system:kube-scheduler"):
        return "workload-high"
    if "system:serviceaccounts:kube-system" in groups:
        return "workload-high"
    if "system:serviceaccounts" in groups:
        return "workload-low"
    return "global-default" if "system:authenticated" in groups else "catch-all"


def too_many_requests() -> ApiError:
    """429 with ``Retry-After: 1``."""
    text = "Too many requests, please try again later."
    return ApiError(429, "TooManyRequests", text, {"retryAfterSeconds": 1}, retry_after_s=1.0)


@dataclass(slots=True)
class _Waiting:
    future: "asyncio.Future[ApiError | None]"
    hold_us: int


class _Level:
    def __init__(self, loop: Loop, spec: LevelSpec) -> None:
        self.spec = spec
        self.in_flight = 0
        self.rejected = 0
        self._loop = loop
        self._flows: dict[str, deque[_Waiting]] = {}

    def enter(self, flow: str, hold_us: int) -> "asyncio.Future[ApiError | None] | None":
        if self.in_flight < self.spec.seats:
            self._seat(hold_us)
            return None
        queue = self._flows.get(flow)
        if (0 if queue is None else len(queue)) >= self.spec.queue_length:
            self.rejected += 1
            raise too_many_requests()
        waiting = _Waiting(self._loop.create_future(), hold_us)
        self._flows.setdefault(flow, deque()).append(waiting)
        self._loop.after(self.spec.patience_us, self._give_up, flow, waiting)
        return waiting.future

    def _seat(self, hold_us: int) -> None:
        self.in_flight += 1
        self._loop.after(hold_us, self._leave)

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._flows:
            flow = next(iter(self._flows))
            queue = self._flows.pop(flow)
            waiting = queue.popleft()
            if queue:
                self._flows[flow] = queue  # to the end: the other flows have their turn first
            if not waiting.future.done():  # the client may have given up
                self._seat(waiting.hold_us)
                waiting.future.set_result(None)
                return

    def _give_up(self, flow: str, waiting: _Waiting) -> None:
        if waiting.future.done():
            return
        self.rejected += 1
        queue = self._flows[flow]  # still there: only a turn takes it out, and that completes the future
        queue.remove(waiting)
        if not queue:
            del self._flows[flow]
        waiting.future.set_result(too_many_requests())


class FlowControl:
    """Seats for requests. A seat frees itself after ``hold_us``, so a client that dies in mid-request keeps none."""

    def __init__(
        self, loop: Loop, levels: Sequence[LevelSpec], *, level_of: Callable[[User], str] = suggested_level
    ) -> None:
        self._levels = {spec.name: _Level(loop, spec) for spec in levels}
        self._level_of = level_of
        self._known: dict[User, _Level | None] = {}

    def enter(self, user: User, hold_us: int) -> "asyncio.Future[ApiError | None] | None":
        """Take a seat for ``hold_us``, the time the server works on the request.

        None: go on now. A future: await it; its result is None, or the refusal to raise. Raises ApiError 429 at once
        where the queue is full. Users of a level that is not configured are exempt.
        """
        try:
            level = self._known[user]
        except KeyError:
            level = self._known[user] = self._levels.get(self._level_of(user))
        return None if level is None else level.enter(user.name, hold_us)

    def rejected(self) -> dict[str, int]:
        """Requests refused so far, by level."""
        return {name: level.rejected for name, level in self._levels.items()}
