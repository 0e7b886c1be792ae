"""Watches over ASGI: as they happen, bounded, and gone when their clients are."""

import asyncio
from typing import Any

import pytest
from http_world import CONFIG_MAPS, Answer, HttpWorld, config_map, seen

from sim.apiserver.http import feed
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Request


def test_changes_arrive_while_the_watch_is_open() -> None:
    async def run() -> Answer:
        world = HttpWorld()
        answer, hang_up = world.open(CONFIG_MAPS, "watch=1&resourceVersion=0")
        await world.ask("POST", CONFIG_MAPS, config_map("a"))
        await seen(answer, lambda one: one.events)
        await world.ask("DELETE", f"{CONFIG_MAPS}/a")
        await seen(answer, lambda one: len(one.events) == 2)
        await hang_up()
        return answer

    answer = asyncio.run(run())

    assert [event["type"] for event in answer.events] == ["ADDED", "DELETED"]
    assert answer.headers["content-type"] == "application/json"


def test_a_watch_ends_after_the_seconds_of_its_client_although_time_stands_still() -> None:
    async def run() -> tuple[Answer, int]:
        world = HttpWorld(speed=0.0)
        answer, _ = world.open(CONFIG_MAPS, "watch=1&timeoutSeconds=1")
        await seen(answer, lambda one: one.complete)
        return answer, world.loop.now_us

    answer, now_us = asyncio.run(run())

    assert (answer.status, now_us) == (200, 0)


def test_a_virtual_day_ends_no_watch() -> None:
    async def run() -> bool:
        world = HttpWorld()
        answer, hang_up = world.open(CONFIG_MAPS, "watch=1&timeoutSeconds=60")
        await seen(answer, lambda one: one.status)
        await world.pump.step(24 * 3_600_000_000)
        complete = answer.complete
        await hang_up()
        return complete

    assert not asyncio.run(run())


def test_a_client_that_hangs_up_leaves_nothing_behind() -> None:
    async def run() -> tuple[int, int]:
        world = HttpWorld()
        streams = world.server.registry.named("", "configmaps").table.streams
        opened = [world.open(CONFIG_MAPS, "watch=1") for _ in range(20)]
        for answer, _ in opened:
            await seen(answer, lambda one: one.status)
        before = len(streams)
        for _, hang_up in opened:
            await hang_up()
        return before, len(streams) + len(world.application.feeds)

    assert asyncio.run(run()) == (20, 0)


@pytest.mark.parametrize("limit", ["_UNREAD_LINES", "_UNREAD_BYTES"])
def test_a_client_too_far_behind_is_told_410_and_cut(limit: str) -> None:
    async def run() -> tuple[list[Any], int]:
        world = HttpWorld()
        stream = world.rest.handle(_watch()).body
        small = {"unread_lines": 3} if limit == "_UNREAD_LINES" else {"unread_bytes": 1000}
        unread = feed.Feed(stream, feed.Lines(), **small)
        unread.open()
        for number in range(10):
            await world.ask("POST", CONFIG_MAPS, config_map(f"a{number}", k="x" * 100))
        text = await unread.read()
        assert await unread.read() == b""
        answer = Answer()
        answer.parts.append(text)
        return answer.events, len(text)

    events, size = asyncio.run(run())

    assert [event["type"] for event in events] == ["ERROR"]
    assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")
    assert size < 1000


def _watch() -> Any:
    return Request("GET", CONFIG_MAPS, {"watch": "1"}, {"authorization": "Bearer t"})


def test_a_watch_may_begin_with_more_than_a_client_may_leave_unread() -> None:
    count = 20_050

    async def run() -> int:
        world = HttpWorld()
        resource = world.server.resource("", "configmaps")
        for number in range(count):
            world.server.create(ADMIN, resource, "default", config_map(f"a{number}"))
        answer, hang_up = world.open(CONFIG_MAPS, "watch=1")
        await seen(answer, lambda one: one.parts[1:])
        await hang_up()
        return answer.text.count(b"ADDED")

    assert asyncio.run(run()) == count


def test_a_server_that_stops_ends_its_watches_in_good_order() -> None:
    async def run() -> bool:
        world = HttpWorld()
        answer, _ = world.open(CONFIG_MAPS, "watch=1")
        await seen(answer, lambda one: one.status)
        world.application.stop()
        await seen(answer, lambda one: one.complete)
        later, _ = world.open(CONFIG_MAPS, "watch=1")
        await seen(later, lambda one: one.complete)
        return answer.complete

    assert asyncio.run(run())


def test_a_timeout_that_is_no_number_is_refused() -> None:
    assert asyncio.run(HttpWorld().ask("GET", CONFIG_MAPS, query="watch=1&timeoutSeconds=soon")).status == 400
