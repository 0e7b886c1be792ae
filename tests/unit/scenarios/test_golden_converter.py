"""Recordings of situations that nobody has converted before are understood, and played."""

from typing import Any

import pytest
from rawrecording import DONE, POD, RUN, TASK, UP, RawRecording

from scenarios.golden.audit import Call
from scenarios.golden.deeds import Objects, Unplayable, deeds_of
from scenarios.golden.player import Played
from scenarios.golden.raw import convert
from scenarios.golden.recording import Recording
from scenarios.golden.simulated import simulate

_OBJECTS = Objects(RUN, TASK, POD)


def played(raw: RawRecording) -> tuple[Recording, Played]:
    recording = convert(raw.document)
    return recording, simulate(recording)


def last(result: Played, symbol: str) -> list[str]:
    """The last condition of an object: status, reason, message."""
    conditions = [write["status"]["conditions"][0] for write in result.writes[symbol] if write.get("status")]
    return list(conditions[-1])


@pytest.mark.parametrize(
    ("words", "deed"),
    [
        ("DELETE propagationPolicy=Orphan of a finished (failed) run", {"do": "delete", "propagation": "Orphan"}),
        ("DELETE taskrun", {"do": "delete", "resource": "taskruns", "name": TASK}),
        ("DELETE pod gracePeriodSeconds=0", {"do": "delete", "resource": "pods", "name": POD, "grace_period_s": 0}),
        ("DELETE pod (force)", {"do": "delete", "resource": "pods", "grace_period_s": 0}),
        ("DELETE pod", {"do": "delete", "resource": "pods", "name": POD}),
        ("DELETE blocker pod (frees quota)", {"do": "free quota"}),
        ("PATCH spec.status=StoppedRunFinally", {"do": "patch", "body": {"spec": {"status": "StoppedRunFinally"}}}),
        ("PATCH spec.status= (removes it)", {"do": "patch", "body": {"spec": {"status": None}}}),
        ("PATCH spec.status=null", {"do": "patch", "body": {"spec": {"status": None}}}),
        ("un-pended", {"do": "patch", "body": {"spec": {"status": None}}}),
        ("PATCH taskrun spec.status=TaskRunCancelled", {"do": "patch", "resource": "taskruns", "name": TASK}),
        ("created again under the same name", {"do": "recreate"}),
        ("re-created under the same name", {"do": "recreate"}),
        ("create after the webhook is back", {"do": "recreate"}),
        ("controller SIGTERM", {"do": "stop", "component": "controller"}),
        ("controller SIGKILL", {"do": "kill", "component": "controller"}),
        ("controller start (process)", {"do": "start", "component": "controller"}),
        ("resolvers SIGTERM", {"do": "stop", "component": "resolvers"}),
        ("resolvers killed", {"do": "kill", "component": "resolvers"}),
        ("resolvers start (after SIGTERM stop)", {"do": "start", "component": "resolvers"}),
        ("webhook stopped", {"do": "stop", "component": "webhook"}),
        ("webhook scaled to 0", {"do": "stop", "component": "webhook"}),
        ("webhook started", {"do": "start", "component": "webhook"}),
        ("garbage collector paused (SIGSTOP)", {"do": "pause", "component": "garbage collector"}),
        ("garbage collector resumed (SIGCONT)", {"do": "start", "component": "garbage collector"}),
    ],
)
def test_the_recorders_words_are_understood(words: str, deed: dict[str, Any]) -> None:
    (found,) = deeds_of([{"tMs": 2000.0, "action": words}], [], _OBJECTS)
    assert {key: found.get(key) for key in deed} == deed
    assert found["at_ms"] == 2000


@pytest.mark.parametrize(
    ("words", "how"), [("resolvers restarted (SIGTERM)", "stop"), ("controller restart (SIGKILL)", "kill")]
)
def test_a_restart_is_an_end_and_a_start(words: str, how: str) -> None:
    assert [deed["do"] for deed in deeds_of([{"tMs": 1.0, "action": words}], [], _OBJECTS)] == [how, "start"]


@pytest.mark.parametrize(
    "words", ["observed done", "all done", "waited 5 s", "pod evicted by the kubelet", "30 PipelineRuns created"]
)
def test_remarks_are_no_deeds(words: str) -> None:
    assert deeds_of([{"tMs": 1.0, "action": words}], [], _OBJECTS) == []


