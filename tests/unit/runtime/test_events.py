import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.ports import ApiError, ConnectionLost, Document, Resource
from controller.runtime.events import EventRecorder
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.faults.interception import Intercepted
from sim.loop import Loop
from sim.streams import Streams


class World:
    def __init__(self, loop: Loop, server: ApiServer) -> None:
        self.loop = loop
        self.server = server
        self.events = server.resource("", "events")
        self.maps = server.resource("", "configmaps")
        self.calls: list[str] = []
        self.faults: list[Exception | None] = []
        self.lost: list[bool] = []
        self.recorder = self.start("test-controller")

    async def around(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls.append(verb)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        answer = await call()
        if self.lost and self.lost.pop(0):
            raise ConnectionLost("the answer got lost")
        return answer

    def start(self, component: str, host: str = "") -> EventRecorder:
        client = Intercepted(self.server.client(ADMIN), self.around)
        recorder = EventRecorder(client, Clock(self.loop), component, host=host)
        self.loop.create_task(recorder.run())
        return recorder

    def object(self, name: str = "a") -> Document:
        found = self.server.find(self.maps, "team", name)
        if found is None:
            found = self.server.create(ADMIN, self.maps, "team", {"metadata": {"name": name}})
        return {"apiVersion": "v1", "kind": "ConfigMap", **found}

    def say(self, reason: str, message: str, of: str = "a", times: int = 1) -> None:
        for _ in range(times):
            self.recorder.event(self.object(of), "Normal", reason, message)
            self.run(0)

    def run(self, seconds: float) -> None:
        self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000))

    def written(self) -> list[tuple[str, int]]:
        self.run(1)
        return [(event["message"], event["count"]) for event in self.documents()]

    def documents(self) -> list[Document]:
        return sorted(self.server.items(self.events, "team"), key=lambda event: event["metadata"]["name"])


@pytest.fixture
def world(loop: Loop, server: ApiServer) -> World:
    return World(loop, server)


def test_an_event_says_who_what_when_and_about_what(world: World) -> None:
    world.run(90.5)
    about = world.object()
    world.recorder.event(about, "Warning", "WorkflowFailed", "Workflow x failed: TaskFailed")
    world.run(1)
    (event,) = world.documents()
    uid, version = about["metadata"]["uid"], about["metadata"]["resourceVersion"]
    name = event["metadata"]["name"]
    said = {field: event[field] for field in event if field not in ("apiVersion", "kind", "metadata", "eventTime")}
    assert said == {
        "involvedObject": {
            "kind": "ConfigMap",
            "namespace": "team",
            "name": "a",
            "uid": uid,
            "apiVersion": "v1",
            "resourceVersion": version,
        },
        "reason": "WorkflowFailed",
        "message": "Workflow x failed: TaskFailed",
        "source": {"component": "test-controller"},
        "firstTimestamp": "2026-01-05T08:01:30Z",
        "lastTimestamp": "2026-01-05T08:01:30Z",
        "count": 1,
        "type": "Warning",
        "reportingComponent": "test-controller",
        "reportingInstance": "",
    }
    assert name.startswith("a.1887")


def test_the_same_event_again_is_counted_up(world: World) -> None:
    world.say("Polled", "still running")
    world.run(30)
    world.say("Polled", "still running", times=2)
    assert world.written() == [("still running", 3)]
    (event,) = world.documents()
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-01-05T08:00:00Z", "2026-01-05T08:00:30Z")
    assert world.calls == ["create", "patch", "patch"]


def test_other_objects_reasons_and_messages_are_other_events(world: World) -> None:
    world.say("R", "m")
    world.say("R", "other")
    world.say("S", "m")
    world.say("R", "m", of="b")
    assert sorted(world.written()) == [("m", 1), ("m", 1), ("m", 1), ("other", 1)]


def test_events_of_one_instant_all_have_names_of_their_own(world: World) -> None:
    about = world.object()
    other = world.start("other-controller")
    for number in range(5):
        world.recorder.event(about, "Normal", "R", f"m{number}")
        other.event(about, "Normal", "R", f"m{number}")
    world.run(1)
    assert len(world.documents()) == 10
    assert (world.recorder.dropped, other.dropped) == (0, 0)


def test_names_repeat_from_run_to_run() -> None:
    def names() -> list[str]:
        loop = Loop()

        server = ApiServer(loop, Streams(1), Clock(loop))
        server.create(ADMIN, server.resource("", "namespaces"), "", {"metadata": {"name": "team"}})
        world = World(loop, server)
        world.run(12.345678)
        world.say("R", "m")
        world.say("R", "n")
        world.run(1)
        loop.close()
        return [event["metadata"]["name"] for event in world.documents()]

    assert names() == names()


def test_the_tenth_message_of_a_kind_within_ten_minutes_combines_them(world: World) -> None:
    for number in range(12):
        world.say("R", f"message {number}")
        world.run(1)
    written = dict(world.written())
    assert written.pop("(combined from similar events): message 11") == 3
    assert written == {f"message {number}": 1 for number in range(9)}


def test_the_ten_minutes_begin_anew_with_every_message(world: World) -> None:
    for number in range(10):
        world.say("R", f"message {number}")
        world.run(500)
    assert ("(combined from similar events): message 9", 1) in world.written()


