"""What changes while an attempt is under way is news to the next one, however quiet the attempt leaves its key."""

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.tekton.access import PODS, TASK_RUNS
from sim.workload.distributions import Constant

SLOW_WRITES = Latency(verbs={"update": Constant(300_000)})


@pytest.mark.parametrize("work_ms", range(0, 700, 70))
def test_a_pod_that_changes_while_its_task_runs_status_is_written_is_looked_at_again(work_ms: int) -> None:
    with TektonWorld(latency=SLOW_WRITES, outcomes={"t": Outcome(work_ms=work_ms)}) as world:
        world.submit([task("t")])
        world.run(10)
        assert world.verdict()[:2] == ("True", "Succeeded")


@pytest.mark.parametrize("later_ms", range(0, 700, 70))
def test_a_task_run_that_ends_while_its_pipeline_runs_status_is_written_is_counted(later_ms: int) -> None:
    outcomes = {"t1": Outcome(), "t2": Outcome(work_ms=200 + later_ms)}
    with TektonWorld(latency=SLOW_WRITES, outcomes=outcomes) as world:
        world.submit([task("t1"), task("t2")])
        world.run(10)
        assert world.verdict() == ("True", "Succeeded", "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0")


def test_a_pod_that_vanishes_while_nothing_else_happens_is_replaced() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(3)
        before = world.server.get(ADMIN, PODS, NAMESPACE, "run-t-pod")["metadata"]["uid"]
        world.server.delete(ADMIN, PODS, NAMESPACE, "run-t-pod")
        world.run(3)
        assert world.server.get(ADMIN, PODS, NAMESPACE, "run-t-pod")["metadata"]["uid"] != before


def test_a_task_run_that_vanishes_while_nothing_else_happens_is_created_again() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(3)
        before = world.task_run("t")["metadata"]["uid"]
        world.server.delete(ADMIN, TASK_RUNS, NAMESPACE, "run-t")
        world.run(3)
        assert world.task_run("t")["metadata"]["uid"] != before


def test_a_status_that_somebody_else_has_put_back_is_told_again() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(3)
        running = world.task_run("t")
        world.server.update(ADMIN, TASK_RUNS, NAMESPACE, "run-t", {**running, "status": {}}, subresource="status")
        world.run(3)
        assert world.task_run("t")["status"]["podName"] == "run-t-pod"
        assert world.task_run("t")["status"]["steps"] == running["status"]["steps"]