def test_something_else_that_was_created_is_not_taken_for_the_run() -> None:
    with pytest.raises(Unplayable, match="create quota"):
        deeds_of([{"tMs": 1.0, "action": "create quota", "code": 201}], [], _OBJECTS)


def test_the_audit_log_says_when_and_to_what_it_was_done() -> None:
    calls = [
        Call(20.0, 30.0, "client", "create", "pipelineruns", RUN, 201),
        Call(2104.0, 2114.0, "client", "delete", "pods", f"{RUN}-other-pod", 200),
    ]

    (deed,) = deeds_of([{"tMs": 2100.0, "action": "DELETE pod", "code": 200}], calls, _OBJECTS)

    assert (deed["name"], deed["at_ms"], deed["answer"]) == (f"{RUN}-other-pod", 2084, [200, ""])


def test_words_that_mean_nothing_are_refused_with_the_words() -> None:
    with pytest.raises(Unplayable, match="sang a song"):
        deeds_of([{"tMs": 1.0, "action": "sang a song"}], [], _OBJECTS)


def test_a_run_created_again_beside_orphans_ends_as_they_did() -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    raw.started(700)
    raw.status(1700, "Failed", {"step-a": ["terminated", 1, "Error"]})
    raw.action(3000, "DELETE propagationPolicy=Orphan of a finished (failed) run", code=200)
    raw.action(3030, "re-created under the same name", code=201)
    raw.calls.append([3001, 5.0, "client", "delete", "pipelineruns", "$PR", 200])
    raw.calls.append([3020, 5.0, "client", "create", "pipelineruns", "$PR", 201])

    recording, result = played(raw)

    assert [deed["at_ms"] for deed in recording.actions] == [3000, 3019]
    assert [answer[0] for answer in result.answers.values()] == [200, 201]
    assert last(result, f"PipelineRun/{RUN}/0") == last(result, f"PipelineRun/{RUN}/1")
    assert last(result, f"PipelineRun/{RUN}/1")[:2] == ["False", "Failed"]
    assert len([symbol for symbol in result.writes if symbol.startswith("TaskRun/")]) == 1


def test_a_pod_deleted_by_force_is_not_deleted_again_and_its_successor_has_a_life_of_its_own() -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    raw.started(700)
    raw.action(1500, "DELETE pod gracePeriodSeconds=0", code=200)
    raw.calls.append([1500, 5.0, "client", "delete", "pods", "$PR-run-pod", 200])
    gone = {"deletionTimestamp": {"s": 1.0}, "deletionGracePeriodSeconds": 0}
    raw.row(1520, "DELETED", "pods", POD, "POD#3", **gone)
    raw.pod(1560, "POD#4")
    raw.started(2300, "POD#4")
    raw.succeeded(3300, "POD#4")

    recording, result = played(raw)

    assert "delete" not in [line["do"] for script in recording.pods.values() for line in script]
    assert sorted(recording.pods) == [f"Pod/{POD}/0", f"Pod/{POD}/1"]
    assert sorted(symbol for symbol in result.writes if symbol.startswith("Pod/")) == sorted(recording.pods)
    assert last(result, f"TaskRun/{TASK}/0")[:2] == ["True", "Succeeded"]


@pytest.mark.parametrize(("version", "reason"), [("v1.7.0", "Failed"), ("v1.15.0", "PodEvicted")])
def test_an_eviction_is_recovered_from_what_the_task_run_says(version: str, reason: str) -> None:
    text = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "
    raw = RawRecording(version=version)
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    raw.started(700)
    raw.status(1700, "Failed", {"step-a": ["terminated", 137, "Error"]})
    raw.ended(1720, reason, text)

    recording, result = played(raw)

    assert recording.pods[f"Pod/{POD}/0"][-1]["reason"] == "Evicted"
    assert last(result, f"TaskRun/{TASK}/0") == ["False", reason, text]


def test_a_pending_run_starts_when_its_status_is_removed() -> None:
    raw = RawRecording(spec={"status": "PipelineRunPending"})
    raw.run(20)
    raw.action(2000, "PATCH spec.status= (removed: starts the run)", code=200)
    raw.calls.append([2000, 5.0, "client", "patch", "pipelineruns", "$PR", 200])
    raw.task(2030)
    raw.pod(2050)
    raw.started(2700)
    raw.succeeded(3700)

    _, result = played(raw)

    conditions = [
        write["status"]["conditions"][0][1] for write in result.writes[f"PipelineRun/{RUN}/0"][1:] if "status" in write
    ]
    assert conditions[0] == "PipelineRunPending"
    assert conditions[-1] == "Succeeded"