def test_messages_that_come_seldom_are_never_combined(world: World) -> None:
    for number in range(15):
        world.say("R", f"message {number}")
        world.run(601)
    assert all(not message.startswith("(combined") for message, _ in world.written())


def test_an_object_that_talks_too_much_is_heard_25_times_and_then_every_five_minutes(world: World) -> None:
    world.say("R", "m", times=40)
    world.say("R", "m", of="quiet")
    world.run(1)
    assert sorted(world.written()) == [("m", 1), ("m", 25)]
    assert world.recorder.dropped == 15
    world.run(300)
    world.say("R", "m", times=2)
    assert sorted(world.written()) == [("m", 1), ("m", 41)]


def test_one_task_writes_all_events_and_telling_one_never_waits(world: World) -> None:
    tasks = len(asyncio.all_tasks(world.loop))
    about = world.object()
    for number in range(900):
        world.recorder.event(about, "Normal", "R", f"m{number}")
    assert len(asyncio.all_tasks(world.loop)) == tasks
    assert world.calls == []


def test_a_full_queue_drops_events_and_counts_them(world: World) -> None:
    about = world.object()
    for number in range(1_005):
        world.recorder.event(about, "Normal", "R", f"m{number}")
    assert world.recorder.dropped == 5


def test_a_long_message_is_cut_to_what_the_server_accepts(world: World) -> None:
    world.say("R" * 500, "x" * 5_000)
    (event,) = world.documents() or (world.written() and world.documents())
    assert len(event["message"]) == 1_024
    assert len(event["reason"]) == 128


def test_a_very_long_object_name_still_gives_a_valid_event_name(world: World) -> None:
    world.say("R", "m", of="a" * 235 + "." + "b" * 17)
    world.run(1)
    (event,) = world.documents()
    assert len(event["metadata"]["name"]) <= 253


def test_an_event_about_a_cluster_scoped_object_goes_to_the_default_namespace(world: World) -> None:
    world.recorder.event({"kind": "Node", "metadata": {"name": "n1"}}, "Normal", "R", "m")
    world.run(1)
    assert len(list(world.server.items(world.events, "default"))) == 1


def test_a_lost_connection_delays_events_and_loses_none(world: World) -> None:
    world.faults = [ConnectionLost("down"), ConnectionLost("down")]
    world.say("R", "first")
    world.say("R", "second")
    world.run(15)
    assert world.written() == []
    world.run(15)
    assert sorted(world.written()) == [("first", 1), ("second", 1)]


def test_a_lost_answer_does_not_write_an_event_twice(world: World) -> None:
    world.lost = [True]
    world.say("R", "m")
    world.run(30)
    world.say("R", "m")
    assert world.written() == [("m", 2)]
    assert world.calls == ["create", "create", "patch"]


def test_a_name_that_is_taken_is_replaced_by_another(world: World) -> None:
    world.faults = [ApiError(409, "AlreadyExists", "taken")]
    world.say("R", "m")
    assert world.written() == [("m", 1)]
    assert world.recorder.dropped == 0


def test_too_many_requests_are_waited_out(world: World) -> None:
    world.faults = [ApiError(429, "TooManyRequests", "slow", retry_after_s=3)]
    world.say("R", "m")
    world.run(2)
    assert world.calls == ["create"]
    world.run(2)
    assert world.written() == [("m", 1)]


def test_a_refused_event_is_dropped_and_the_next_one_written(world: World) -> None:
    world.faults = [ApiError(403, "Forbidden", "no")]
    world.say("R", "refused")
    world.say("R", "next")
    assert world.written() == [("next", 1)]
    assert world.recorder.dropped == 1


def test_a_server_out_of_reach_for_long_costs_the_event_only(world: World) -> None:
    world.faults = [ConnectionLost("down")] * 12
    world.say("R", "lost")
    world.say("R", "next")
    world.run(125)
    assert world.written() == [("next", 1)]
    assert world.recorder.dropped == 1


def test_an_event_that_expired_meanwhile_is_written_anew_with_its_count(world: World) -> None:
    world.say("R", "m")
    world.run(1)
    (event,) = world.documents()
    world.server.delete(ADMIN, world.events, "team", event["metadata"]["name"])
    world.run(60)
    world.say("R", "m")
    assert world.written() == [("m", 2)]
    (event,) = world.documents()
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-01-05T08:00:00Z", "2026-01-05T08:01:01Z")


def test_memory_is_bounded_however_many_objects_talk(world: World) -> None:
    stream = random.Random(1)
    for number in range(6_000):
        about = {"kind": "Thing", "metadata": {"name": f"t{number}", "namespace": "team", "uid": str(stream.random())}}
        world.recorder.event(about, "Normal", "R", "m")
        world.run(0.01)
    correlator = world.recorder._correlator
    assert len(correlator._talk) == 4_096
    assert len(correlator._topics) == 4_096


def test_memory_is_bounded_however_many_things_are_said_of_one_object(world: World) -> None:
    for number in range(50):
        world.say("R", f"message {number}")
        world.run(601)
    (topic,) = world.recorder._correlator._topics.values()
    assert len(topic.written) == 32
    world.say("R", "message 49")
    assert ("message 49", 2) in world.written()
