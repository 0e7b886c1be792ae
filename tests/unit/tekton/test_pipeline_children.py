"""The TaskRuns of a pipeline: names, metadata, settings of their own, workspaces, time limits."""

import hashlib
from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, TASK_RUNS
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version


def submitted(world: TektonWorld, metadata: dict[str, Any], spec: dict[str, Any]) -> Document:
    """The TaskRun of the only task ``t`` of a run that was given this metadata and spec."""
    world.create(PIPELINE_RUNS, {"metadata": {"name": "run", **metadata}, "spec": spec})
    world.run(2)
    return world.task_run("t")


def test_labels_come_from_the_tasks_settings_then_the_run_then_the_embedded_task() -> None:
    embedded = task("t")
    embedded["taskSpec"]["metadata"] = {"labels": {"a": "task", "b": "task", "c": "task"}, "annotations": {"x": "task"}}
    own = [{"pipelineTaskName": "t", "metadata": {"labels": {"a": "own"}, "annotations": {"y": "own"}}}]
    with TektonWorld() as world:
        run = submitted(
            world,
            {"labels": {"a": "run", "b": "run"}, "annotations": {"y": "run"}},
            {"pipelineSpec": {"tasks": [embedded]}, "taskRunSpecs": own},
        )
        labels, annotations = run["metadata"]["labels"], run["metadata"]["annotations"]
        assert {key: labels[key] for key in "abc"} == {"a": "own", "b": "run", "c": "task"}
        assert (annotations["x"], annotations["y"]) == ("task", "own")
        assert labels["tekton.dev/pipelineTask"] == "t"


def test_a_tasks_own_settings_win_over_those_of_all_tasks() -> None:
    own = {
        "pipelineTaskName": "t",
        "serviceAccountName": "default",
        "timeout": "90s",
        "podTemplate": {"nodeSelector": {"disk": "ssd"}, "env": [{"name": "A", "value": "own"}]},
        "computeResources": {"requests": {"cpu": "1"}},
    }
    general = {
        "schedulerName": "other",
        "nodeSelector": {"disk": "any"},
        "env": [{"name": n, "value": "g"} for n in "AB"],
    }
    with TektonWorld() as world:
        spec = {
            "pipelineSpec": {"tasks": [task("t", timeout="5m")]},
            "taskRunTemplate": {"serviceAccountName": "other", "podTemplate": general},
            "taskRunSpecs": [own],
        }
        run = submitted(world, {}, spec)["spec"]
        assert (run["serviceAccountName"], run["timeout"]) == ("default", "1m30s")
        assert run["computeResources"] == {"requests": {"cpu": "1"}}
        assert run["podTemplate"] == {
            "schedulerName": "other",
            "nodeSelector": {"disk": "ssd"},
            "env": [{"name": "B", "value": "g"}, {"name": "A", "value": "own"}],
        }


@pytest.mark.parametrize(
    ("version", "timeouts", "timeout"),
    [
        (V1_7, {"pipeline": "4h", "tasks": "3h"}, "1h0m0s"),
        (V1_15, {"pipeline": "4h", "tasks": "3h"}, "3h0m0s"),
        (V1_15, {"pipeline": "4h"}, "1h0m0s"),
        (V1_15, {"pipeline": "4h", "finally": "1h"}, "3h0m0s"),
        (V1_15, {"pipeline": "0s", "finally": "1h"}, "1h0m0s"),
        (V1_15, {"pipeline": "0s", "tasks": "0s"}, "0s"),
        (V1_15, {"pipeline": "30m", "tasks": "20m"}, "1h0m0s"),
    ],
)
def test_a_task_may_last_as_long_as_its_part_of_the_run_since_the_later_release(
    version: Version, timeouts: dict[str, str], timeout: str
) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        run = submitted(world, {}, {"pipelineSpec": {"tasks": [task("t")]}, "timeouts": timeouts})
        assert run["spec"]["timeout"] == timeout


