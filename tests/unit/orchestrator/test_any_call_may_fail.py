"""Each single call of whole remediations fails once, in every way: the end is the same, and everything is told once."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, Stage
from troubled_calls import Fate, refusal

from controller.api.resources import REMEDIATION_REQUESTS
from controller.orchestrator.labels import APPROVAL
from controller.orchestrator.settings import Settings
from controller.ports import ApiError, Cluster, ConnectionLost, Resource
from sim.apiserver.identity import ADMIN
from sim.faults.interception import Intercepted
from sim.loop import Process

FATES: dict[str, Fate] = {
    "lost": "lost",
    "never arrived": "never arrived",
    "conflict": refusal(409, "Conflict"),
    "unavailable": refusal(503, "ServiceUnavailable"),
    "throttled": refusal(429, "TooManyRequests", retry_after_s=1),
    "forbidden": refusal(403, "Forbidden"),
}
_UNTOLD = ("CallRefused", "RemediationBlocked")
"""What is said of the failure itself; and what a request waits for changes while it waits, seen or not."""


class Nth:
    """The ``at``-th call that reads or writes an object of ours meets ``fate``; Events and watches are left alone."""

    def __init__(self, at: int, fate: Fate) -> None:
        self.at, self.fate, self.calls = at, fate, 0

    def wrap(self, cluster: Cluster, _: Process) -> Cluster:
        return Intercepted(cluster, self._around, verbs=("get", "create", "patch"))

    async def _around(self, verb: str, resource: Resource, name: str, call: Callable[[], Any]) -> Any:
        if resource.plural == "events":
            return await call()
        self.calls += 1
        if self.calls != self.at:
            return await call()
        if self.fate == "lost":
            await call()
        if isinstance(self.fate, ApiError):
            raise self.fate
        raise ConnectionLost(f"{verb} {name}: {self.fate}")


def reaches(stage: Stage, name: str, phase: str) -> Stage:
    return stage.until(lambda: stage.phase(name) == phase, 900)


def recovers(stage: Stage) -> None:
    reaches(stage.signal(), "rr-1", "Analyzing").answer()
    reaches(stage, "rr-1", "Executing").execution_ends(phase="Failed", reason="Forbidden")
    stage.until(lambda: stage.analysis("rr-1-recovery-1") is not None)
    stage.answer("rr-1-recovery-1", workflow="drain", approvalRequired=True)
    reaches(stage, "rr-1", "AwaitingApproval").run(5)
    stage.annotate(REMEDIATION_REQUESTS, "rr-1", APPROVAL, "approved")
    reaches(stage, "rr-1", "Executing").execution_ends("we-rr-1-recovery-1", "Failed", wasExecutionFailure=True)
    reaches(stage, "rr-1", "Failed").run(30)


def waits(stage: Stage) -> None:
    reaches(stage.signal("rr-1", about="disk"), "rr-1", "Analyzing").run(1.1).signal("rr-2", about="disk")
    reaches(stage, "rr-2", "Blocked").answer("ai-rr-1")
    reaches(stage, "rr-1", "Executing").execution_ends("we-rr-1")
    reaches(stage, "rr-2", "Analyzing").answer("ai-rr-2")
    reaches(stage, "rr-2", "Blocked")
    reaches(stage, "rr-2", "Executing").execution_ends("we-rr-2")
    reaches(stage, "rr-2", "Completed").run(30)


def is_withdrawn(stage: Stage) -> None:
    reaches(stage.signal(), "rr-1", "Analyzing").answer()
    reaches(stage, "rr-1", "Executing")
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.until(lambda: stage.request() is None).run(30)


STORIES: dict[str, Callable[[Stage], None]] = {"recovers": recovers, "waits": waits, "is withdrawn": is_withdrawn}


def told(stage: Stage) -> Any:
    """Everything that must not depend on a failure."""
    items: list[Any] = stage.server.items(REMEDIATION_REQUESTS, SYSTEM)
    events = [
        (event["involvedObject"]["name"], event["reason"], event.get("count", 1))
        for event in stage.server.items(stage.server.resource("", "events"), SYSTEM)
        if event["reason"] not in _UNTOLD
    ]
    trail: list[Any] = stage.audit.take()
    return {
        "ends": [
            (one["metadata"]["name"], one["status"]["overallPhase"], one["status"].get("outcome")) for one in items
        ],
        "counts": [one["status"].get("duplicateCount") for one in items],
        "ways": {name: [*way] for name, way in stage.phases.items()},
        "executions": stage.executions(),
        "messages": stage.notifications(),
        "events": sorted(events),
        "trail": sorted(
            (one["resource_id"], one["event_type"])
            for one in trail
            if not one["event_type"].endswith("routing.blocked")
        ),
    }


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("story", STORIES)
def test_whichever_call_fails_the_story_is_the_same(make_stage: Callable[..., Stage], story: str, fate: str) -> None:
    def live(at: int) -> tuple[Nth, Any]:
        nth = Nth(at, FATES[fate])
        stage = make_stage(Settings(on_busy="wait", poll_s=10), wrap=nth.wrap)
        STORIES[story](stage)
        return nth, told(stage)

    counted, reference = live(0)
    assert counted.calls >= 7
    for at in range(1, counted.calls + 1):
        assert live(at)[1] == reference, f"{fate} at call {at} of {counted.calls}"
