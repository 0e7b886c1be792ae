"""What a TaskRun says of its pod: reasons and texts of both releases."""

import json
from typing import Any

import pytest

from controller.ports import Document
from sim.tekton import podfailure, podstatus, termination
from sim.tekton.conditions import condition_of
from sim.tekton.goformat import quoted
from sim.tekton.taskresults import NONE_DECLARED, declared_by
from sim.tekton.version import V1_7, V1_15, Version

NOW = "2026-01-05T08:00:00Z"
LATE = [{"key": "StartedAt", "value": "2026-01-05T07:59:58.123Z", "type": 3}]


def container(name: str, **state: Any) -> Document:
    return {"name": name, "state": state, "ready": "running" in state}


def ended(code: int, reason: str, *entries: Document) -> Document:
    message = {"message": json.dumps([*LATE, *entries])} if entries or reason in ("Completed", "Error") else {}
    return {"exitCode": code, "reason": reason, "startedAt": NOW, "finishedAt": NOW, **message}


def observed(status: Document, version: Version = V1_15, **more: Any) -> dict[str, Any]:
    containers = [{"name": one["name"]} for one in status.get("containerStatuses", ())]
    pod = {"metadata": {"name": "run-t-pod"}, "spec": {"containers": containers}, "status": status}
    told: dict[str, Any] = {"startTime": NOW, "podName": ""}
    podstatus.observe(told, pod, more.get("declared", NONE_DECLARED), ignore_failure=False, version=version, now=NOW)
    return told


def summary(status: Document, version: Version = V1_15) -> tuple[str, str, str]:
    condition = condition_of(observed(status, version)) or {}
    return condition["status"], condition["reason"], condition.get("message", "")


FAILURES = [
    ({"containerStatuses": [container("step-a", terminated=ended(3, "Error"))]}, "StepFailed",
     '"step-a" exited with code 3: Error'),
    ({"containerStatuses": [container("step-a", terminated=ended(137, "OOMKilled"))]}, "StepOOM",
     '"step-a" exited with code 137: OOMKilled'),
    ({"containerStatuses": [container("step-a", terminated=ended(0, "OOMKilled"))]}, "StepOOM", "OOMKilled"),
    ({"initContainerStatuses": [container("prepare", terminated=ended(255, "Error"))], "containerStatuses": []},
     "InitContainerFailed", 'init container failed, "prepare" exited with code 255: Error'),
    ({"initContainerStatuses": [container("prepare", terminated=ended(137, "OOMKilled"))], "containerStatuses": []},
     "InitContainerOOM", 'init container failed, "prepare" exited with code 137: OOMKilled'),
    ({"reason": "Evicted", "message": "The node was low on resource: memory.", "containerStatuses": []},
     "PodEvicted", "The node was low on resource: memory."),
    ({"message": "Pod was active on the node longer than the specified deadline", "containerStatuses": []},
     "Failed", "Pod was active on the node longer than the specified deadline"),
    ({"containerStatuses": []}, "Failed", "build failed for unspecified reasons."),
    ({"containerStatuses": [container("step-a", terminated=ended(
        1, "Error", {"key": "Reason", "value": "TimeoutExceeded", "type": 3}))]}, "StepFailed",
     '"step-a" exited because the step exceeded the specified timeout limit'),
]  # fmt: skip


@pytest.mark.parametrize(("status", "reason", "message"), FAILURES)
def test_a_failed_pod_gives_its_cause_and_before_v1_12_only_the_text(
    status: Document, reason: str, message: str
) -> None:
    assert summary({"phase": "Failed", **status}) == ("False", reason, message)
    assert summary({"phase": "Failed", **status}, V1_7) == ("False", "Failed", message)


def test_a_crashed_sidecar_is_named_before_the_step_it_brought_down() -> None:
    statuses = [
        container("step-a", terminated=ended(1, "Error")),
        container("sidecar-db", terminated=ended(137, "OOMKilled")),
    ]
    status = {"phase": "Failed", "containerStatuses": statuses}
    assert summary(status)[1:] == ("SidecarOOM", '"sidecar-db" exited with code 137: OOMKilled')


WAITS = [
    ("ErrImagePull", 'no "such" image', "Unknown", "PullImageFailed",
     'build step "step-a" is pending with reason "no \\"such\\" image"'),
    ("PodInitializing", "", "Unknown", "Pending", "Pending"),
    ("CreateContainerConfigError", 'secret "s" not found', "False", "CreateContainerConfigError",
     "Failed to create pod due to config error"),
    ("CreateContainerConfigError", "failed to create subPath directory for volumeMount", "Unknown", "Pending",
     "Waiting for subPath directory creation to complete"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "text", "state", "told", "message"), WAITS)
def test_a_waiting_step_says_why(reason: str, text: str, state: str, told: str, message: str) -> None:
    wait = {"reason": reason, "message": text} if text else {"reason": reason}
    status = {"phase": "Pending", "containerStatuses": [container("step-a", waiting=wait)]}
    assert summary(status) == (state, told, message)


