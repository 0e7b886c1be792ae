"""The PipelineRun is the lock: who gets it, who waits, who gives it back and when."""

from collections.abc import Callable
from typing import Any

import pytest
from executor_stage import LOCK, RUNS, SYSTEM, TARGET, Stage

from controller.api.resources import PIPELINE_RUNS
from controller.executor.settings import Settings
from controller.ports import Cluster, Document
from sim.apiserver.identity import ADMIN
from sim.faults.interception import Intercepted
from sim.loop import Process

Make = Callable[..., Stage]


def foreign_run(stage: Stage, labels: dict[str, str] | None = None, **metadata: Any) -> Document:
    return stage.put(PIPELINE_RUNS, LOCK, metadata={"labels": labels or {}, **metadata})


def others_run(stage: Stage) -> Document:
    labels = {"kubernaut.ai/workflow-execution": "we-other", "kubernaut.ai/source-namespace": SYSTEM}
    return foreign_run(stage, labels)


def test_a_happy_run_goes_from_running_to_completed_and_releases_the_lock(stage: Make) -> None:
    s = stage().request().run(1)
    assert s.phase() == "Running"
    s.succeed().run(1)
    assert s.phase() == "Completed"
    assert s.pipeline_run() is not None
    s.run(299)
    assert s.pipeline_run() is not None, "the lock is held for the whole cooldown"
    s.run(3)
    assert s.pipeline_run() is None
    assert s.phases == ["Running", "Completed"]
    assert len(s.created) == 1


def test_a_run_whose_end_is_learnt_late_still_keeps_its_lock_for_the_cooldown(stage: Make) -> None:
    s = stage().request().run(1)
    s.process.kill()
    s.succeed().run(600).start()
    s.run(299)
    assert (s.phase(), s.pipeline_run() is not None) == ("Completed", True)
    s.run(5)
    assert s.pipeline_run() is None


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7, 0.99])
def test_the_cooldown_is_whole_wherever_in_its_second_the_run_ended(stage: Make, fraction: float) -> None:
    s = stage(Settings(cooldown_s=30)).request().run(1 + fraction)
    ended_us = s.succeed().until(lambda: s.phase() == "Completed").loop.now_us
    s.until(lambda: s.pipeline_run() is None)
    assert 30_000_000 <= s.loop.now_us - ended_us <= 33_000_000


def test_a_happy_run_of_one_task_costs_seven_calls(stage: Make) -> None:
    s = stage().request().run(1).progress(0, 1).run(1).succeed().run(310)
    assert s.calls() == {
        "patch workflowexecutions.kubernaut.ai": 1,
        "create pipelineruns.tekton.dev": 1,
        "patch workflowexecutions.kubernaut.ai/status": 4,
        "delete pipelineruns.tekton.dev": 1,
    }


def test_the_finalizer_is_there_before_the_pipelinerun(stage: Make) -> None:
    s = stage()
    seen: list[Any] = []

    def watch(type_: str, resource: Any, old: Any, new: Any) -> None:
        if resource.plural == "pipelineruns" and type_ == "ADDED":
            seen.append(s.execution()["metadata"].get("finalizers"))

    s.server.observe(watch)
    s.request().run(1)
    assert seen == [["workflowexecution.kubernaut.ai/workflowexecution-cleanup"]]


def test_two_executions_for_one_target_never_both_run(stage: Make) -> None:
    s = stage().request("we-1").request("we-2").run(2)
    phases = sorted((s.phase("we-1"), s.phase("we-2")))
    assert phases == ["Failed", "Running"]
    loser = s.status("we-1" if s.phase("we-1") == "Failed" else "we-2")
    details = loser["failureDetails"]
    assert (details["reason"], details["wasExecutionFailure"]) == ("ExecutionRaceCondition", False)
    winner = "we-1" if s.phase("we-1") == "Running" else "we-2"
    assert f"{SYSTEM}/{winner}" in details["message"]
    assert len(s.created) == 1
    assert "pipelineRunRef" not in loser