def test_a_task_gets_the_workspaces_it_asks_for_and_those_that_its_steps_use() -> None:
    asks = {"name": "source", "workspace": "shared", "subPath": "src"}
    pipeline: dict[str, Any] = {
        "tasks": [task("t", workspaces=[asks], script="ls $(workspaces.cache.path)")],
        "workspaces": [{"name": "shared"}, {"name": "cache"}],
    }
    bound = [{"name": "shared", "emptyDir": {}, "subPath": "$(params.dir)"}, {"name": "cache", "emptyDir": {}}]
    spec = {"pipelineSpec": pipeline, "workspaces": bound, "params": [{"name": "dir", "value": "x"}]}
    pipeline["tasks"][0]["taskSpec"]["workspaces"] = [{"name": "source"}, {"name": "cache"}]
    with TektonWorld() as world:
        assert submitted(world, {}, spec)["spec"]["workspaces"] == [
            {"name": "source", "emptyDir": {}, "subPath": "x/src"},
            {"name": "cache", "emptyDir": {}},
        ]


def test_a_workspace_that_the_run_does_not_bind_fails_the_creation_for_good() -> None:
    with TektonWorld() as world:
        world.submit([task("u", script="ls $(workspaces.lost.path)")])
        world.run(2)
        message = 'expected workspace "lost" to be provided by pipelinerun for pipeline task "u"'
        assert world.verdict() == ("False", "CreateRunFailed", message)


def test_a_workspace_that_only_the_pipeline_takes_for_optional_fails_the_run() -> None:
    asks = task("t", workspaces=[{"name": "w", "workspace": "w"}])
    asks["taskSpec"]["workspaces"] = [{"name": "w"}]
    with TektonWorld() as world:
        world.submit([asks], pipeline_workspaces=[{"name": "w", "optional": True}])
        world.run(2)
        assert world.verdict() == (
            "False",
            "RequiredWorkspaceMarkedOptional",
            '[User error] Optional workspace not supported by task: pipeline workspace "w" is marked optional but '
            'pipeline task "t" requires it be provided',
        )


def test_names_that_would_be_too_long_keep_their_end_and_get_a_digest() -> None:
    name = "n" * 60
    with TektonWorld(outcomes={"a-task": Outcome(ends=False)}) as world:
        world.submit([task("a-task")], name=name)
        world.run(2)
        listed = world.pipeline_run(name)["status"]["childReferences"]
        digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
        assert [one["name"] for one in listed] == ["n" * 24 + digest + "-a-task"]
        world.server.get(ADMIN, TASK_RUNS, NAMESPACE, listed[0]["name"])


def test_the_display_name_of_a_child_is_told_with_its_parameters_in_place() -> None:
    shown = task("t", displayName="on $(params.p)", params=[{"name": "p", "value": "x"}], task_params=[{"name": "p"}])
    with TektonWorld() as world:
        world.submit([shown])
        world.run(5)
        assert world.pipeline_run()["status"]["childReferences"][0]["displayName"] == "on x"


@pytest.mark.parametrize(("version", "label"), [(V1_7, "daily-abc"), (V1_15, "daily")])
def test_a_generated_name_labels_the_pipeline_by_its_stem_in_the_later_release(version: Version, label: str) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        metadata = {"name": "daily-abc", "generateName": "daily-"}
        world.create(PIPELINE_RUNS, {"metadata": metadata, "spec": {"pipelineSpec": {"tasks": [task("t")]}}})
        world.run(2)
        assert world.task_run("t", "daily-abc")["metadata"]["labels"]["tekton.dev/pipeline"] == label


def test_labels_and_annotations_of_a_local_pipeline_are_taken_over_except_for_kubectls_own() -> None:
    last = "kubectl.kubernetes.io/last-applied-configuration"
    metadata = {"name": "p", "labels": {"a": "pipeline", "b": "pipeline"}, "annotations": {"x": "pipeline", last: "{}"}}
    with TektonWorld() as world:
        world.create(PIPELINES, {"metadata": metadata, "spec": {"tasks": [task("t")]}})
        submitted(world, {"labels": {"a": "run"}}, {"pipelineRef": {"name": "p"}})
        run = world.pipeline_run()["metadata"]
        assert run["labels"] == {"a": "run", "b": "pipeline", "tekton.dev/pipeline": "p"}
        assert run["annotations"] == {"x": "pipeline"}
