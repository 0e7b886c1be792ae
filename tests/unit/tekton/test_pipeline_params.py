"""Parameters of pipelines: what is refused, and where the values go."""

from typing import Any

import pytest
from tekton_world import TektonWorld, task

from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version

_Params = list[dict[str, Any]]


def param(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


def test_parameters_of_another_type_are_named_in_the_order_of_the_run() -> None:
    declared = [{"name": "a", "type": "array"}, {"name": "b"}]
    with TektonWorld() as world:
        world.submit(
            [task("t")], pipeline_params=declared, params=[param("b", ["x"]), param("a", "x"), param("c", "x")]
        )
        world.run(2)
        assert world.verdict() == (
            "False",
            "ParameterTypeMismatch",
            "[User error] PipelineRun workflows/run parameters have mismatching types with Pipeline workflows/run's "
            "parameters: parameters have inconsistent types : [b a]",
        )


def test_parameters_that_nothing_declares_are_accepted() -> None:
    with TektonWorld() as world:
        world.submit([task("t")], params=[param("extra", "x")])
        world.run(5)
        assert world.verdict()[:2] == ("True", "Succeeded")


def test_an_object_without_a_key_that_is_declared_is_refused() -> None:
    declared = [{"name": "o", "type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}}]
    with TektonWorld() as world:
        world.submit([task("t")], pipeline_params=declared, params=[param("o", {"x": "1"})])
        world.run(2)
        assert world.verdict() == (
            "False",
            "ObjectParameterMissKeys",
            "[User error] PipelineRun workflows/run parameters is missing object keys required by Pipeline "
            "workflows/run's parameters: pipelineRun missing object keys for parameters: map[o:[y]]",
        )


def test_an_item_beyond_the_end_of_an_array_is_refused() -> None:
    uses = task("t", params=[param("p", "$(params.a[2])")], task_params=[{"name": "p"}])
    with TektonWorld() as world:
        world.submit([uses], pipeline_params=[{"name": "a", "type": "array"}], params=[param("a", ["x", "y"])])
        world.run(2)
        assert world.verdict() == (
            "False",
            "ParamArrayIndexingInvalid",
            "[User error] PipelineRun workflows/run failed validation: failed to validate Pipeline workflows/run's "
            "parameter which has an invalid index while referring to an array: "
            "non-existent param references:[$(params.a[2])]",
        )


def test_arrays_and_objects_pass_to_tasks_whole_and_in_parts() -> None:
    given = [
        param("list", "$(params.a[*])"),
        param("more", ["first", "$(params.a[*])"]),
        param("one", "$(params.a[1])-$(params.o.k)"),
        param("all", "$(params.o[*])"),
    ]
    names = [{"name": "list", "type": "array"}, {"name": "more", "type": "array"}, {"name": "one"}]
    uses = task("t", params=given, task_params=[*names, {"name": "all", "type": "object", "properties": {"k": {}}}])
    declared = [{"name": "a", "type": "array"}, {"name": "o", "type": "object", "properties": {"k": {}}}]
    with TektonWorld() as world:
        world.submit([uses], pipeline_params=declared, params=[param("a", ["x", "y"]), param("o", {"k": "v"})])
        world.run(2)
        assert [one["value"] for one in world.task_run("t")["spec"]["params"]] == [
            ["x", "y"],
            ["first", "x", "y"],
            "y-v",
            {"k": "v"},
        ]


def test_a_default_may_use_other_parameters_since_the_later_release() -> None:
    declared = [
        {"name": "url", "default": "$(params.host)/app"},
        {"name": "host", "default": "$(params.base).org"},
        {"name": "base"},
    ]
    uses = task("t", script="$(params.url)")
    with TektonWorld() as world:
        world.submit([uses], pipeline_params=declared, params=[param("base", "reg")])
        world.run(2)
        assert world.task_run("t")["spec"]["taskSpec"]["steps"][0]["script"] == "reg.org/app"


def test_defaults_that_use_each_other_fail_the_run_in_the_later_release() -> None:
    declared = [{"name": "a", "default": "$(params.b)"}, {"name": "b", "default": "$(params.a)"}]
    with TektonWorld() as world:
        world.submit([task("t", script="$(params.a)")], pipeline_params=declared)
        world.run(2)
        assert world.verdict() == (
            "False",
            "PipelineValidationFailed",
            "[User error] Failed to apply parameters to Pipeline workflows/run: parameter resolution failed: "
            'circular dependency detected in param "params.a"',
        )


@pytest.mark.parametrize(("version", "script"), [(V1_7, "1 2"), (V1_15, "1 $(params.o.y)")])
def test_a_default_object_fills_up_a_given_one_only_in_the_earlier_release(version: Version, script: str) -> None:
    declared = [{"name": "o", "type": "object", "properties": {"x": {}, "y": {}}, "default": {"x": "0", "y": "2"}}]
    with TektonWorld(TektonOptions(version=version)) as world:
        uses = task("t", script="$(params.o.x) $(params.o.y)")
        world.submit([uses], pipeline_params=declared, params=[param("o", {"x": "1"})])
        world.run(2)
        assert world.pipeline_run()["status"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["script"] == script


def test_what_a_pipeline_task_passes_on_hides_the_runs_parameter_from_the_embedded_task() -> None:
    hides = task("hides", script="$(params.p)", params=[param("p", "own $(params.p)")])
    keeps = task("keeps", script="$(params.p)", task_params=[{"name": "p", "default": "default"}])
    with TektonWorld() as world:
        world.submit([hides, keeps], pipeline_params=[{"name": "p"}], params=[param("p", "run's")])
        world.run(2)
        scripts = [world.task_run(one)["spec"]["taskSpec"]["steps"][0]["script"] for one in ("hides", "keeps")]
        assert scripts == ["own run's", "run's"]


def test_a_parameter_the_task_needs_and_the_pipeline_does_not_pass_fails_the_run() -> None:
    with TektonWorld() as world:
        world.submit([task("t", task_params=[{"name": "need"}])])
        world.run(2)
        assert world.verdict() == (
            "False",
            "PipelineValidationFailed",
            "[User error] Validation failed for pipelinerun run with error invalid input params for task : "
            "missing values for these params which have no default values: [need]",
        )
        assert world.pods_started == []


def test_names_of_the_run_and_of_its_workspaces_are_filled_in() -> None:
    script = "$(context.pipelineRun.name) $(context.pipeline.name) $(workspaces.w.bound)"
    retries = [param("r", "$(context.pipelineTask.retries)")]
    with TektonWorld() as world:
        uses = task("t", script=script, params=retries, task_params=[{"name": "r"}], retries=2)
        world.submit([uses], pipeline_workspaces=[{"name": "w", "optional": True}])
        world.run(2)
        spec = world.task_run("t")["spec"]
        assert spec["taskSpec"]["steps"][0]["script"] == "run run false"
        assert spec["params"] == [param("r", "2")]