def test_different_targets_run_side_by_side(stage: Make) -> None:
    s = stage().request("we-1").request("we-2", target="node/worker-node-1").run(2)
    assert (s.phase("we-1"), s.phase("we-2")) == ("Running", "Running")


def test_an_execution_waits_for_a_lock_in_its_cooldown_and_then_runs(stage: Make) -> None:
    s = stage().request("we-1").run(1).succeed().run(1).request("we-2").run(1)
    assert s.phase("we-2") == "Pending"
    waiting = s.condition("LockAcquired", "we-2")
    assert (waiting["status"], waiting["reason"]) == ("False", "CooldownActive")
    assert f"{SYSTEM}/we-1" in waiting["message"]
    s.run(290)
    assert s.phase("we-2") == "Pending"
    s.run(15)
    assert s.phase("we-2") == "Running"
    assert s.condition("LockAcquired", "we-2")["status"] == "True"
    assert len(s.created) == 2


def test_a_waiting_execution_is_woken_by_the_release_not_by_the_poll(stage: Make) -> None:
    s = stage(Settings(poll_s=100_000)).request("we-1").run(1).succeed().run(1).request("we-2").run(1)
    s.until(lambda: s.phase("we-2") == "Running", 310)


def test_the_poll_finds_a_release_that_no_watch_tells(stage: Make) -> None:
    s = stage()
    foreign_run(s)  # without our labels, so no watch of ours sees it
    s.report("True", "Succeeded", "done").request().run(1)
    assert s.phase() == "Pending"
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.run(11)
    assert s.phase() == "Running"


def test_waiting_costs_one_look_a_poll(stage: Make) -> None:
    s = stage().request("we-1").run(1).succeed().run(1).request("we-2").run(2)
    before = s.calls()
    s.run(60)
    after = s.calls()
    assert {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)} == {
        "get pipelineruns.tekton.dev": 6
    }


def test_a_terminating_holder_means_waiting_not_a_race(stage: Make) -> None:
    s = stage()
    others_run(s)
    s.server.patch(ADMIN, PIPELINE_RUNS, RUNS, LOCK, {"metadata": {"finalizers": ["test/hold"]}})
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.request().run(1)
    assert (s.phase(), s.condition("LockAcquired")["reason"]) == ("Pending", "CooldownActive")
    s.server.patch(ADMIN, PIPELINE_RUNS, RUNS, LOCK, {"metadata": {"finalizers": None}})
    s.run(1)
    assert s.phase() == "Running"


def test_an_unfinished_run_of_somebody_else_is_a_race(stage: Make) -> None:
    s = stage()
    others_run(s)
    s.request().run(1)
    details = s.status()["failureDetails"]
    assert (s.phase(), details["reason"]) == ("Failed", "ExecutionRaceCondition")
    assert "we-other" in details["message"]


def test_our_own_unfinished_run_is_adopted(stage: Make) -> None:
    s = stage()
    labels = {"kubernaut.ai/workflow-execution": "we-1", "kubernaut.ai/source-namespace": SYSTEM}
    foreign_run(s, labels)
    s.request().run(1)
    assert s.phase() == "Running"
    assert "already exists, ours" in s.events("PipelineRunCreated")[0]["message"]
    assert s.metric("pipelinerun_creations_total") == 0
    assert len(s.created) == 1


def test_the_run_of_a_former_execution_of_the_same_name_is_cleared_away_first(stage: Make) -> None:
    s = stage()
    labels = {"kubernaut.ai/workflow-execution": "we-1", "kubernaut.ai/source-namespace": SYSTEM}
    foreign_run(s, labels, annotations={"kubernaut.ai/workflow-execution-uid": "another"})
    s.succeed().request().run(3)
    assert s.phase() == "Running"
    assert len(s.created) == 2


