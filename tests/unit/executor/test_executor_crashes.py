"""A crash between any two calls, a lost reply to any call, old reads: one run a tenure, and its end is told."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from executor_stage import LOCK, SYSTEM, Stage

from controller.api.resources import EVENTS
from controller.executor.settings import Settings
from controller.ports import Cluster, ConnectionLost, Resource
from sim.faults.crash import Crash
from sim.faults.interception import Intercepted
from sim.loop import Process
from sim.workload.distributions import Constant

Make = Callable[..., Stage]
CALLS = 24  # more than a whole life takes, reflectors and events included


def play(s: Stage) -> None:
    """Tekton: a run of ours succeeds four seconds after it was created."""

    def created(type_: str, resource: Resource, old: Any, new: Any) -> None:
        if resource.plural == "pipelineruns" and type_ == "ADDED":
            uid = new["metadata"]["uid"]
            s.loop.after(4_000_000, finish, uid)

    def finish(uid: str) -> None:
        run = s.pipeline_run()
        if run is not None and run["metadata"]["uid"] == uid:
            s.succeed()

    s.server.observe(created)


def check_one_life(s: Stage) -> None:
    assert s.phase() == "Completed"
    assert len(s.created) == 1, "a second run in one tenure of the lock"
    assert s.pipeline_run() is None, "the lock was never released"
    assert s.condition("LockAcquired")["reason"] == "LockReleased"
    assert s.status()["pipelineRunStatus"]["status"] == "True"
    assert s.phases == ["Running", "Completed"] or s.phases == ["Pending", "Running", "Completed"]
    told = [event for event in s.server.items(EVENTS, SYSTEM) if event["reason"] == "LockReleased"]
    assert sum(event["count"] for event in told) <= 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS))
def test_a_crash_at_any_call_leads_to_the_same_end(stage: Make, at: int, moment: Literal["before", "after"]) -> None:
    crashed: list[bool] = []

    def wrap(cluster: Cluster, process: Process) -> Cluster:
        if crashed:
            return cluster
        return Crash(cluster, process, at=at, moment=moment, on_crash=on_crash)

    def on_crash() -> None:
        crashed.append(True)
        s.loop.after(2_000_000, s.start)

    s = Stage(Settings(cooldown_s=20), wrap=wrap)
    try:
        play(s)
        s.run(1).request().run(120)
        check_one_life(s)
    finally:
        s.close()


@pytest.mark.parametrize("lag_s", [0, 2])
@pytest.mark.parametrize("at", range(1, CALLS))
def test_a_lost_reply_to_any_call_leads_to_the_same_end_and_everything_is_told_once(
    stage: Make, at: int, lag_s: int
) -> None:
    count = 0

    async def lose(verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal count
        answer = await call()
        if resource.plural == "events" or verb in ("list", "watch"):
            return answer
        count += 1
        if count == at:
            raise ConnectionLost("connection reset by peer")
        return answer

    lag = Constant(lag_s * 1_000_000) if lag_s else None
    s = stage(Settings(cooldown_s=20), wrap=lambda cluster, _: Intercepted(cluster, lose), watch_lag=lag)
    play(s)
    s.run(5).request().run(120)
    check_one_life(s)
    assert s.metric("total", outcome="Completed") == 1
    assert s.metric("pipelinerun_creations_total") == 1
    assert s.audited() == [
        "workflowexecution.selection.completed",
        "workflowexecution.execution.started",
        "workflowexecution.workflow.completed",
    ]
    for reason in ("PipelineRunCreated", "WorkflowCompleted", "LockReleased"):
        assert [event["count"] for event in s.events(reason)] == [1], reason


@pytest.mark.parametrize("lag_s", [0.5, 3, 15, 60])
def test_caches_that_are_late_lead_to_the_same_end(stage: Make, lag_s: float) -> None:
    s = stage(Settings(cooldown_s=5), watch_lag=Constant(round(lag_s * 1_000_000)))
    play(s)
    s.run(lag_s).request().run(600)
    check_one_life(s)
    for reason in ("PipelineRunCreated", "WorkflowCompleted", "LockReleased"):
        assert [event["count"] for event in s.events(reason)] == [1], reason


def test_an_old_leader_that_wakes_after_the_release_takes_its_run_back(stage: Make) -> None:
    """Leases cannot fence: between its last look and its create a whole tenure of the other leader may pass."""
    hold: list[Any] = []

    async def stall(verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if verb == "create" and resource.plural == "pipelineruns" and not hold:
            hold.append(s.loop.create_future())
            await hold[0]
        return await call()

    def wrap(cluster: Cluster, _: Process) -> Cluster:
        return cluster if hold else Intercepted(cluster, stall)

    s = stage(Settings(cooldown_s=5), wrap=wrap)
    play(s)
    s.request().run(1)
    s.start()  # the other leader, while the first still lives
    s.run(60)
    check_one_life(s)
    hold[0].set_result(None)
    s.run(10)
    assert len(s.created) == 2, "the hazard itself did not happen"
    assert s.pipeline_run(LOCK) is None
    assert s.phase() == "Completed"


def test_an_execution_that_ended_long_ago_is_left_in_peace_by_a_restart(stage: Make) -> None:
    s = stage(Settings(cooldown_s=5))
    play(s)
    s.request().run(30)
    before = sum(s.calls().values())
    s.restart()
    s.run(60)
    assert sum(s.calls().values()) == before
