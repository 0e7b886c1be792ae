"""What a kubelet writes into a pod from its binding to its end, as literal traces."""

from cluster_stage import NAMESPACE, SECOND, Stage, recorded, started, step, task_spec, timed

from controller.ports import Document, Resource
from sim.apiserver.identity import ADMIN
from sim.cluster.api import PODS
from sim.cluster.behaviour import Behaviour
from sim.cluster.images import CACHED, Catalogue, absent

WORK = Behaviour(duration_us=SECOND)
START = [
    "0 ADD phase=Pending",
    "100 MOD node=node-0 PodScheduled=True",
    "160 MOD PodReadyToStartContainers=False Initialized=False:ContainersNotInitialized "
    "Ready=False:ContainersNotReady ContainersReady=False:ContainersNotReady prepare=waiting:PodInitializing "
    "place-scripts=waiting:PodInitializing step-a=waiting:PodInitializing",
    "470 MOD PodReadyToStartContainers=True prepare=running",
    "730 MOD prepare=0:Completed",
    "835 MOD place-scripts=running",
    "1095 MOD place-scripts=0:Completed",
    "1200 MOD phase=Running Initialized=True Ready=True ContainersReady=True step-a=running",
    "1220 MOD annotated=yes",
]


def test_a_pod_that_succeeds_is_seen_as_in_the_recordings() -> None:
    stage = Stage({"step-a": WORK})
    stage.create_task("a")
    stage.run(10)
    assert stage.trace() == [
        *START,
        "2220 MOD phase=Succeeded Initialized=True:PodCompleted Ready=False:PodCompleted "
        "ContainersReady=False:PodCompleted step-a=0:Completed",
    ]


def test_conditions_name_the_containers_that_are_missing() -> None:
    stage = Stage({"step-a": WORK})
    stage.create_task("a", "b")
    stage.run(10)
    texts = [
        {one["type"]: one["message"] for one in pod["status"].get("conditions", ()) if "message" in one}
        for _, _, _, pod in stage.rows
    ]
    initialized = [text["Initialized"] for text in texts if "Initialized" in text]
    assert initialized == [
        "containers with incomplete status: [prepare place-scripts]",
        "containers with incomplete status: [prepare place-scripts]",
        "containers with incomplete status: [place-scripts]",
        "containers with incomplete status: [place-scripts]",
        "containers with incomplete status: []",
    ]
    assert texts[2]["Ready"] == "containers with unready status: [step-a step-b]"
    assert "containers with unready status: [step-a]" in [text.get("ContainersReady") for text in texts]


def test_the_transition_time_of_a_condition_moves_only_with_its_status() -> None:
    stage = Stage({"step-a": WORK})
    stage.create_task("a")
    stage.run(10)
    times = {one["type"]: one["lastTransitionTime"] for one in stage.pod()["status"]["conditions"]}
    assert times == {
        "PodReadyToStartContainers": "2026-01-05T08:00:00Z",
        "Initialized": "2026-01-05T08:00:01Z",
        "Ready": "2026-01-05T08:00:02Z",
        "ContainersReady": "2026-01-05T08:00:02Z",
        "PodScheduled": "2026-01-05T08:00:00Z",
    }


def test_a_container_status_carries_every_field_that_clients_require() -> None:
    stage = Stage({"step-a": WORK})
    stage.create_task("a")
    stage.run(10)
    (status,) = stage.pod()["status"]["containerStatuses"]
    assert status["image"] == "reg.local/tool:1"
    assert status["imageID"].startswith("reg.local/tool@sha256:")
    assert status["restartCount"] == 0
    assert status["lastState"] == {}
    assert status["ready"] is False
    assert status["state"]["terminated"] == {
        "exitCode": 0,
        "reason": "Completed",
        "message": '[{"key":"StartedAt","value":"2026-01-05T08:00:01.220Z","type":3}]',
        "startedAt": "2026-01-05T08:00:01Z",
        "finishedAt": "2026-01-05T08:00:02Z",
        "containerID": status["containerID"],
    }