def _bundled(**more: str) -> RawRecording:
    params = [
        {"name": key, "value": value}
        for key, value in {"bundle": "reg/wf:v1", "name": "wf", "kind": "pipeline", **more}.items()
    ]
    raw = RawRecording(spec={"pipelineSpec": None, "pipelineRef": {"resolver": "bundles", "params": params}})
    raw.run(20)
    raw.row(40, "ADDED", "resolutionrequests", "bundles-1", "RR#2", spec={"params": params})
    return raw


def test_a_bundle_out_of_the_cache_was_asked_for_before() -> None:
    raw = _bundled(cache="always")
    told = {
        "resolution.tekton.dev/cache-operation": "retrieve",
        "resolution.tekton.dev/cache-timestamp": {"s": 1.0},
    }
    raw.row(90, "MODIFIED", "resolutionrequests", "bundles-1", "RR#2", status={"data": "x", "annotations": told})

    recording, result = played(raw)

    assert recording.circumstances.bundle["cached"][-1] == {"name": "cache", "value": "always"}
    (requests,) = (writes for symbol, writes in result.writes.items() if symbol.startswith("ResolutionRequest/"))
    operations = [write.get("status", {}).get("annotations", {}) for write in requests]
    assert operations[-1]["resolution.tekton.dev/cache-operation"] == "retrieve"
    assert operations[-1]["resolution.tekton.dev/cache-timestamp"] is True


def test_resolvers_that_are_killed_and_started_answer_late() -> None:
    raw = _bundled()
    raw.document["actions"] += [
        {"tMs": 500.0, "action": "resolvers SIGKILL"},
        {"tMs": 1500.0, "action": "resolvers start (process)"},
    ]
    raw.row(65_000, "MODIFIED", "resolutionrequests", "bundles-1", "RR#2", status={"data": {"_omitted_bytes": 9}})

    recording, result = played(raw)

    assert [(deed["do"], deed["component"]) for deed in recording.actions] == [
        ("kill", "resolvers"),
        ("start", "resolvers"),
    ]
    assert recording.circumstances.down == {}
    assert "stop resolvers" in recording.needs
    assert result.answers == {0: [200, ""], 1: [200, ""]}
    assert any(symbol.startswith("ResolutionRequest/") for symbol in result.writes)


def test_resolvers_of_which_nothing_is_heard_are_down() -> None:
    raw = _bundled()
    text = "resolution took longer than global timeout of 1m0s"
    condition = {"type": "Succeeded", "status": "False", "reason": "ResolutionTimedOut", "message": text}
    raw.row(60_050, "MODIFIED", "resolutionrequests", "bundles-1", "RR#2", status={"conditions": [condition]})

    recording, result = played(raw)

    assert recording.circumstances.down == {"resolvers": "kill"}
    status, reason, message = last(result, f"PipelineRun/{RUN}/0")
    assert (status, reason) == ("False", "CouldntGetPipeline")
    assert text in message


def test_the_message_of_an_image_that_cannot_be_pulled_is_recovered_for_the_second_step() -> None:
    text = 'Back-off pulling image "reg.local/tool:9"'
    raw = RawRecording(steps="ab")
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    pulling = {"step-a": ["running", None, None], "step-b": ["waiting", None, "ImagePullBackOff"]}
    raw.status(1000, "Pending", pulling)
    raw.ended(
        1050,
        "TaskRunImagePullFailed",
        f'the step "b" in TaskRun "{TASK}" failed to pull the image "". The pod errored with the message: "{text}."',
    )

    recording, result = played(raw)

    assert recording.pods[f"Pod/{POD}/0"][-1]["waiting_messages"] == {"step-b": text}
    status, reason, message = last(result, f"TaskRun/{TASK}/0")
    assert (status, reason) == ("False", "TaskRunImagePullFailed")
    assert f'the step "b" in TaskRun "{TASK}"' in message
    assert text in message


