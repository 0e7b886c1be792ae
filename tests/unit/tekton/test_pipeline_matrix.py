"""Tasks with a matrix: several TaskRuns that count as one task."""

from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import TASK_RUNS
from sim.tekton.matrix import combination_count, combinations
from sim.tekton.names import fanned_names


def array(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "value": list(values)}


def row(**params: str) -> dict[str, Any]:
    return {"params": [{"name": name, "value": value} for name, value in params.items()]}


def as_rows(matrix: Document) -> list[str]:
    return [" ".join(f"{one['name']}={one['value']}" for one in params) for params in combinations(matrix)]


@pytest.mark.parametrize(
    ("matrix", "rows"),
    [
        ({"params": [array("b", "1", "2"), array("a", "x", "y")]}, ["a=x b=1", "a=x b=2", "a=y b=1", "a=y b=2"]),
        ({"include": [row(a="1", b="2"), row(c="3")]}, ["a=1 b=2", "c=3"]),
        ({"params": [array("a", "1", "2")], "include": [row(a="2", b="x")]}, ["a=1", "a=2 b=x"]),
        ({"params": [array("a", "1", "2")], "include": [row(a="3")]}, ["a=1", "a=2", "a=3"]),
        ({"params": [array("a", "1", "2")], "include": [row(b="x")]}, ["a=1 b=x", "a=2 b=x"]),
    ],
)
def test_a_matrix_makes_every_combination_and_what_it_includes_besides(matrix: Document, rows: list[str]) -> None:
    assert as_rows(matrix) == rows
    assert combination_count(matrix) == len(rows)


def test_fanned_task_runs_are_numbered_and_long_names_are_cut_before_the_number() -> None:
    assert fanned_names("run", "t", 1) == ["run-t"]
    assert fanned_names("run", "t", 2) == ["run-t-0", "run-t-1"]
    long = fanned_names("r" * 50, "t" * 50, 11)
    assert [len(one) for one in long] == [62] * 10 + [63]
    assert len(set(long)) == 11


def test_a_fanned_task_counts_as_one_and_lists_all_its_task_runs() -> None:
    own = [{"name": "q", "value": "z"}]
    fan = task("t", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}, {"name": "q"}], params=own)
    with TektonWorld(outcomes={"t": Outcome(work_ms=2000)}) as world:
        world.submit([fan, task("next", runAfter=["t"])])
        world.run(1)
        message = "Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 0"
        assert world.verdict() == ("Unknown", "Running", message)
        listed = world.pipeline_run()["status"]["childReferences"]
        assert [(one["name"], one["pipelineTaskName"]) for one in listed] == [("run-t-0", "t"), ("run-t-1", "t")]
        second = world.server.get(ADMIN, TASK_RUNS, NAMESPACE, "run-t-1")
        assert second["spec"]["params"] == [{"name": "p", "value": "y"}, {"name": "q", "value": "z"}]
        world.run(5)
        assert world.verdict() == ("True", "Succeeded", "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0")


def test_the_results_of_a_fanned_task_are_an_array_for_the_next_one() -> None:
    fan = task("t", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}], results=[{"name": "r"}])
    uses = task("u", params=[{"name": "all", "value": "$(tasks.t.results.r[*])"}])
    uses["taskSpec"]["params"] = [{"name": "all", "type": "array"}]
    with TektonWorld(outcomes={"t": Outcome(results={"r": "1"})}) as world:
        world.submit([fan, uses])
        world.run(6)
        assert world.task_run("u")["spec"]["params"] == [{"name": "all", "value": ["1", "1"]}]


def test_how_wide_a_fan_was_is_known_to_the_tasks_after_it() -> None:
    fan = task("t", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}], results=[{"name": "r"}])
    given = {"runs": "$(tasks.t.matrix.length)", "results": "$(tasks.t.matrix.r.length)"}
    params = [{"name": name, "value": value} for name, value in given.items()]
    uses = task("u", params=params, task_params=[{"name": name} for name in given], runAfter=["t"])
    with TektonWorld(outcomes={"t": Outcome(results={"r": "1"})}) as world:
        world.submit([fan, uses])
        world.run(6)
        assert [one["value"] for one in world.task_run("u")["spec"]["params"]] == ["2", "2"]


def test_one_failure_fails_the_fanned_task_when_all_have_ended() -> None:
    fan = task("t", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}])
    with TektonWorld(outcomes={"t": Outcome(exit_code=1)}) as world:
        world.submit([fan])
        world.run(5)
        assert world.verdict() == ("False", "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0")


def test_a_fan_over_the_results_of_a_fan_is_as_wide_as_that_one() -> None:
    first = task("one", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}], results=[{"name": "r"}])
    second = task("two", matrix={"params": [{"name": "p", "value": "$(tasks.one.results.r[*])"}]})
    second["taskSpec"]["params"] = [{"name": "p"}]
    with TektonWorld(outcomes={"one": Outcome(results={"r": "1"})}) as world:
        world.submit([first, second])
        world.run(6)
        names = [one["name"] for one in world.pipeline_run()["status"]["childReferences"]]
        assert names == ["run-one-0", "run-one-1", "run-two-0", "run-two-1"]


@pytest.mark.parametrize(("used", "reason"), [(True, "Succeeded"), (False, "CouldntGetPipelineResult")])
def test_the_pipeline_has_the_results_of_a_fan_only_where_a_task_uses_them(used: bool, reason: str) -> None:
    fan = task("t", matrix={"params": [array("p", "x", "y")]}, task_params=[{"name": "p"}], results=[{"name": "r"}])
    given = [{"name": "all", "value": "$(tasks.t.results.r[*])"}] if used else []
    user = task("u", params=given, task_params=[{"name": "all", "type": "array", "default": []}])
    outcomes = {"t": Outcome(results={"r": "1"})}
    with TektonWorld(outcomes=outcomes) as world:
        world.submit([fan, user], pipeline_results=[{"name": "out", "value": "$(tasks.t.results.r[*])"}])
        world.run(6)
        assert world.verdict()[1] == reason
        expected = [{"name": "out", "value": ["1", "1"]}] if used else None
        assert world.pipeline_run()["status"].get("results") == expected


def test_a_fan_over_no_items_is_skipped() -> None:
    with TektonWorld() as world:
        fan = task("t", matrix={"params": [{"name": "p", "value": "$(params.a[*])"}]}, task_params=[{"name": "p"}])
        given = [{"name": "a", "value": []}]
        world.submit([fan], pipeline_params=[{"name": "a", "type": "array"}], params=given)
        world.run(3)
        skipped = [{"name": "t", "reason": "Matrix Parameters have an empty array"}]
        assert world.pipeline_run()["status"]["skippedTasks"] == skipped


def test_a_fan_over_a_text_fails_the_run() -> None:
    fan = task("t", matrix={"params": [{"name": "p", "value": "$(tasks.give.results.r)"}]}, task_params=[{"name": "p"}])
    with TektonWorld(outcomes={"give": Outcome(results={"r": "text"})}) as world:
        world.submit([task("give", results=[{"name": "r"}]), fan])
        world.run(5)
        assert world.verdict() == (
            "False",
            "InvalidMatrixParameterTypes",
            '[User error] Failed to validate matrix "parameters of type array only are allowed, but param \\"p\\" has '
            'type \\"string\\" in pipelineTask \\"t\\"" with error %!v(MISSING)',
        )