def test_steps_after_a_failed_one_skip() -> None:
    stage = Stage({"step-a": WORK, "step-b": Behaviour(duration_us=SECOND, exit_code=3), "step-c": WORK})
    stage.create_task("a", "b", "c")
    stage.run(10)
    assert started(stage.trace()) == [
        "1220 MOD annotated=yes",
        "2220 MOD Ready=False:ContainersNotReady ContainersReady=False:ContainersNotReady step-a=0:Completed",
        "3220 MOD phase=Failed Ready=False:PodFailed ContainersReady=False:PodFailed step-b=3:Error step-c=1:Error",
    ]
    assert stage.terminated("step-b")["message"] == (
        '[{"key":"StartedAt","value":"2026-01-05T08:00:02.220Z","type":3}]'
    )
    assert stage.terminated("step-c")["message"] == (
        '[{"key":"StartedAt","value":"2026-01-05T08:00:03.220Z","type":3},{"key":"Reason","value":"Skipped","type":3}]'
    )


def test_a_step_that_outlives_its_timeout_is_ended_by_its_entrypoint() -> None:
    stage = Stage({"step-a": Behaviour(hangs=True)})
    stage.create(**{**task_spec(), "containers": [step(0, "a", "-timeout", "2s"), step(1, "b")]})
    stage.run(10)
    assert started(stage.trace()) == [
        "1220 MOD annotated=yes",
        "3220 MOD phase=Failed Ready=False:PodFailed ContainersReady=False:PodFailed step-a=1:Error step-b=1:Error",
    ]
    assert '{"key":"Reason","value":"TimeoutExceeded","type":3}' in stage.terminated("step-a")["message"]


def test_a_step_that_may_fail_reports_its_exit_code_and_lets_the_next_go() -> None:
    stage = Stage({"step-a": Behaviour(exit_code=7), "step-b": WORK})
    stage.create(**{**task_spec(), "containers": [step(0, "a", "-on_error", "continue"), step(1, "b")]})
    stage.run(10)
    assert stage.state("step-a") == "0:Completed"
    assert stage.terminated("step-a")["message"].endswith('{"key":"ExitCode","value":"7","type":3}]')
    assert stage.pod()["status"]["phase"] == "Succeeded"


def test_results_are_reported_before_the_start_time() -> None:
    stage = Stage({"step-a": Behaviour(results=(("digest", "sha256:<1>"),))})
    stage.create_task("a")
    stage.run(10)
    assert stage.terminated("step-a")["message"] == (
        '[{"key":"digest","value":"sha256:\\u003c1\\u003e","type":1},'
        '{"key":"StartedAt","value":"2026-01-05T08:00:01.220Z","type":3}]'
    )


def test_results_beyond_the_termination_message_fail_the_step() -> None:
    stage = Stage({"step-a": Behaviour(results=(("big", "x" * 4096),))})
    stage.create_task("a")
    stage.run(10)
    assert stage.state("step-a") == "1:Error"
    assert "message" not in stage.terminated("step-a")
    assert "above max allowed size 4096" in stage.models.logs.text(stage.pod()["metadata"]["uid"], "step-a")


def test_the_first_step_waits_for_the_ready_annotation() -> None:
    stage = Stage({"step-a": WORK}, annotate=False)
    stage.create_task("a")
    stage.run(600)
    assert stage.state("step-a") == "running"
    stage._set_ready("p")
    stage.run(1)
    assert stage.state("step-a") == "0:Completed"


def test_a_step_behind_one_that_never_ends_shows_running_and_does_nothing() -> None:
    stage = Stage({"step-a": Behaviour(hangs=True), "step-b": WORK})
    stage.create_task("a", "b")
    stage.run(3600)
    assert stage.pod()["status"]["phase"] == "Running"
    assert [stage.state("step-a"), stage.state("step-b")] == ["running", "running"]


