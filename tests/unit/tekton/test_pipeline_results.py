"""Results: from task to task, into `when`, and out of the pipeline."""

from typing import Any

import pytest
from tekton_world import Outcome, TektonWorld, task

from sim.tekton.access import TASKS
from sim.tekton.options import TektonOptions
from sim.tekton.pipelineresults import pipeline_results
from sim.tekton.version import V1_7, V1_15, Version

USE = "$(tasks.t1.results.r)"
GIVES = {"t1": Outcome(results={"r": "42"})}


def declared(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def test_a_result_decides_whether_a_task_runs_and_is_told_with_it() -> None:
    when = [{"input": USE, "operator": "notin", "values": ["42"]}]
    known = [{"input": "42", "operator": "notin", "values": ["42"]}]
    with TektonWorld(outcomes=GIVES) as world:
        world.submit([task("t1", results=declared("r")), task("t2", when=when), task("t3", runAfter=["t2"])])
        world.run(8)
        assert world.verdict() == ("True", "Completed", "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 1")
        skipped = {"name": "t2", "reason": "When Expressions evaluated to false", "whenExpressions": known}
        assert world.pipeline_run()["status"]["skippedTasks"] == [skipped]


def test_a_task_that_uses_the_result_of_a_skipped_one_is_skipped_for_want_of_it_and_so_are_its_children() -> None:
    never = [{"input": "a", "operator": "in", "values": ["b"]}]
    with TektonWorld() as world:
        world.submit(
            [
                task("t1", when=never, results=declared("r")),
                task("t2", params=[{"name": "p", "value": USE}], task_params=declared("p")),
                task("t3", runAfter=["t2"]),
            ]
        )
        world.run(3)
        skipped = world.pipeline_run()["status"]["skippedTasks"]
        assert [(one["name"], one["reason"]) for one in skipped] == [
            ("t1", "When Expressions evaluated to false"),
            ("t2", "Results were missing"),
            ("t3", "Parent Tasks were skipped"),
        ]
        assert world.verdict() == ("True", "Completed", "Tasks Completed: 0 (Failed: 0, Cancelled 0), Skipped: 3")


@pytest.mark.parametrize("version", [V1_7, V1_15])
def test_a_missing_result_of_an_ignored_failure_fails_the_validation(version: Version) -> None:
    with TektonWorld(TektonOptions(version=version), outcomes={"t1": Outcome(exit_code=1)}) as world:
        world.submit(
            [
                task("t1", onError="continue", results=declared("r")),
                task("t2", params=[{"name": "p", "value": USE}], task_params=declared("p")),
            ]
        )
        world.run(5)
        counts = "Tasks Completed: 1 (Failed: 1 (Ignored: 1), Cancelled 0), Skipped: 0, Failed Validation: 1"
        cause = "Invalid task result reference: Could not find result with name r for pipeline task t1"
        detail = f" ({cause})" if version is V1_15 else ""
        assert world.verdict() == ("False", "PipelineValidationFailed", counts + detail)


@pytest.mark.parametrize(("followed", "state"), [(False, "False"), (True, "Unknown")])
def test_after_a_missing_result_final_tasks_run_only_if_nothing_follows_the_task_that_wants_it(
    followed: bool, state: str
) -> None:
    tasks = [
        task("t1", results=declared("r")),
        task("t2", params=[{"name": "p", "value": USE}], task_params=declared("p")),
    ]
    if followed:
        tasks.append(task("t3", runAfter=["t2"]))
    with TektonWorld() as world:
        world.submit(tasks, pipeline_finally=[task("tidy")])
        world.run(6)
        assert world.verdict()[0] == state
        assert ("run-tidy-pod" in world.pods_started) != followed
        if followed:
            message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 1"
            assert world.verdict() == ("Unknown", "Running", message)


def test_a_result_that_the_referenced_task_does_not_declare_fails_the_run_at_once() -> None:
    with TektonWorld() as world:
        steps = [{"name": "a", "image": "reg.local/tool:1", "script": "echo"}]
        world.create(TASKS, {"metadata": {"name": "gives"}, "spec": {"steps": steps, "results": declared("other")}})
        uses = task("t2", params=[{"name": "p", "value": USE}], task_params=declared("p"))
        world.submit([{"name": "t1", "taskRef": {"name": "gives"}}, uses])
        world.run(3)
        message = 'invalid result reference in pipeline task "t2": "r" is not a named result returned by pipeline task '
        assert world.verdict() == ("False", "InvalidTaskResultReference", message + '"t1"')
        assert world.pods_started == []


def test_a_pipeline_result_that_the_referenced_task_does_not_declare_fails_the_run_at_once() -> None:
    with TektonWorld() as world:
        steps = [{"name": "a", "image": "reg.local/tool:1", "script": "echo"}]
        world.create(TASKS, {"metadata": {"name": "gives"}, "spec": {"steps": steps}})
        world.submit([{"name": "t1", "taskRef": {"name": "gives"}}], pipeline_results=[{"name": "out", "value": USE}])
        world.run(3)
        message = (
            'Failed to resolve pipeline result reference for "run" with error invalid pipeline result "out": '
            '"r" is not a named result returned by pipeline task "t1"'
        )
        assert world.verdict() == ("False", "InvalidPipelineResultReference", message)


def test_a_pipeline_result_that_never_came_fails_a_run_whose_tasks_succeeded() -> None:
    with TektonWorld() as world:
        world.submit([task("t1", results=declared("r"))], pipeline_results=[{"name": "out", "value": USE}])
        world.run(5)
        message = (
            "Failed to get PipelineResult from TaskRun Results for PipelineRun run: "
            "invalid pipelineresults [out], the referenced results don't exist"
        )
        assert world.verdict() == ("False", "CouldntGetPipelineResult", message)


@pytest.mark.parametrize(("version", "kept"), [(V1_7, False), (V1_15, True)])
def test_the_results_of_a_failed_task_count_in_the_later_release(version: Version, kept: bool) -> None:
    outcomes = {"t1": Outcome(exit_code=1, results={"r": "42"})}
    with TektonWorld(TektonOptions(version=version), outcomes=outcomes) as world:
        world.submit([task("t1", results=declared("r"))], pipeline_results=[{"name": "out", "value": USE}])
        world.run(5)
        assert world.verdict()[:2] == ("False", "Failed")
        expected = [{"name": "out", "value": "42"}] if kept else None
        assert world.pipeline_run()["status"].get("results") == expected


def test_a_final_task_knows_how_the_others_ended_until_it_has_started() -> None:
    when = [{"input": "$(tasks.t1.status)", "operator": "in", "values": ["Succeeded"]}]
    status = [{"name": "s", "value": "$(tasks.status) $(tasks.t1.reason)"}]
    with TektonWorld(outcomes={"tidy": Outcome(work_ms=3000)}) as world:
        world.submit([task("t1")], pipeline_finally=[task("tidy", when=when, params=status, task_params=declared("s"))])
        world.run(8)
        assert world.task_run("tidy")["spec"]["params"] == [{"name": "s", "value": "Succeeded Succeeded"}]
        assert world.pipeline_run()["status"]["childReferences"][1]["whenExpressions"] == when


def test_a_final_task_without_its_result_is_skipped_and_finally_does_not_start() -> None:
    with TektonWorld(outcomes={"t1": Outcome(exit_code=1)}) as world:
        tidy = task("tidy", params=[{"name": "p", "value": USE}], task_params=declared("p"))
        world.submit([task("t1", results=declared("r"))], pipeline_finally=[tidy])
        world.run(5)
        status = world.pipeline_run()["status"]
        assert status["skippedTasks"] == [{"name": "tidy", "reason": "Results were missing"}]
        assert "finallyStartTime" not in status
        assert world.verdict() == ("False", "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("$(tasks.t.results.text)!", "a!"),
        ("$(tasks.t.results.list[*])", ["x", "y"]),
        ("$(tasks.t.results.list[1])", "y"),
        ("$(tasks.t.results.object[*])", {"k": "v"}),
        ("$(tasks.t.results.object.k)", "v"),
        ("$(finally.f.results.text)", "b"),
        (["$(tasks.t.results.text)", "z"], ["a", "z"]),
    ],
)
def test_a_pipeline_result_takes_texts_arrays_objects_and_their_parts(value: Any, result: Any) -> None:
    emitted: dict[str, dict[str, Any]] = {
        "t": {"text": "a", "list": ["x", "y"], "object": {"k": "v"}},
        "f": {"text": "b"},
    }
    assert pipeline_results([{"name": "r", "value": value}], emitted, frozenset()) == (
        [{"name": "r", "value": result}],
        [],
    )


@pytest.mark.parametrize("value", ["$(tasks.t.results.list[2])", "$(tasks.t.results.o.k)", "$(tasks.x.results.r)"])
def test_a_pipeline_result_that_leads_nowhere_is_invalid_unless_its_task_did_not_succeed(value: str) -> None:
    listed = [{"name": "r", "value": value}]
    assert pipeline_results(listed, {"t": {"list": ["x"]}}, frozenset()) == ([], ["r"])
    if "x.results" in value:
        assert pipeline_results(listed, {"t": {}}, frozenset({"x"})) == ([], [])


def test_a_pipeline_result_without_any_variable_is_left_out() -> None:
    assert pipeline_results([{"name": "r", "value": "plain"}], {}, frozenset()) == ([], [])