def test_a_step_that_may_fail_tells_its_exit_code_as_the_entrypoint_does() -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    raw.started(700)
    raw.succeeded(1700)
    ended = {"exitCode": 3, "reason": "Completed", "containerID": "containerd://1"}
    step = {"name": "a", "container": "step-a", "terminated": ended, "terminationReason": "Continued"}
    condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "message": "All Steps have completed"}
    raw.task(1750, "MODIFIED", status={"podName": POD, "conditions": [condition], "steps": [step]})

    recording, result = played(raw)

    assert recording.pods[f"Pod/{POD}/0"][-1]["messages"] == {"step-a": [["ExitCode", "3", 3]]}
    (shown,) = result.writes[f"TaskRun/{TASK}/0"][-1]["status"]["steps"]
    assert (shown["terminated"]["exitCode"], shown["terminationReason"]) == (3, "Continued")


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', "PodAdmissionFailed"),
        ("failed quota: compute: must specify limits.cpu for: step-a,prepare", "PodCreationFailed"),
    ],
)
def test_what_admission_refused_is_refused_again(refusal: str, reason: str) -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    text = f'pods "{POD}" is forbidden: {refusal}'
    raw.ended(80, reason, f'failed to create task run pod "{TASK}": {text}. Maybe invalid TaskSpec')

    _, result = played(raw)

    status, given, message = last(result, f"TaskRun/{TASK}/0")
    assert (status, given) == ("False", reason)
    assert refusal.partition(":")[0] in message
    assert not [symbol for symbol in result.writes if symbol.startswith("Pod/")]


def test_an_unschedulable_pod_says_what_tekton_repeated() -> None:
    taint = "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}."
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.calls.append([40.0, 6.0, "tekton-controller", "create", "pods", "$PR-run-pod", 201])
    raw.row(50, "ADDED", "pods", POD, "POD#3", labels={"tekton.dev/taskRun": TASK}, phase="Pending",
            restartPolicy="Never", activeDeadlineSeconds=5400, serviceAccountName="default")  # fmt: skip
    raw.status(200, "Pending", {}, conditions={"PodScheduled": "False:Unschedulable"})
    condition = {"type": "Succeeded", "status": "Unknown", "reason": "Pending"}
    told = f'pod status "PodScheduled":"False"; message: "{taint}"'
    raw.task(230, "MODIFIED", status={"podName": POD, "conditions": [{**condition, "message": told}]})

    _, result = played(raw)

    assert last(result, f"TaskRun/{TASK}/0") == ["Unknown", "Pending", told]


def test_a_webhook_that_goes_and_comes_back_refuses_meanwhile() -> None:
    error = "dial tcp WEBHOOK-IP:18443: connect: connection refused"
    url = "https://tekton-pipelines-webhook.tekton-pipelines.svc:443/defaulting?timeout=10s"
    text = (
        'Internal error occurred: failed calling webhook "webhook.pipeline.tekton.dev": '
        f'failed to call webhook: Post "{url}": {error}'
    )
    raw = RawRecording()
    raw.run(20)
    raw.action(100, "webhook SIGKILL")
    raw.action(200, "create again under the same name", code=500, body={"message": text})
    raw.action(300, "webhook start")

    recording, result = played(raw)

    assert recording.actions[0]["error"] == error
    assert result.answers[1] == [500, text]


def test_a_quota_that_allows_nothing_is_widened() -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    text = f'pods "{POD}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'
    unknown = {"type": "Succeeded", "status": "Unknown", "reason": "ExceededResourceQuota", "message": text}
    raw.task(80, "MODIFIED", status={"conditions": [unknown]})
    raw.action(5000, "PATCH quota (raised)")
    raw.pod(61_000)

    recording, result = played(raw)

    assert recording.circumstances.quotas == [{"name": "q", "hard": {"pods": "0"}, "used": {}}]
    assert f"Pod/{POD}/0" in result.writes


def test_a_recording_moves_to_a_run_of_another_name() -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    raw.started(700)
    raw.succeeded(1700)
    recording = convert(raw.document).renamed("wfe-fedcba9876543210")

    result = simulate(recording)

    assert last(result, "TaskRun/wfe-fedcba9876543210-run/0")[:2] == ["True", "Succeeded"]
    assert DONE in recording.pods["Pod/wfe-fedcba9876543210-run-pod/0"][-1]["containers"].values()
    assert UP["Ready"] == "True"
