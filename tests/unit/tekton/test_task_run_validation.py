"""What a TaskRun must give its Task, and Tasks that cannot be had: the pod is never made."""

from typing import Any

import pytest
from task_stage import STEP, TaskStage
from tekton_world import NAMESPACE

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PODS, TASK_RUNS, TASKS
from sim.tekton.taskvalidation import unmet
from sim.tekton.version import V1_7, V1_15, Version

BOTH = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)


def test_texts_of_unmet_demands() -> None:
    def text(task_spec: Document, **spec: Any) -> str:
        return unmet("t", {"steps": [STEP], **task_spec}, spec)

    declared = [{"name": "a", "type": "string"}, {"name": "b", "type": "array"}]
    invalid = "invalid input params for task t: "
    assert text({"params": declared}) == f"{invalid}missing values for these params which have no default values: [a b]"
    given = [{"name": "a", "value": ["x"]}, {"name": "b", "value": "y"}]
    assert text({"params": declared}, params=given) == (
        f"{invalid}param types don't match the user-specified type: [a b]"
    )
    demand = {**STEP, "computeResources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}}
    assert text({"steps": [demand]}) == "invalid request resource value: 2 must be less or equal to limit 1500m"
    asked = {**STEP, "script": "echo $(params.l[2])"}
    lists = {"params": [{"name": "l", "type": "array", "default": ["x", "y"]}], "steps": [asked]}
    assert text(lists) == "non-existent param references:[$(params.l[2])]"
    workspaces = {"workspaces": [{"name": "w"}, {"name": "o", "optional": True}]}
    assert text(workspaces) == 'declared workspace "w" is required but has not been bound'
    bound = [{"name": "w", "emptyDir": {}}, {"name": "x", "emptyDir": {}}]
    assert text(workspaces, workspaces=bound) == 'workspace binding "x" does not match any declared workspace'
    assert text(workspaces, workspaces=bound, taskSpec={"steps": [STEP]}) == ""
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("w", "o")]
    assert text(workspaces, workspaces=claims) == "more than one PersistentVolumeClaim is bound"
    assert text({}, stepSpecs=[{"name": "z"}], sidecarSpecs=[{"name": "y"}]) == (
        "invalid StepOverride: No Step named z\ninvalid SidecarOverride: No Sidecar named y"
    )


@BOTH
def test_a_task_run_that_does_not_meet_its_task_fails_for_good_and_events_tell_it_without_the_label(
    version: Version,
) -> None:
    with TaskStage(version) as stage:
        stage.create(TASKS, {"metadata": {"name": "t"}, "spec": {"params": [{"name": "a"}], "steps": [STEP]}})
        stage.start(taskRef={"name": "t"})
        text = "invalid input params for task t: missing values for these params which have no default values: [a]"
        assert stage.outcome() == ("False", "TaskRunValidationFailed", f"[User error] {text}")
        assert stage.status()["completionTime"]
        assert stage.status()["steps"] == [{"name": "a", "provenance": {}}]
        assert ("InternalError", text) in stage.told()
        assert ("Failed", f"[User error] {text}") in stage.told()
        assert stage.server.find(PODS, NAMESPACE, "run-pod") is None


@BOTH
def test_a_task_that_is_not_there_is_told_with_its_task_run(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(taskRef={"name": "t"})
        text = 'error when listing tasks for taskRun run: tasks.tekton.dev "t" not found'
        assert stage.outcome() == ("False", "TaskRunResolutionFailed", text)


@BOTH
def test_a_task_run_takes_the_labels_of_its_task_but_keeps_its_own(version: Version) -> None:
    with TaskStage(version) as stage:
        metadata = {"name": "t", "labels": {"team": "a", "mine": "no"}, "annotations": {"note": "x"}}
        stage.create(TASKS, {"metadata": metadata, "spec": {"steps": [STEP]}})
        spec = {"taskRef": {"name": "t"}}
        stage.create(TASK_RUNS, {"metadata": {"name": "run", "labels": {"mine": "yes"}}, "spec": spec})
        stage.run(1.0)
        found = stage.server.get(ADMIN, TASK_RUNS, NAMESPACE, "run")["metadata"]
        assert {"team": "a", "mine": "yes", "tekton.dev/task": "t"}.items() <= found["labels"].items()
        assert found["annotations"]["note"] == "x"
        assert stage.pod()["metadata"]["labels"]["tekton.dev/task"] == "t"
