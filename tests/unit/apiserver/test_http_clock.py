"""The handle on the clock: who may turn it, and what it does."""

import asyncio
import json
from typing import Any

import pytest
from http_world import CONFIG_MAPS, Answer, HttpWorld, config_map

from sim.apiserver.http.clockpage import PATH, ClockPage
from sim.apiserver.http.condition import BadCondition, Condition
from sim.apiserver.identity import User
from sim.apiserver.rest.rest import Rest

MINUTE_US = 60_000_000


def clocked(speed: float = 0.0) -> HttpWorld:
    world = HttpWorld(speed)
    world.rest = Rest(world.server, {"t": world.rest._tokens["t"], "n": User("nobody")})
    pages = {PATH: ClockPage(world.pump, world.server, world.rest, dict)}
    world.application = type(world.application)(world.rest, world.pump, pages=pages)
    return world


def turned(*asked: Any, **more: Any) -> list[Answer]:
    async def run() -> list[Answer]:
        world = clocked()
        return [await world.ask("POST", PATH, one, **more) for one in asked]

    return asyncio.run(run())


def test_a_step_lets_time_pass_and_leaves_it_paused() -> None:
    [answer] = turned({"do": "step", "for": "5m"})

    assert (answer.json["virtual_us"], answer.json["paused"]) == (5 * MINUTE_US, True)
    assert answer.json["virtual"] == "5m0s"


def test_speed_pause_and_resume() -> None:
    answers = turned({"do": "speed", "speed": 60}, {"do": "pause"}, {"do": "resume"}, {"do": "speed", "speed": "max"})

    assert [one.json["speed"] for one in answers] == [60.0, 0.0, 60.0, "max"]


def test_time_passes_until_a_condition_holds() -> None:
    async def run() -> tuple[Any, Any]:
        world = clocked()
        world.loop.after(MINUTE_US, lambda: world.server.create(*_default(world, config_map("demo", phase="Done"))))
        held = await world.ask("POST", PATH, {"do": "until", "condition": "cm/demo data.phase=Done"})
        never = await world.ask("POST", PATH, {"do": "until", "condition": "cm/demo deleted", "within": "1h"})
        return held.json, never.json

    held, never = asyncio.run(run())

    assert (held["held"], held["virtual_us"]) == (True, MINUTE_US)
    assert (never["held"], never["virtual_us"]) == (False, 61 * MINUTE_US)


def _default(world: HttpWorld, body: Any) -> tuple[Any, ...]:
    return world.rest._tokens["t"], world.server.resource("", "configmaps"), "default", body


def test_a_pause_breaks_a_step_off() -> None:
    async def run() -> tuple[bool, bool]:
        world = clocked()
        world.pump.start()
        step = asyncio.ensure_future(world.pump.step(10**15))
        await asyncio.sleep(0)
        world.pump.pause()
        return await step, world.pump.paused

    assert asyncio.run(run()) == (False, True)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"do": "dance"}, "'dance' is unknown; expected one of pause, resume, speed, step, until"),
        ({"do": "speed", "speed": -1}, "'-1' is no speed"),
        ({"do": "speed"}, "'None' is no speed"),
        ({"do": "step", "for": "soon"}, "'soon' is not a duration"),
        ({"do": "until"}, "expected text"),
        ({"do": "until", "condition": "demo"}, "is no condition"),
        ({"do": "until", "condition": "nothing/demo phase=X"}, "there is no resource 'nothing'"),
        ([1], "expected a JSON object"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(asked: Any, why: str) -> None:
    [answer] = turned(asked)

    assert answer.status == 400
    assert why in answer.json["message"]
    assert "\n" not in answer.json["message"]


def test_only_administrators_turn_the_clock() -> None:
    assert [one.status for one in turned({"do": "pause"}, authorization="Bearer n")] == [403]
    assert [one.status for one in turned({"do": "pause"}, authorization="Bearer x")] == [401]
    assert [one.status for one in turned({"do": "pause"}, authorization="")] == [403]


def test_only_this_machine_turns_the_clock() -> None:
    async def run() -> int:
        world = clocked()
        scope = world.scope("POST", PATH, "", {"do": "pause"}, {}) | {"client": ("192.0.2.1", 1)}
        answer = Answer()

        async def receive() -> Any:
            return {"type": "http.request", "body": json.dumps({"do": "pause"}).encode()}

        await world.application(scope, receive, answer.send)
        return answer.status

    assert asyncio.run(run()) == 403


def test_conditions_read_conditions_and_fields() -> None:
    world = HttpWorld()
    pods = world.server.resource("", "pods")
    spec = {"containers": [{"name": "c", "image": "i"}]}
    world.server.create(world.rest._tokens["t"], pods, "default", {"metadata": {"name": "p"}, "spec": spec})
    ready = Condition(world.server, "pod/default/p condition=Ready")
    running = Condition(world.server, "po/p phase=Running")
    exists = Condition(world.server, "pods/p exists")

    assert (ready(), running(), exists()) == (False, False, True)

    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    world.server.patch(world.rest._tokens["t"], pods, "default", "p", {"status": status}, subresource="status")

    assert (ready(), running(), exists()) == (True, True, True)


@pytest.mark.parametrize(
    "text", ["", "pod", "pod/p", "pod/p perhaps", "/p exists", "a/b/c/d exists", "pod/p " + "x=" * 999]
)
def test_a_condition_says_what_is_wrong_with_it(text: str) -> None:
    with pytest.raises(BadCondition, match="expected"):
        Condition(HttpWorld().server, text)


def test_requests_for_the_clock_are_no_part_of_the_api() -> None:
    async def run() -> list[int]:
        world = clocked()
        await world.ask("POST", CONFIG_MAPS, config_map("a"))
        return [(await world.ask("GET", path)).status for path in (PATH, PATH + "/more", "/rehearse")]

    assert asyncio.run(run()) == [200, 404, 404]
