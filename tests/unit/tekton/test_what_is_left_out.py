"""What of Tekton is not modelled, and what happens to a run that asks for it: it ends, and says why where it can."""

from typing import Any

import pytest
from tekton_world import NAMESPACE, TektonWorld, task

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PODS, RESOLUTION_REQUESTS
from sim.tekton.conditions import condition_of
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version

BOTH = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def pods(world: TektonWorld) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.server.list(ADMIN, PODS, NAMESPACE)["items"]
    return found


@BOTH
@pytest.mark.parametrize(
    ("tasks", "more", "why"),
    [
        (
            [{"name": "c", "pipelineSpec": {"tasks": [task("x")]}}],
            {},
            'pipelineSpec requires "enable-api-fields" feature gate to be "alpha" but it is "beta"',
        ),
        (
            [{**task("c"), "when": [{"cel": "'a' == 'b'"}]}],
            {},
            "feature flag enable-cel-in-whenexpression should be set to true to use CEL",
        ),
        (
            [task("c")],
            {"pipeline_params": [{"name": "p", "type": "string", "enum": ["a"]}]},
            "feature flag `enable-param-enum` should be set to true to use Enum",
        ),
    ],
    ids=["child pipelines", "CEL", "enum"],
)
def test_what_a_feature_flag_has_to_allow_is_refused_as_under_the_default_flags(
    version: Version, tasks: list[Any], more: dict[str, Any], why: str
) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        with pytest.raises(ApiError) as refused:
            world.submit(tasks, **more)
        assert refused.value.code == 400
        assert why in refused.value.message


@BOTH
def test_a_custom_task_is_a_task_that_does_not_exist(version: Version) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        world.submit([{"name": "c", "taskRef": {"apiVersion": "example.dev/v1", "kind": "Wait", "name": "w"}}])
        world.run(2)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "CouldntGetTask")
        assert message.endswith('Couldn\'t retrieve Task "w": tasks.tekton.dev "w" not found')


def test_a_step_that_refers_to_a_step_action_has_no_image() -> None:
    with TektonWorld() as world:
        world.submit([{"name": "c", "taskSpec": {"steps": [{"name": "a", "ref": {"name": "shared"}}]}}])
        world.run(2)
        condition = condition_of(world.task_run("c")["status"])
        assert condition is not None
        assert condition["reason"] == "PodCreationFailed"
        assert "spec.containers[0].image: Required value" in condition["message"]
        assert world.verdict()[:2] == ("False", "Failed")


def test_a_claim_of_the_runs_own_is_not_made_and_its_workspace_is_empty() -> None:
    with TektonWorld() as world:
        names, plain = [{"name": "w"}], task("c")
        asked = {**plain, "taskSpec": {**plain["taskSpec"], "workspaces": names}, "workspaces": names}
        world.submit([asked], pipeline_workspaces=names, workspaces=[{"name": "w", "volumeClaimTemplate": CLAIM}])
        world.run(3)
        assert world.verdict()[:2] == ("True", "Succeeded")
        (pod,) = pods(world)
        assert [set(one) for one in pod["spec"]["volumes"] if one["name"].startswith("ws-")] == [{"name"}]


def test_a_step_without_a_command_runs_without_its_image_being_asked_for_one() -> None:
    with TektonWorld() as world:
        world.submit([{"name": "c", "taskSpec": {"steps": [{"name": "a", "image": "reg.local/tool:1"}]}}])
        world.run(3)
        (pod,) = pods(world)
        arguments = pod["spec"]["containers"][0]["args"]
        assert arguments[arguments.index("-entrypoint") + 1] == ""
        assert world.verdict()[:2] == ("True", "Succeeded")


def test_steps_without_names_are_told_once_each() -> None:
    step = {"image": "reg.local/tool:1", "script": "true"}
    with TektonWorld() as world:
        world.submit([{"name": "c", "taskSpec": {"steps": [step, step]}}])
        world.run(4)
        assert [one["name"] for one in world.task_run("c")["status"]["steps"]] == ["unnamed-0", "unnamed-1"]


@BOTH
def test_what_only_another_resolver_could_find_is_not_found_within_the_minute(version: Version) -> None:
    with TektonWorld(TektonOptions(version=version)) as world:
        params = [{"name": "url", "value": "https://git.example/tasks"}]
        world.submit([{"name": "c", "taskRef": {"resolver": "git", "params": params}}])
        world.run(59)
        assert world.verdict()[:2] == ("Unknown", "ResolvingTaskRef")
        world.run(3)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "CouldntGetTask")
        assert message.endswith("resolution took longer than global timeout of 1m0s")


def test_old_api_versions_are_not_served_and_no_webhook_looks_at_resolution_requests() -> None:
    with TektonWorld() as world:
        with pytest.raises(ApiError) as unserved:
            world.server.resource("tekton.dev", "pipelineruns", "v1beta1")
        assert unserved.value.code == 404
        world.create(RESOLUTION_REQUESTS, {"metadata": {"name": "of-no-type"}, "spec": {}})  # the real one: 400
