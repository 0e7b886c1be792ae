"""Sidecars of a TaskRun: when the first step may start, how they end, and what the status tells of them."""

import pytest
from task_stage import STEP, TaskStage
from tekton_world import NAMESPACE

from sim.apiserver.identity import ADMIN
from sim.tekton.access import PODS, TASK_RUNS, controller_reference
from sim.tekton.sidecars import NOP_IMAGE
from sim.tekton.version import V1_7, V1_15, Version

WITH_SIDECAR = {"steps": [STEP], "sidecars": [{"name": "db", "image": "db:1"}]}
BOTH = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)


def ready(stage: TaskStage) -> bool:
    return stage.pod()["metadata"]["annotations"].get("tekton.dev/ready") == "READY"


def finished(version: Version = V1_15) -> TaskStage:
    """The step is over, the sidecar is not."""
    stage = TaskStage(version)
    stage.start(WITH_SIDECAR)
    stage.play("Running", {"step-a": stage.ended(), "sidecar-db": stage.running()})
    return stage


@BOTH
def test_the_first_step_waits_until_every_sidecar_is_ready_or_over(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(WITH_SIDECAR)
        stage.play("Running", {"step-a": stage.running(), "sidecar-db": {"waiting": {"reason": "PodInitializing"}}})
        assert not ready(stage)
        stage.play("Running", {"step-a": stage.running(), "sidecar-db": stage.running()})
        assert ready(stage)
        assert stage.status()["sidecars"][0]["name"] == "db"


@BOTH
def test_a_task_run_is_over_although_its_sidecar_runs_which_then_gets_an_image_that_ends_at_once(
    version: Version,
) -> None:
    with finished(version) as stage:
        assert stage.outcome()[:2] == ("True", "Succeeded")
        assert [one["image"] for one in stage.pod()["spec"]["containers"]] == ["reg.local/tool:1", NOP_IMAGE]
        assert "running" in stage.status()["sidecars"][0]


@BOTH
def test_a_stopped_sidecar_is_told_as_completed(version: Version) -> None:
    with finished(version) as stage:
        now = stage.clock.timestamp()
        killed = {"exitCode": 143, "reason": "Error", "startedAt": now, "finishedAt": now, "containerID": "c://1"}
        sidecar = {"name": "sidecar-db", "image": "", "imageID": "", "ready": False, "restartCount": 1}
        sidecar |= {"state": stage.ended(), "lastState": {"terminated": killed}}
        step = {**sidecar, "name": "step-a", "lastState": {}}
        stage.play("Succeeded", {}, containerStatuses=[step, sidecar])
        assert stage.status()["sidecars"][0]["terminated"] == {
            **killed,
            "reason": "Completed",
            "message": "Sidecar container successfully stopped by nop image",
        }
        assert stage.outcome()[1] == "Succeeded"


@BOTH
def test_a_sidecar_that_can_never_start_fails_the_task_run(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(WITH_SIDECAR)
        wait = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
        stage.play("Pending", {"step-a": {"waiting": {"reason": "PodInitializing"}}, "sidecar-db": wait})
        assert stage.outcome() == (
            "False",
            "TaskRunImagePullFailed",
            'the sidecar "db" in TaskRun "run" failed to pull the image "". '
            'The pod errored with the message: "no such image."',
        )
        assert stage.server.find(PODS, NAMESPACE, "run-pod") is None


def test_an_injected_container_without_a_prefix_is_stopped_but_not_told() -> None:
    with TaskStage() as stage:
        stage.start(status="TaskRunPending")
        owner = controller_reference(TASK_RUNS, stage.server.get(ADMIN, TASK_RUNS, NAMESPACE, "run"))
        labels = {"app.kubernetes.io/managed-by": "tekton-pipelines"}
        metadata = {"name": "run-pod", "labels": labels, "annotations": {"a": "b"}, "ownerReferences": [owner]}
        containers = [{"name": "step-a", "image": "reg.local/tool:1"}, {"name": "istio-proxy", "image": "istio:1"}]
        stage.create(PODS, {"metadata": metadata, "spec": {"containers": containers}})
        stage.demand(status=None)
        stage.play("Running", {"step-a": stage.ended(), "istio-proxy": stage.running()})
        assert stage.pod()["spec"]["containers"][1]["image"] == NOP_IMAGE
        assert "sidecars" not in stage.status()