def test_the_lock_is_released_with_foreground_propagation(stage: Make) -> None:
    """Tekton adopts children by name: a name that is free before they are gone hands the next run their outcome."""
    asked: list[Any] = []

    class Spy(Intercepted):
        async def delete(self, *args: Any, **options: Any) -> Document:
            asked.append(options)
            return await super().delete(*args, **options)

    async def straight(verb: str, resource: Any, name: str, call: Any) -> Any:
        return await call()

    def wrap(cluster: Cluster, _: Process) -> Cluster:
        return Spy(cluster, straight)

    s = stage(Settings(cooldown_s=5), wrap=wrap).request().run(1)
    uid = s.pipeline_run()["metadata"]["uid"]
    s.fail().run(20)
    assert [(each["propagation"], each["uid"]) for each in asked] == [("Foreground", uid)]


def test_the_lock_is_not_released_before_the_children_are_gone(stage: Make) -> None:
    s = stage(Settings(cooldown_s=5)).request().run(1)
    s.fail()
    tasks = s.server.resource("tekton.dev", "taskruns")
    s.server.patch(ADMIN, tasks, RUNS, f"{LOCK}-apply", {"metadata": {"finalizers": ["test/hold"]}})
    s.run(30)
    assert s.pipeline_run()["metadata"]["deletionTimestamp"]
    assert not s.events("LockReleased")
    s.request("we-2").run(1)
    assert s.phase("we-2") == "Pending"
    s.server.patch(ADMIN, tasks, RUNS, f"{LOCK}-apply", {"metadata": {"finalizers": None}})
    s.run(12)
    assert len(s.events("LockReleased")) == 1
    assert s.phase("we-2") == "Running"


@pytest.mark.parametrize("restarted", [False, True])
def test_the_lock_of_another_is_never_released(stage: Make, restarted: bool) -> None:
    """Upstream deletes whatever carries the name of the target."""
    s = stage(Settings(cooldown_s=60)).request().run(1).succeed().run(1)
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.run(1)
    others = others_run(s)
    if restarted:
        s.restart()
    s.run(120)
    assert s.pipeline_run()["metadata"]["uid"] == others["metadata"]["uid"]
    assert s.condition("LockAcquired")["reason"] == "LockReleased"


OVERWRITTEN = {"labels": {"kubernaut.ai/workflow-execution": "we-before"}}


def test_our_run_stays_ours_when_tekton_writes_the_labels_of_its_predecessor_onto_it(stage: Make) -> None:
    """Tekton writes labels by name: a reconcile of a run that is gone can still be under way."""
    s = stage(Settings(cooldown_s=60)).request().run(1)
    s.server.patch(ADMIN, PIPELINE_RUNS, RUNS, LOCK, {"metadata": OVERWRITTEN})
    s.run(30).succeed().run(15)
    assert s.phase() == "Completed"
    assert s.run(120).pipeline_run() is None


def test_a_successor_that_carries_our_labels_is_not_ours_to_release(stage: Make) -> None:
    s = stage(Settings(cooldown_s=60)).request().run(1).succeed().run(1)
    ours = s.pipeline_run()
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.run(1)
    metadata = {key: ours["metadata"][key] for key in ("labels", "annotations")}
    successor = s.put(PIPELINE_RUNS, LOCK, metadata=metadata)
    assert s.run(120).pipeline_run()["metadata"]["uid"] == successor["metadata"]["uid"]


def test_lock_released_is_told_once_however_often_we_look(stage: Make) -> None:
    s = stage(Settings(cooldown_s=5)).request().run(1).succeed().run(20)
    for _ in range(3):
        s.restart()
        s.run(30)
    events = s.events("LockReleased")
    assert [event["count"] for event in events] == [1]


@pytest.mark.parametrize("outcome", ["validation", "race"])
def test_who_never_had_the_lock_releases_nothing(stage: Make, outcome: str) -> None:
    s = stage(Settings(cooldown_s=5))
    if outcome == "race":
        others_run(s)
    s.request(target=TARGET if outcome == "race" else "nonsense").run(30)
    assert s.phase() == "Failed"
    assert not s.events("LockReleased")
    assert "delete pipelineruns.tekton.dev" not in s.calls()
