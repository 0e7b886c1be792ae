"""API priority and fairness: how many requests a priority level carries at once, who waits, who gets a 429.

Modelled: seats per level, bounded queues, bounded waiting. Approximated: one queue per level, first come first
served, where the real server shuffle-shards users over 64 to 128 fair queues; every request takes one seat, lists
too; idle levels lend no seats.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace

from controller.ports import ApiError
from sim.apiserver.identity import User
from sim.loop import Loop

_EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class LevelSpec:
    """One priority level. ``seats`` are requests in flight, ``queue_length`` are waiting, 0 refuses at once."""

    name: str
    seats: int
    queue_length: int
    patience_us: int = 15_000_000
    """The longest wait in a queue: a quarter of the server's --request-timeout of 60 s."""


def suggested_levels(seats: int = 600) -> tuple[LevelSpec, ...]:
    """The levels a cluster starts with. ``seats`` is --max-requests-inflight 400 + --max-mutating-requests-inflight
    200, divided by the suggested configuration's shares; a queue of 300 is 6 hands of 50 for one busy user."""
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
        LevelSpec(name, -(-seats * share // total), 0 if name == "catch-all" else 300) for name, share in shares.items()
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


HOLD_US: Mapping[str, int] = {
    "get": 700,
    "list": 5_600,
    "watch": 5_600,
    "create": 1_600,
    "update": 2_000,
    "patch": 2_000,
    "delete": 2_000,
    "deletecollection": 5_600,
}
"""How long a verb keeps its seat: one over the sequential rates measured on kube-apiserver 1.36 (update and delete:
as a status patch; watch: while it starts, as a list of 300 objects)."""


class _Level:
    """A queue with several servers, first come first served. Starts are known at arrival, so nobody has to be woken."""

    def __init__(self, spec: LevelSpec) -> None:
        self.spec = spec
        self.rejected = 0
        self._free_at_us = [0] * spec.seats
        self._starts_us: deque[int] = deque()

    def enter(self, now_us: int, hold_us: int) -> int:
        starts = self._starts_us
        while starts and starts[0] <= now_us:
            starts.popleft()
        start_us = self._free_at_us[0]
        if start_us <= now_us:
            heapreplace(self._free_at_us, now_us + hold_us)
            return 0
        if len(starts) >= self.spec.queue_length or start_us - now_us > self.spec.patience_us:
            self.rejected += 1
            raise too_many_requests()
        starts.append(start_us)
        heapreplace(self._free_at_us, start_us + hold_us)
        return start_us - now_us


class FlowControl:
    """Seats for requests; each frees itself after its verb's ``hold_us``, whether the client still lives or not."""

    def __init__(
        self,
        loop: Loop,
        levels: Sequence[LevelSpec],
        *,
        level_of: Callable[[User], str] = suggested_level,
        hold_us: Mapping[str, int] = HOLD_US,
    ) -> None:
        self._loop = loop
        self._levels = {spec.name: _Level(spec) for spec in levels}
        self._level_of = level_of
        self._hold_us = hold_us
        self._known: dict[User, _Level | None] = {}

    def wait_us(self, user: User, verb: str) -> int:
        """Take a seat, now or as soon as one is free: how long the request waits for it. Raises ApiError 429.

        Users of a level that is not configured are exempt.
        """
        try:
            level = self._known[user]
        except KeyError:
            level = self._known[user] = self._levels.get(self._level_of(user))
        return 0 if level is None else level.enter(self._loop.now_us, self._hold_us[verb])

    def rejected(self) -> dict[str, int]:
        """Requests refused so far, by level."""
        return {name: level.rejected for name, level in self._levels.items()}
