"""Single steps of the reconciler on caches that show what we choose, over an API server that knows better."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from executor_stage import LOCK, RUNS, SYSTEM, Stage
from prometheus_client import CollectorRegistry

from controller.api.resources import PIPELINE_RUNS, TASK_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.desk import Desk
from controller.executor.metrics import ExecutorMetrics
from controller.executor.reconcile import Executor
from controller.executor.settings import Settings
from controller.ports import Document
from controller.runtime.controller import Result
from sim.apiserver.identity import ADMIN, service_account

Make = Callable[..., Stage]
KEY = (SYSTEM, "we-1")


class Shown:
    """A cache whose content the test decides."""

    def __init__(self) -> None:
        self.document: Document | None = None

    def get(self, namespace: str, name: str) -> Document | None:
        return self.document


class Told:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def event(self, regarding: Document, type_: str, reason: str, message: str) -> None:
        self.reasons.append(reason)


class Bench:
    """One reconciler, called by hand, over the stage's API server; the stage's own executor is dead."""

    def __init__(self, stage: Stage, settings: Settings) -> None:
        self.stage = stage
        stage.process.kill()
        self.executions, self.runs, self.told = Shown(), Shown(), Told()
        self.client = stage.server.client(service_account(SYSTEM, "workflowexecution-controller"), component="bench")
        self.desk = Desk(
            cluster=self.client,
            logs=stage.logs,
            audit=stage.audit,
            clock=stage.clock,
            events=self.told,  # type: ignore[arg-type]
            metrics=ExecutorMetrics(CollectorRegistry()),
            settings=settings,
            random=stage.streams("bench"),
            executions=self.executions,
            runs=self.runs,
            waiting={},
        )
        self.versions: list[Document] = []
        stage.server.observe(self._observe)
        self.restart()

    def _observe(self, type_: str, resource: Any, old: Document | None, new: Document | None) -> None:
        if resource.plural == "workflowexecutions" and new is not None:
            self.versions.append(new)

    def restart(self) -> None:
        self.executor = Executor(self.desk)

    def step(self) -> Result:
        return self.stage.loop.run_until_complete(self.stage.loop.create_task(self.executor.reconcile(KEY)))  # type: ignore[no-any-return]

    def refresh(self) -> None:
        self.executions.document, self.runs.document = self.stage.execution(), self.stage.pipeline_run()


@pytest.fixture
def bench(stage: Make) -> Bench:
    return Bench(stage().request(), Settings(cooldown_s=5))


def live(bench: Bench) -> None:
    """A whole life, release included."""
    bench.refresh()
    bench.step()
    bench.stage.succeed()
    bench.refresh()
    bench.step()
    bench.stage.run(8)
    for _ in range(3):
        bench.refresh()
        bench.step()
        bench.stage.run(1)
    assert bench.stage.condition("LockAcquired")["reason"] == "LockReleased"


def test_an_old_pending_in_the_cache_does_not_start_a_second_run(bench: Bench) -> None:
    live(bench)
    old = [each for each in bench.versions if each["metadata"].get("finalizers") and not each.get("status")]
    assert len(old) == 1
    bench.executions.document = old[0]
    bench.restart()
    for _ in range(3):
        bench.step()
    assert len(bench.stage.created) == 1


def test_an_old_version_without_the_finalizer_does_not_start_a_second_run(bench: Bench) -> None:
    fresh = bench.stage.execution()
    live(bench)
    bench.executions.document = fresh
    bench.restart()
    for _ in range(3):
        bench.step()
    assert len(bench.stage.created) == 1


def test_after_a_conflict_the_next_look_is_at_the_api_server_itself(bench: Bench) -> None:
    bench.refresh()
    bench.stage.server.patch(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-1", {"metadata": {"labels": {"a": "b"}}})
    bench.step()
    assert not bench.stage.created
    bench.step()
    assert bench.stage.phase() == "Running"


def test_our_own_run_on_its_way_out_is_not_adopted(bench: Bench) -> None:
    bench.refresh()
    bench.step()
    run = bench.stage.pipeline_run()
    bench.stage.server.patch(ADMIN, PIPELINE_RUNS, RUNS, LOCK, {"metadata": {"finalizers": ["test/hold"]}})
    bench.stage.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    wiped: Any = {"status": None}
    bench.stage.server.patch(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-1", wiped, subresource="status")
    bench.restart()
    bench.refresh()
    bench.step()
    assert run is not None
    assert bench.stage.phase() == "Pending"
    assert bench.stage.condition("LockAcquired")["reason"] == "CooldownActive"


def test_the_former_holder_in_the_cache_does_not_look_like_our_release(bench: Bench) -> None:
    bench.refresh()
    bench.step()
    bench.stage.succeed()
    bench.refresh()
    bench.step()
    bench.executions.document = bench.stage.execution()
    bench.runs.document = {
        "metadata": {"name": LOCK, "namespace": RUNS, "uid": "old", "resourceVersion": "1", "labels": {}}
    }
    bench.stage.run(8)
    bench.restart()
    bench.step()
    assert "LockReleased" not in bench.told.reasons
    assert bench.stage.pipeline_run() is None or bench.stage.pipeline_run()["metadata"].get("deletionTimestamp")


def test_an_empty_cache_is_no_proof_that_the_children_are_gone(bench: Bench) -> None:
    bench.refresh()
    bench.step()
    bench.stage.fail()
    bench.stage.server.patch(ADMIN, TASK_RUNS, RUNS, f"{LOCK}-apply", {"metadata": {"finalizers": ["test/hold"]}})
    bench.refresh()
    bench.step()
    bench.executions.document, bench.runs.document = bench.stage.execution(), None
    bench.restart()
    bench.stage.run(8)
    for _ in range(3):
        bench.step()
        bench.stage.run(1)
    assert bench.stage.pipeline_run()["metadata"]["deletionTimestamp"]
    assert "LockReleased" not in bench.told.reasons


def test_a_cache_that_shows_an_earlier_incarnation_is_not_believed(bench: Bench) -> None:
    bench.refresh()
    bench.step()
    bench.stage.succeed()
    assert bench.runs.document is None or bench.runs.document["metadata"]["name"] == LOCK
    others = {"metadata": {"name": LOCK, "namespace": RUNS, "uid": "old", "resourceVersion": "1", "labels": {}}}
    bench.runs.document = {**others, "status": {"conditions": [{"type": "Succeeded", "status": "False"}]}}
    bench.stage.run(11)
    bench.step()
    assert bench.stage.phase() == "Completed"


def test_a_phase_of_another_engine_is_left_alone(bench: Bench) -> None:
    execution = bench.stage.execution()
    bench.executions.document = {**execution, "status": {"phase": "Skipped"}}
    assert bench.step() == Result()
    assert bench.stage.execution() is execution


def test_who_waits_is_forgotten_when_it_runs_or_goes(bench: Bench) -> None:
    bench.stage.put(PIPELINE_RUNS, LOCK)
    bench.stage.succeed()
    bench.refresh()
    bench.step()
    assert bench.executor.wake_for({"metadata": {"name": LOCK}}) == [KEY]
    bench.executions.document = None
    bench.step()
    assert bench.desk.waiting == {}


def test_nothing_is_remembered_of_an_execution_that_had_the_same_name(bench: Bench) -> None:
    live(bench)
    server = bench.stage.server
    server.delete(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-1")
    server.patch(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-1", {"metadata": {"finalizers": None}})
    bench.stage.request()
    for _ in range(3):
        bench.refresh()
        bench.step()
    assert (bench.stage.phase(), len(bench.stage.created)) == ("Running", 2)
    trail = bench.stage.audited()
    assert trail.count("workflowexecution.execution.started") == 2


def test_what_is_done_is_forgotten_once_the_cache_has_seen_it_and_not_before(bench: Bench) -> None:
    live(bench)
    old = bench.versions[-2]
    bench.executions.document = bench.stage.execution()
    bench.step()
    assert KEY not in bench.executor._memories
    bench.restart()
    bench.executions.document = old
    bench.step()
    assert KEY in bench.executor._memories
    assert bench.told.reasons.count("LockReleased") == 1


def test_what_another_leader_wrote_is_not_told_again(bench: Bench) -> None:
    bench.refresh()
    bench.step()
    bench.stage.succeed()
    bench.refresh()
    theirs = Told()
    other = Executor(replace(bench.desk, events=theirs))  # type: ignore[arg-type]
    loop = bench.stage.loop
    loop.run_until_complete(loop.create_task(other.reconcile(KEY)))
    assert theirs.reasons == ["WorkflowCompleted"]
    for _ in range(3):
        bench.step()
    assert "WorkflowCompleted" not in bench.told.reasons