def test_a_plain_pod_without_init_containers_runs_at_once() -> None:
    stage = Stage({"main": WORK}, annotate=False)
    stage.create(restartPolicy="Never", containers=[{"name": "main", "image": "busybox:1"}])
    stage.run(10)
    assert stage.trace() == [
        "0 ADD phase=Pending",
        "100 MOD node=node-0 PodScheduled=True",
        "160 MOD PodReadyToStartContainers=False Initialized=True Ready=False:ContainersNotReady "
        "ContainersReady=False:ContainersNotReady main=waiting:ContainerCreating",
        "470 MOD phase=Running PodReadyToStartContainers=True Ready=True ContainersReady=True main=running",
        "1470 MOD phase=Succeeded Initialized=True:PodCompleted Ready=False:PodCompleted "
        "ContainersReady=False:PodCompleted main=0:Completed",
    ]
    assert "message" not in stage.terminated("main")
    assert "initContainerStatuses" not in stage.pod()["status"]


def test_a_failing_init_container_fails_the_pod_and_starts_no_step() -> None:
    stage = Stage({"prepare": Behaviour(duration_us=200_000, exit_code=255)})
    stage.create_task("a")
    stage.run(10)
    assert stage.trace()[-1] == (
        "670 MOD phase=Failed Ready=False:PodFailed ContainersReady=False:PodFailed prepare=255:Error"
    )
    assert stage.state("step-a") == "waiting:PodInitializing"


def test_containers_that_end_within_one_look_of_the_kubelet_are_reported_together() -> None:
    stage = Stage({"step-a": WORK, "step-b": Behaviour(duration_us=300_000)}, options=timed(exit_detect=500_000))
    stage.create_task("a", "b")
    stage.run(10)
    assert [line.split()[0] for line in started(stage.trace())] == ["1220", "2720"]
    assert stage.terminated("step-b")["finishedAt"] == "2026-01-05T08:00:02Z"


def test_one_pod_costs_one_binding_and_seven_status_patches() -> None:
    stage = Stage({"step-a": WORK})
    stage.create_task("a")
    stage.run(10)
    assert stage.calls("kube-scheduler") == {"create pods/binding": 1}
    assert stage.calls("kubelet") == {"patch pods/status": 7}


def test_an_annotation_set_within_the_commit_that_shows_the_pod_running_is_seen() -> None:
    stage = Stage({"step-a": WORK}, annotate=False)

    def annotate(type_: str, resource: Resource, old: Document | None, new: Document) -> None:
        if (
            resource.plural == "pods"
            and new["status"].get("phase") == "Running"
            and not new["metadata"].get("annotations")
        ):
            stage._set_ready("p")

    stage.server.observe(annotate)
    stage.create_task("a")
    stage.run(10)
    assert stage.pod()["status"]["phase"] == "Succeeded"


def test_a_kubelet_keeps_the_conditions_that_others_write() -> None:
    stage = Stage({"step-a": Behaviour(duration_us=5 * SECOND)})
    stage.create_task("a")
    stage.run(3)
    pod = stage.pod()
    foreign = {"type": "example.com/Gate", "status": "True", "lastTransitionTime": "2026-01-05T08:00:03Z"}
    status = {**pod["status"], "conditions": [*pod["status"]["conditions"], foreign]}
    stage.server.update(ADMIN, PODS, NAMESPACE, "p", {**pod, "status": status}, subresource="status")
    stage.run(10)
    assert stage.pod()["status"]["phase"] == "Succeeded"
    assert foreign in stage.pod()["status"]["conditions"]


def test_a_step_that_starts_late_finds_what_its_predecessor_posted() -> None:
    stage = Stage({"step-a": WORK}, options=recorded(images=Catalogue({"late:1": absent("late:1")})), annotate=False)
    stage.create(**{**task_spec(), "containers": [step(0, "a"), {**step(1, "b"), "image": "late:1"}]})
    stage.run(2)
    stage._set_ready("p")
    stage.run(2)
    stage.models.options.images.images["late:1"] = CACHED
    stage.run(60)
    assert (stage.state("step-a"), stage.state("step-b")) == ("0:Completed", "0:Completed")
