"""Watchers that are slow, many or gone, and writers by the dozen."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import aiohttp
import pytest
from victim import Victim

MAPS = "/api/v1/namespaces/default/configmaps"
WATCH = f"{MAPS}?watch=1&labelSelector=for%3Dwatchers"


def config_map(name: str, size: int = 1) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": {"for": "watchers"}}, "data": {"k": "x" * size}}


@pytest.fixture(autouse=True)
def cleared(victim: Victim) -> Iterator[None]:
    yield
    victim.client.delete(MAPS, params={"labelSelector": "for=watchers"})


def opened(victim: Victim, path: str = WATCH) -> socket.socket:
    """A watch whose first line of the answer has come."""
    connection = victim.connect()
    head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {victim.server.token}\r\n\r\n"
    connection.sendall(head.encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def received(connection: socket.socket, *, until: bytes) -> bytes:
    found = bytearray()
    while until not in found:
        part = connection.recv(1 << 16)
        assert part, f"the stream ended after {len(found)} bytes, without {until!r}"
        found += part
    return bytes(found)


def test_hundreds_of_watchers_see_every_change(victim: Victim) -> None:
    with ExitStack() as stack:
        watchers = [stack.enter_context(opened(victim)) for _ in range(300)]
        for n in range(5):
            victim.client.post(MAPS, json=config_map(f"seen-{n}")).raise_for_status()

        for watcher in watchers:
            text = received(watcher, until=b'"name":"seen-4"')
            assert [text.count(b'"type":"ADDED"'), text.count(b'"name":"seen-')] == [5, 5]


def test_watchers_that_vanish_are_forgotten(victim: Victim) -> None:
    tasks = victim.tasks()
    for n in range(100):
        connection = opened(victim)
        if n % 2:
            # A reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    assert victim.settle(tasks) == tasks


def test_a_watcher_that_never_reads_slows_nobody_and_is_cut(victim: Victim) -> None:
    slow, quick = victim.connect(), opened(victim)
    head = f"GET {WATCH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {victim.server.token}\r\n\r\n"
    slow.sendall(head.encode())
    with slow, quick:
        for n in range(40):
            victim.client.post(MAPS, json=config_map(f"large-{n}", 900_000)).raise_for_status()
            received(quick, until=b'"name":"large-%d"' % n)

        text = b""
        while part := slow.recv(1 << 20):
            text += part
            if text.endswith(b"0\r\n\r\n"):
                break
        assert b'"code":410' in text
        assert text.count(b'"type":"ADDED"') < 40


def test_sixty_four_writers_lose_no_update(victim: Victim) -> None:
    victim.client.post(MAPS, json={**config_map("counter"), "data": {"n": "0"}}).raise_for_status()
    credentials = {"authorization": f"Bearer {victim.server.token}"}
    conflicts: list[int] = []

    async def count(client: aiohttp.ClientSession) -> None:
        while True:
            async with client.get(f"{MAPS}/counter") as answer:
                found = await answer.json()
            changed = {**found, "data": {"n": str(int(found["data"]["n"]) + 1)}}
            async with client.put(f"{MAPS}/counter", json=changed) as answer:
                code = answer.status
            if code == 200:
                break
            assert code == 409
            conflicts.append(1)

    async def all_at_once() -> None:
        connector = aiohttp.TCPConnector(limit=64)
        async with aiohttp.ClientSession(victim.server.url, headers=credentials, connector=connector) as client:
            await asyncio.gather(*(count(client) for _ in range(64)))

    asyncio.run(all_at_once())

    assert victim.client.get(f"{MAPS}/counter").json()["data"] == {"n": "64"}
    assert conflicts


def test_a_watch_ends_when_its_client_said_so(victim: Victim) -> None:
    with opened(victim, f"{WATCH}&timeoutSeconds=1") as watcher:
        assert received(watcher, until=b"0\r\n\r\n").count(b'"type"') == 0


def test_bodies_that_never_come_to_an_end_hold_up_nobody(victim: Victim) -> None:
    """Half of a request on a hundred connections."""
    head = (
        f"POST {MAPS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {victim.server.token}\r\ncontent-length: 100\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(victim.connect()).sendall(head.encode() + b'{"metadata"')

        assert victim.well()


def test_events_are_whole_lines_of_json(victim: Victim) -> None:
    with opened(victim, f"{WATCH}&timeoutSeconds=1") as watcher:
        for n in range(20):
            victim.client.post(MAPS, json=config_map(f"line-{n}")).raise_for_status()
        text = received(watcher, until=b"0\r\n\r\n").partition(b"\r\n\r\n")[2]

    chunks = text.split(b"\r\n")[1::2]
    names = [json.loads(line)["object"]["metadata"]["name"] for line in b"".join(chunks).splitlines()]
    assert names == [f"line-{n}" for n in range(20)]
