"""The orchestrator, or the executor, dies before and after every single API call it makes for one remediation: the
remediation ends, its invariants hold, nothing is executed twice and nobody is told twice.

The sweep is exhaustive: a run without a crash counts the calls, then each of them is a place to die, twice.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from controller.ports import Cluster
from scenarios import settings, workflows
from scenarios.remediation import signals
from scenarios.simulated import SimulatedWorld
from scenarios.target import Target
from sim.faults.crash import Crash, Moment
from sim.loop import Process

pytestmark = pytest.mark.slow

_SETTLE_S = 30.0  # for what is written after the end
_SETTINGS = settings.parse({}, ["cluster.nodes=3", "executor.cooldown=1m", "orchestrator.cooldown=1m"], "crash sweep")
Victim = Literal["orchestrator", "executor"]
_ENDS = ("Completed", "Failed", "TimedOut", "Skipped")


@dataclass
class Life:
    """One remediation from its signal to its end, with a crash of ``victim`` at call ``at``."""

    victim: Victim
    at: int
    moment: Moment
    troubles: tuple[tuple[str, str, str], ...] = ()
    unsure: bool = False
    crash: Crash | None = None
    final: Any = None
    world: SimulatedWorld = field(init=False)

    def live(self) -> "Life":
        wraps = {("wrap" if self.victim == "executor" else "wrap_orchestrator"): self._wrap}
        self.world = SimulatedWorld(_SETTINGS, workflows.load_folder(), 3, 1, **wraps)
        self.world.settle()
        self.world.play(self._story(self.world.targets[0]))
        self.world.close()
        return self

    def _wrap(self, client: Cluster, process: Process) -> Cluster:
        if self.crash is not None:
            return client
        self.crash = Crash(client, process, at=self.at, moment=self.moment, on_crash=self._died)
        return self.crash

    def _died(self) -> None:
        if self.victim == "executor":
            self.world.crash_controller()
        else:
            self.world.crash_orchestrator()

    async def _story(self, target: Target) -> None:
        orchestration, name = target.backstage.orchestration, signals.name_of(target, "first")
        for execution, step, trouble in self.troubles:
            target.backstage.trouble(f"we-{name}{execution}", step, trouble)
        orchestration.analyst.pace(name, 10_000_000)
        if self.unsure:
            orchestration.analyst.mood(name, "unsure")
            orchestration.approver.decide(name, "approved")
        await signals.signal(target, "first", ("increase-memory", "restart-deployment"))
        found = await signals.reach(target, "first", *_ENDS)
        await asyncio.sleep(_SETTLE_S)
        taken = target.lock.taken
        self.final = (found.phase, found.outcome, found.executions, found.analyses, found.notifications, taken)


_PREPARE = ("", "prepare", "runs out of memory before the work starts")
STORIES = {
    "is remediated": Life("orchestrator", 0, "before"),
    "recovers": Life("orchestrator", 0, "before", (_PREPARE,)),
    "needs a person": Life("orchestrator", 0, "before", (("", "kubectl-patch", "exits with an error"),)),
    "needs approval": Life("orchestrator", 0, "before", unsure=True),
}


def places(story: str, victim: Victim) -> Iterator[tuple[Life, Life, Any]]:
    calm = STORIES[story]
    reference = Life(victim, 0, "before", calm.troubles, calm.unsure).live()
    assert reference.crash is not None
    for number, call in enumerate(reference.crash.calls, start=1):
        for moment in ("before", "after"):
            yield reference, Life(victim, number, moment, calm.troubles, calm.unsure), call


@pytest.mark.parametrize("victim", ["orchestrator", "executor"])
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_call_of_either_controller_leads_to_the_same_end(story: str, victim: Victim) -> None:
    broken = []
    swept = 0
    for reference, life, call in places(story, victim):
        try:
            life.live()
        except AssertionError as error:
            broken.append(f"{life.moment} call {life.at} {call}: {error}")
            continue
        finally:
            swept += 1
        if life.final != reference.final:
            broken.append(f"{life.moment} call {life.at} {call}: {life.final} instead of {reference.final}")
    assert swept >= 16
    assert not broken, f"{len(broken)} of {swept} crashes change the story: {broken[:3]}"