def test_an_init_image_that_cannot_be_pulled_shows_only_in_the_later_release() -> None:
    status = {
        "phase": "Pending",
        "conditions": [{"type": "Initialized", "status": "False", "message": "m"}],
        "initContainerStatuses": [container("prepare", waiting={"reason": "ImagePullBackOff", "message": "x"})],
    }
    assert summary(status)[1:] == ("PullImageFailed", 'pod status "Initialized":"False"; message: "m"')
    assert summary(status, V1_7)[1] == "Pending"


def test_only_a_lack_of_resources_counts_as_exceeding_the_nodes() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "untolerated taint"}
    assert summary({"phase": "Pending", "conditions": [condition]})[1] == "Pending"
    condition = {**condition, "message": "0/3 nodes are available: 3 Insufficient memory."}
    assert summary({"phase": "Pending", "conditions": [condition]})[1] == "ExceededNodeResources"


def test_a_failed_step_waits_for_the_others_but_an_oom_kill_does_not() -> None:
    def status(reason: str) -> Document:
        statuses = [container("step-a", terminated=ended(1, reason)), container("step-b", running={"startedAt": NOW})]
        return {"phase": "Running", "containerStatuses": statuses}

    assert summary(status("Error"))[:2] == ("Unknown", "Running")
    assert summary(status("OOMKilled"))[:2] == ("False", "StepOOM")
    assert "running" in observed(status("OOMKilled"))["steps"][1]


def test_the_entrypoints_words_become_the_steps_state_and_the_tasks_results() -> None:
    entries = [{"key": "ExitCode", "value": "4", "type": 3}, {"key": "r", "value": "42", "type": 1}]
    status = {
        "phase": "Succeeded",
        "containerStatuses": [container("step-a", terminated=ended(0, "Completed", *entries))],
    }
    told = observed(status, declared=declared_by({"results": [{"name": "r"}], "steps": []}))
    step = told["steps"][0]
    assert step["terminationReason"] == "Continued"
    assert step["terminated"]["exitCode"] == 4
    assert step["terminated"]["startedAt"] == "2026-01-05T07:59:58Z"
    assert json.loads(step["terminated"]["message"]) == [entries[1]]
    assert told["results"] == [{"name": "r", "type": "string", "value": "42"}]


@pytest.mark.parametrize("message", ["not json", "{}", "[1]", '["x"]', "[" * 5000])
def test_a_termination_message_of_somebody_else_is_no_reason_to_fail(message: str) -> None:
    with pytest.raises(termination.Unreadable):
        termination.parse(message)
    terminated = {"exitCode": 1, "reason": "Error", "message": message}
    assert (
        summary({"phase": "Failed", "containerStatuses": [container("step-a", terminated=terminated)]})[1]
        == "StepFailed"
    )


def test_a_step_that_cannot_start_fails_the_task_run_where_the_release_says_so() -> None:
    steps = [{"name": "a", "waiting": {"reason": "CreateContainerError", "message": "no such device"}}]
    assert podfailure.hopeless("run-t", {"steps": steps}, V1_7) is None
    assert podfailure.hopeless("run-t", {"steps": steps}, V1_15) == (
        "PodCreationFailed",
        'the step "a" in TaskRun "run-t" failed to start. The pod errored with the message: "no such device."',
    )


def test_a_sidecar_that_survived_its_oom_kill_is_a_cause_for_the_later_release_only() -> None:
    statuses = [
        container("step-a", terminated=ended(0, "Completed")),
        container("sidecar-db", terminated=ended(0, "OOMKilled")),
    ]
    status = {"phase": "Failed", "containerStatuses": statuses}
    assert summary(status)[1:] == ("SidecarOOM", "OOMKilled")
    assert summary(status, V1_7)[1:] == ("Failed", "build failed for unspecified reasons.")


def test_a_missing_directory_is_waited_for_in_steps_but_not_told_of_init_containers() -> None:
    wait = {"reason": "CreateContainerConfigError", "message": "failed to create subPath directory for volumeMount"}
    status = {
        "phase": "Pending",
        "initContainerStatuses": [container("prepare", waiting=wait)],
        "containerStatuses": [container("step-a", waiting={"reason": "PodInitializing"})],
    }
    assert summary(status)[1:] == ("Pending", "Pending")


def test_a_configuration_error_of_an_init_container_counts_in_the_later_release_only() -> None:
    wait = {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
    status = {"phase": "Pending", "initContainerStatuses": [container("prepare", waiting=wait)]}
    assert summary(status)[:2] == ("False", "CreateContainerConfigError")
    assert summary(status, V1_7)[:2] == ("Unknown", "Pending")


@pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
def test_a_pod_that_ended_without_its_containers_says_what_the_node_said(version: Version) -> None:
    status = {"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}
    told = observed(status, version)
    assert summary(status, version) == ("False", "Failed", "Node didn't have enough resource: cpu")
    assert "steps" not in told


def test_odd_characters_are_quoted_as_go_quotes_them() -> None:
    assert quoted('a\\b"c\n\x1b\u2028\u00e9') == '"a\\\\b\\"c\\n\\x1b\\u2028\u00e9"'
