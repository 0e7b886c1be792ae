"""The executor dies before and after every single API call it makes for one execution, and nothing is done twice.

The sweep is exhaustive: a run without a crash counts the calls, then each of them is a place to die, twice.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.ports import Cluster, Document, Resource, WatchType
from scenarios import settings, workflows
from scenarios.simulated import SimulatedWorld
from scenarios.target import Target
from sim.faults.crash import Crash, Moment
from sim.loop import Process

pytestmark = pytest.mark.slow

_SETTLE_S = 30.0  # for what is written after the lock went
_SETTINGS = settings.parse({}, ["cluster.nodes=3", "executor.cooldown=1m"], "crash sweep")


@dataclass
class Witness:
    """Watches the cluster and never steers."""

    created: Counter[str] = field(default_factory=Counter)
    released: int = 0
    phases: list[str] = field(default_factory=list)

    def observe(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        if resource.plural == "pipelineruns" and type_ == "ADDED":
            self.created[new["metadata"]["name"]] += 1
        if resource.plural == "workflowexecutions":
            phase = (new.get("status") or {}).get("phase", "")
            if phase and (not self.phases or self.phases[-1] != phase):
                self.phases.append(phase)
        if resource.plural == "events" and new.get("reason") == "LockReleased" and type_ == "ADDED":
            self.released += 1


@dataclass
class Life:
    """One execution from its request to the release of its lock, with a crash at call ``at``."""

    at: int
    moment: Moment
    trouble: tuple[str, str] | None = None
    withdraw: bool = False
    witness: Witness = field(default_factory=Witness)
    crash: Crash | None = None
    final: Any = None

    def live(self) -> "Life":
        world = SimulatedWorld(_SETTINGS, workflows.load_folder(), 3, 1, wrap=self._wrap)
        self._world = world
        world.server.observe(self.witness.observe)
        world.settle()
        world.play(self._story(world.targets[0]))
        world.close()
        return self

    def _wrap(self, client: Cluster, process: Process) -> Cluster:
        if self.crash is not None:
            return client
        self.crash = Crash(client, process, at=self.at, moment=self.moment, on_crash=self._died)
        return self.crash

    def _died(self) -> None:
        self._world.crash_controller()

    async def _story(self, target: Target) -> None:
        if self.trouble is not None:
            target.trouble(*self.trouble)
        await target.request("first", "increase-memory")
        if self.withdraw:
            await target.reach("first", "Running", "Completed")
            await target.withdraw("first")
            await target.gone("first")
        else:
            await target.reach("first", "Completed", "Failed")
        await target.released()
        await asyncio.sleep(_SETTLE_S)
        execution = target.execution("first")
        self.final = (execution.phase, execution.reason, execution.was_execution_failure)


STORIES = {
    "completes": Life(0, "before"),
    "fails": Life(0, "before", trouble=("kubectl-patch", "exits with an error")),
    "is withdrawn": Life(0, "before", withdraw=True),
}


def places(story: str) -> Iterator[Any]:
    calm = STORIES[story]
    reference = Life(0, "before", calm.trouble, calm.withdraw).live()
    assert reference.crash is not None
    for number, call in enumerate(reference.crash.calls, start=1):
        for moment in ("before", "after"):
            yield reference, Life(number, moment, calm.trouble, calm.withdraw), call


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_call_leads_to_the_same_end_with_one_run(story: str) -> None:
    broken = []
    swept = 0
    for reference, life, call in places(story):
        life.live()
        swept += 1
        if (
            life.final != reference.final
            or set(life.witness.created.values()) != {1}
            or life.witness.phases != reference.witness.phases
        ):
            broken.append(f"{life.moment} call {life.at} {call}: {life.final}, {life.witness}")

    assert swept >= 16
    assert not broken, f"{len(broken)} of {swept} crashes change the story: {broken[:3]}"
