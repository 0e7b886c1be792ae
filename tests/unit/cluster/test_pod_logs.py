"""Reading the logs of containers, as the API serves them."""

import pytest
from cluster_stage import NAMESPACE, SECOND, Stage, recorded, step, task_spec

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN, User
from sim.cluster.behaviour import Behaviour
from sim.cluster.images import Catalogue, absent
from sim.cluster.logs import Logs

LINES = "".join(f"line {number}\n" for number in range(100))


def tail(stage: Stage, container: str = "step-a", *, user: User = ADMIN, pod: str = "p", **limits: int) -> str:
    reader = stage.models.log_reader(user, "test")
    return str(stage.loop.run_until_complete(reader.tail(NAMESPACE, pod, container, **limits)))


def refusal(stage: Stage, container: str = "step-a", **options: object) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        tail(stage, container, **options)  # type: ignore[arg-type]
    return caught.value.code, caught.value.message


def running(log: str = LINES) -> Stage:
    stage = Stage({"step-a": Behaviour(duration_us=60 * SECOND, log=log)})
    stage.create_task("a")
    stage.run(3)
    return stage


def test_the_tail_is_the_last_lines_of_a_running_container() -> None:
    assert tail(running(), lines=3) == "line 97\nline 98\nline 99\n"


def test_reading_takes_time_and_is_counted() -> None:
    stage = running()
    before_us = stage.loop.now_us
    tail(stage)
    assert stage.loop.now_us == before_us + 10_000
    assert stage.calls("test") == {"get pods/log": 1}


def test_a_byte_limit_cuts_the_tail_from_its_front() -> None:
    assert tail(running(), lines=3, limit_bytes=10) == "line 97\nli"


def test_bytes_beyond_a_limit_never_split_a_character() -> None:
    assert tail(running("äöü\n"), limit_bytes=3) == "ä"


def test_a_container_that_waits_has_no_log_yet() -> None:
    stage = Stage()
    stage.create_task("a")
    stage.run(0.2)
    assert refusal(stage) == (400, 'container "step-a" in pod "p" is waiting to start: PodInitializing')


def test_a_container_without_its_image_says_so() -> None:
    stage = Stage(options=recorded(images=Catalogue({"reg.local/tool:1": absent("reg.local/tool:1")})))
    stage.create_task("a")
    stage.run(3)
    assert refusal(stage) == (
        400,
        'container "step-a" in pod "p" is waiting to start: trying and failing to pull image',
    )


def test_a_pod_or_container_that_does_not_exist_is_named() -> None:
    stage = running()
    assert refusal(stage, pod="nope") == (404, 'pods "nope" not found')
    assert refusal(stage, "step-x") == (400, "container step-x is not valid for pod p")


def test_a_pod_with_several_containers_needs_a_choice() -> None:
    stage = Stage()
    stage.create_task("a", "b")
    stage.run(3)
    assert refusal(stage, "") == (
        400,
        "a container name must be specified for pod p, choose one of: [step-a step-b] or one of the init containers: "
        "[prepare place-scripts]",
    )


def test_an_unscheduled_pod_has_an_empty_log() -> None:
    stage = Stage()
    stage.create_task("a", schedulerName="nobody")
    assert tail(stage) == ""


def test_reading_needs_the_right_to_get_pod_logs() -> None:
    nobody = User("jane", ("system:authenticated",))
    assert refusal(running(), user=nobody) == (
        403,
        f'pods "p" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace '
        f'"{NAMESPACE}"',
    )


def test_the_log_of_a_dead_node_cannot_be_had() -> None:
    stage = running()
    stage.models.lose_node("node-0")
    code, message = refusal(stage)
    assert code == 500
    assert message.endswith("connect: no route to host")


def test_logs_go_with_their_pod() -> None:
    stage = running()
    uid = stage.pod()["metadata"]["uid"]
    assert stage.models.logs.text(uid, "step-a")
    stage.delete(grace_period_s=0)
    assert not stage.models.logs.text(uid, "step-a")


def test_a_skipped_step_says_why_in_its_log() -> None:
    stage = Stage({"step-a": Behaviour(exit_code=1)})
    stage.create(**{**task_spec(), "containers": [step(0, "a"), step(1, "b")]})
    stage.run(10)
    assert tail(stage, "step-b") == "2026/01/05 08:00:01 Skipping step because a previous step failed\n"


def test_a_container_keeps_the_newest_of_what_it_printed() -> None:
    logs = Logs(limit_bytes=100)
    for number in range(1000):
        logs.write("uid", "c", f"{number:09d}\n")
    assert logs.text("uid", "c") == "".join(f"{number:09d}\n" for number in range(990, 1000))
    logs.write("uid", "c", "ä" * 1000)
    assert logs.text("uid", "c") == "ä" * 50
