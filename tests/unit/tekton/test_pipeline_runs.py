"""How a pipeline runs: order, results, conditions, failures, the final tasks, limits."""

from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version

OK_1 = ("True", "Succeeded", "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0")


def test_tasks_start_in_the_order_of_their_graph_and_are_listed_in_that_of_the_pipeline() -> None:
    with TektonWorld() as world:
        world.submit([task("last", runAfter=["b", "a"]), task("a"), task("b", runAfter=["a"])])
        world.run(10)
        assert world.verdict()[:2] == ("True", "Succeeded")
        assert world.pods_started == ["run-a-pod", "run-b-pod", "run-last-pod"]
        assert world.started_tasks() == ["last", "a", "b"]


def test_results_reach_later_tasks_and_the_run_itself() -> None:
    with TektonWorld(outcomes={"t1": Outcome(results={"r": "42"})}) as world:
        world.submit(
            [
                task("t1", results=[{"name": "r"}]),
                task("t2", params=[{"name": "p", "value": "$(tasks.t1.results.r)!"}], task_params=[{"name": "p"}]),
            ],
            pipeline_results=[{"name": "answer", "value": "$(tasks.t1.results.r)"}],
        )
        world.run(10)
        assert world.task_run("t2")["spec"]["params"] == [{"name": "p", "value": "42!"}]
        assert world.pipeline_run()["status"]["results"] == [{"name": "answer", "value": "42"}]


@pytest.mark.parametrize(
    ("version", "detail"),
    [
        (V1_7, ""),
        (
            V1_15,
            ' (task "t1" completed successfully but did not emit the result "r", which is referenced by task "t2")',
        ),
    ],
)
def test_a_result_that_never_came_fails_the_run_although_its_task_succeeded(version: Version, detail: str) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        world.submit(
            [
                task("t1", results=[{"name": "r"}]),
                task("t2", params=[{"name": "p", "value": "$(tasks.t1.results.r)"}], task_params=[{"name": "p"}]),
            ]
        )
        world.run(10)
        message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0, Failed Validation: 1" + detail
        assert world.verdict() == ("False", "PipelineValidationFailed", message)


def test_a_task_after_one_that_when_skipped_still_runs() -> None:
    never = [{"input": "a", "operator": "in", "values": ["b"]}]
    with TektonWorld() as world:
        world.submit([task("skipped", when=never), task("after", runAfter=["skipped"])])
        world.run(10)
        assert world.verdict() == ("True", "Completed", "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 1")
        assert world.pipeline_run()["status"]["skippedTasks"] == [
            {"name": "skipped", "reason": "When Expressions evaluated to false", "whenExpressions": never}
        ]


def test_a_failure_skips_what_was_to_come_and_runs_the_final_tasks() -> None:
    with TektonWorld(outcomes={"bad": Outcome(exit_code=3)}) as world:
        status_param = {"params": [{"name": "s", "value": "$(tasks.bad.status)"}], "task_params": [{"name": "s"}]}
        world.submit([task("bad"), task("next", runAfter=["bad"])], pipeline_finally=[task("tidy", **status_param)])
        world.run(10)
        assert world.verdict() == ("False", "Failed", "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1")
        assert world.pipeline_run()["status"]["skippedTasks"] == [
            {"name": "next", "reason": "PipelineRun was stopping"}
        ]
        assert world.task_run("tidy")["spec"]["params"] == [{"name": "s", "value": "Failed"}]
        assert "finallyStartTime" in world.pipeline_run()["status"]
        assert world.task_run("tidy")["metadata"]["labels"]["tekton.dev/memberOf"] == "finally"


def test_an_ignored_failure_lets_the_run_succeed_and_is_counted_apart() -> None:
    with TektonWorld(outcomes={"bad": Outcome(exit_code=1)}) as world:
        world.submit([task("bad", onError="continue"), task("next", runAfter=["bad"])])
        world.run(10)
        message = "Tasks Completed: 2 (Failed: 1 (Ignored: 1), Cancelled 0), Skipped: 0"
        assert world.verdict() == ("True", "Succeeded", message)
        assert world.task_run("bad")["status"]["conditions"][0]["reason"] == "FailureIgnored"


