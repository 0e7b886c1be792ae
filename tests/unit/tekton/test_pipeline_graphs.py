"""Graphs of tasks: what a failure or a stop does to the tasks that were to follow."""

from collections.abc import Mapping

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import Resource
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.graph import Graph, graph_of
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
EVENTS = Resource("", "v1", "events", "Event")
EARLY = "invalid list of done tasks; some tasks were indicated completed without ancestors being done: [after-slow]"


def told(world: TektonWorld, reason: str) -> set[str]:
    return {one["message"] for one in world.server.items(EVENTS, NAMESPACE) if one["reason"] == reason}


def demand(world: TektonWorld, value: str) -> None:
    world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": value}})


@pytest.mark.parametrize("version", [V1_7, V1_15])
def test_a_failure_is_not_told_while_a_task_that_will_be_skipped_waits_for_one_that_runs(version: Version) -> None:
    outcomes = {"bad": Outcome(exit_code=1), "slow": Outcome(work_ms=4000)}
    with TektonWorld(TektonOptions(version=version), outcomes=outcomes) as world:
        world.submit([task("bad"), task("slow"), task("after-slow", runAfter=["slow"])])
        world.run(3)
        assert world.task_run("bad")["status"]["conditions"][0]["status"] == "False"
        message = "Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 3, Skipped: 0"
        assert world.verdict() == ("Unknown", "Running", message)
        assert told(world, "InternalError") == {EARLY}
        world.run(4)
        message = "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1"
        assert world.verdict() == ("False", "Failed", message)


@pytest.mark.parametrize(("version", "order"), [(V1_7, ["slow", "bad"]), (V1_15, ["bad", "slow"])])
def test_an_attempt_that_fails_half_way_leaves_the_children_sorted_in_the_later_release(
    version: Version, order: list[str]
) -> None:
    outcomes = {"bad": Outcome(exit_code=1), "slow": Outcome(work_ms=4000)}
    with TektonWorld(TektonOptions(version=version), outcomes=outcomes) as world:
        world.submit([task("slow"), task("bad"), task("after-slow", runAfter=["slow"])])
        world.run(3)
        assert world.started_tasks() == order
        world.run(4)
        assert world.started_tasks() == ["slow", "bad"]


def test_a_failure_is_told_at_once_where_the_skipped_task_comes_after_the_failed_one_too() -> None:
    outcomes = {"bad": Outcome(exit_code=1), "slow": Outcome(ends=False)}
    with TektonWorld(outcomes=outcomes) as world:
        world.submit([task("bad"), task("slow"), task("join", runAfter=["bad", "slow"])])
        world.run(3)
        message = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 1"
        assert world.verdict() == ("Unknown", "PipelineRunStopping", message)


def test_a_stop_lets_the_running_task_end_and_skips_the_next_one() -> None:
    with TektonWorld(outcomes={"slow": Outcome(work_ms=3000)}) as world:
        world.submit([task("slow"), task("after-slow", runAfter=["slow"])], pipeline_finally=[task("tidy")])
        world.run(1)
        demand(world, "StoppedRunFinally")
        world.run(1)
        assert world.verdict()[:2] == ("Unknown", "Running")
        assert told(world, "InternalError") == {EARLY}
        world.run(8)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')
        assert world.pipeline_run()["status"]["skippedTasks"] == [
            {"name": "after-slow", "reason": "PipelineRun was gracefully stopped"}
        ]
        assert world.task_run("tidy")["status"]["conditions"][0]["status"] == "True"


def test_a_stop_without_tasks_to_skip_is_told_while_the_last_one_runs() -> None:
    with TektonWorld(outcomes={"slow": Outcome(work_ms=3000)}) as world:
        world.submit([task("slow")], pipeline_finally=[task("tidy")])
        world.run(1)
        demand(world, "StoppedRunFinally")
        world.run(1)
        assert world.verdict()[:2] == ("Unknown", "StoppedRunningFinally")


def test_a_cancel_during_finally_stops_its_tasks() -> None:
    with TektonWorld(outcomes={"tidy": Outcome(ends=False)}) as world:
        world.submit([task("t")], pipeline_finally=[task("tidy")])
        world.run(3)
        demand(world, "Cancelled")
        world.run(2)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')
        assert world.task_run("tidy")["status"]["conditions"][0]["reason"] == "TaskRunCancelled"


def test_a_graceful_cancel_during_finally_lets_it_end() -> None:
    with TektonWorld(outcomes={"tidy": Outcome(work_ms=3000)}) as world:
        world.submit([task("t")], pipeline_finally=[task("tidy")])
        world.run(3)
        demand(world, "CancelledRunFinally")
        world.run(6)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')
        assert world.task_run("tidy")["status"]["conditions"][0]["status"] == "True"


def test_a_run_cancelled_before_it_was_started_keeps_what_was_said_of_it_until_then() -> None:
    with TektonWorld() as world:
        world.submit([task("t")], status="PipelineRunPending")
        world.run(2)
        demand(world, "Cancelled")
        world.run(2)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')
        assert "startTime" in world.pipeline_run()["status"]
        assert world.pods_started == []


def test_children_that_an_attempt_could_not_tell_of_are_told_by_the_next_one() -> None:
    quota = {"hard": {"count/taskruns.tekton.dev": "1"}}
    with TektonWorld(outcomes={"a": Outcome(ends=False)}) as world:
        world.create(QUOTAS, {"metadata": {"name": "one"}, "spec": quota})
        world.submit([task("a"), task("z")])
        world.run(2)
        assert world.verdict() == ("Unknown", "Started", "")
        listed = world.pipeline_run()["status"]["childReferences"]
        assert [(one["name"], one["pipelineTaskName"]) for one in listed] == [("run-a", "a")]
        demand(world, "Cancelled")
        world.run(2)
        assert world.task_run("a")["status"]["conditions"][0]["reason"] == "TaskRunCancelled"


def test_a_run_that_was_pending_says_so_until_it_gets_a_task_started() -> None:
    with TektonWorld() as world:
        world.create(QUOTAS, {"metadata": {"name": "none"}, "spec": {"hard": {"count/taskruns.tekton.dev": "0"}}})
        world.submit([task("t")], status="PipelineRunPending")
        world.run(1)
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": None}})
        world.run(1)
        assert world.verdict() == ("Unknown", "Started", 'PipelineRun "run" is pending')


def parents(graph: Graph) -> Mapping[str, tuple[str, ...]]:
    return {one.name: one.parents for one in graph.tasks}


def test_results_in_parameters_when_and_steps_put_a_task_after_their_origin() -> None:
    use = "$(tasks.{}.results.r)"
    graph = graph_of(
        {
            "tasks": [
                task("a"),
                task("b", params=[{"name": "p", "value": use.format("a")}]),
                task("c", when=[{"input": "x", "operator": "in", "values": [use.format("b")]}]),
                task("d", script=f"echo {use.format('c')}"),
                task("e", displayName=use.format("d")),
            ]
        }
    )
    assert parents(graph) == {"a": (), "b": ("a",), "c": ("b",), "d": ("c",), "e": ()}
