"""Workloads of signals: remediations over targets of unequal popularity, with duplicates among them."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random

from pydantic import Field

from scenarios.remediation import signals
from scenarios.remediation.settings import Share
from scenarios.seconds import SomeSeconds
from scenarios.target import Target
from scenarios.workflows import Part
from scenarios.world import World

_CHECK_S = 900.0


class Signals(Part):
    """What arrives are signals for the orchestrator, and not executions for the executor."""

    duplicates: Share = Field(default=0.0, description="share of signals that are the last one of their target again")
    popularity: float = Field(
        default=0.0,
        ge=0,
        le=5,
        allow_inf_nan=False,
        description="exponent of Zipf's law over targets; 0: all alike",
    )
    retention: SomeSeconds | None = Field(
        default=None, description="remediations are deleted so long after they have ended; not given: all are kept"
    )
    legacy: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="remediations under way that version 3.1 has skipped",
    )


class Crowd:
    """Targets in the order of their popularity: the r-th is drawn in proportion to 1/r^s."""

    def __init__(self, targets: Sequence[Target], exponent: float) -> None:
        self._targets = targets
        self._bounds = list(accumulate(1.0 / rank**exponent for rank in range(1, len(targets) + 1)))

    def draw(self, stream: Random) -> Target:
        """One target; takes exactly one draw."""
        return stream.choices(self._targets, cum_weights=self._bounds)[0]


class SignalSource:
    """Sends the signals of one run."""

    def __init__(self, world: World, kind: Signals, stream: Random) -> None:
        self._world = world
        self._kind = kind
        self._stream = stream
        self._last: dict[str, str] = {}
        world.recall_legacy(kind.legacy)
        orchestration = world.targets[0].backstage.orchestration
        orchestration.review()
        if kind.retention is not None:
            orchestration.tidy(kind.retention.us)
        self.crowd = Crowd(world.targets, kind.popularity)

    async def send(self, target: Target, number: int, workflows: tuple[str, ...]) -> None:
        """The signal numbered ``number`` (from 1) arrives; returns when its remediation has ended, or patience has."""
        which = f"{number:06d}"
        repeated = self._stream.random() < self._kind.duplicates
        about = self._last.get(target.name) if repeated else None
        if about is None:
            about = self._last[target.name] = which
        await signals.signal(target, which, workflows, about=about)
        await self._end(target, which)

    async def _end(self, target: Target, which: str) -> None:
        world = target.backstage
        give_up_us = world.now_us() + round(world.patience_s * 1_000_000)
        found = signals.remediation(target, which)
        while not found.terminal and found.deleted_us is None and world.now_us() < give_up_us:
            await world.chronicle.change_of(found.key, _CHECK_S)