def test_while_others_run_a_failed_task_makes_the_run_stop() -> None:
    with TektonWorld(outcomes={"bad": Outcome(exit_code=1), "slow": Outcome(ends=False)}) as world:
        world.submit([task("bad"), task("slow"), task("more", runAfter=["bad"])])
        world.run(10)
        message = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 1"
        assert world.verdict() == ("Unknown", "PipelineRunStopping", message)


def test_a_graceful_cancel_stops_the_tasks_and_runs_the_final_ones() -> None:
    with TektonWorld(outcomes={"slow": Outcome(ends=False)}) as world:
        world.submit([task("slow")], pipeline_finally=[task("tidy")])
        world.run(3)
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": "CancelledRunFinally"}})
        world.run(0.12)
        assert world.verdict()[:2] == ("Unknown", "CancelledRunningFinally")
        world.run(10)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')
        assert world.task_run("tidy")["status"]["conditions"][0]["status"] == "True"


@pytest.mark.parametrize(
    ("version", "between"),
    [(V1_7, ("False", "PipelineRunTimeout")), (V1_15, ("Unknown", "PipelineRunTimeoutRunningFinally"))],
)
def test_after_a_tasks_timeout_the_later_release_waits_for_the_final_tasks(
    version: Version, between: tuple[str, str]
) -> None:
    outcomes = {"slow": Outcome(ends=False), "tidy": Outcome(work_ms=3000)}
    with TektonWorld(TektonOptions(version=version), outcomes=outcomes) as world:
        world.submit([task("slow")], pipeline_finally=[task("tidy")], timeouts={"pipeline": "1m", "tasks": "4s"})
        world.run(5)
        assert world.verdict()[:2] == between
        world.run(10)
        message = 'PipelineRun "run" failed due to tasks failed to finish within "4s"'
        assert world.verdict() == ("False", "PipelineRunTimeout", message)


def test_a_failed_task_with_attempts_left_runs_again_without_the_run_noticing() -> None:
    with TektonWorld(outcomes={"t": Outcome(exit_code=2)}) as world:
        world.submit([task("t", retries=1)])
        world.run(10)
        assert world.pods_started == ["run-t-pod", "run-t-pod-retry1"]
        assert len(world.task_run("t")["status"]["retriesStatus"]) == 1
        assert world.verdict() == ("False", "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0")


def test_parameters_fill_the_embedded_tasks_and_a_tasks_own_parameter_hides_the_runs() -> None:
    own = task(
        "own", script="$(params.p)", task_params=[{"name": "p"}], params=[{"name": "p", "value": "x$(params.p)"}]
    )
    with TektonWorld() as world:
        world.submit(
            [task("shared", script="$(params.p)"), own],
            params=[{"name": "p", "value": "1"}],
            pipeline_params=[{"name": "p"}],
        )
        world.run(10)
        assert world.verdict()[:2] == ("True", "Succeeded")
        assert world.task_run("shared")["status"]["taskSpec"]["steps"][0]["script"] == "1"
        assert world.task_run("own")["status"]["taskSpec"]["steps"][0]["script"] == "x1"


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        (
            {"pipeline_params": [{"name": "A"}, {"name": "B"}]},
            "ParameterMissing",
            "[User error] PipelineRun workflows/run is missing some parameters required by Pipeline workflows/run: "
            "pipelineRun missing parameters: [A B]",
        ),
        (
            {"pipeline_workspaces": [{"name": "w"}]},
            "InvalidWorkspaceBindings",
            "[User error] PipelineRun workflows/run doesn't bind Pipeline workflows/run's Workspaces correctly: "
            'pipeline requires workspace with name "w" be provided by pipelinerun',
        ),
    ],
)
def test_unmet_demands_fail_the_run_before_anything_starts(spec: dict[str, Any], reason: str, message: str) -> None:
    with TektonWorld() as world:
        world.submit([task("t")], **spec)
        world.run(2)
        assert world.verdict() == ("False", reason, message)
        assert world.pods_started == []


def test_a_pending_run_waits_for_its_user() -> None:
    with TektonWorld() as world:
        world.submit([task("t")], status="PipelineRunPending")
        world.run(5)
        assert world.verdict() == ("Unknown", "PipelineRunPending", 'PipelineRun "run" is pending')
        assert "startTime" not in world.pipeline_run()["status"]
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": None}})
        world.run(5)
        assert world.verdict() == OK_1
