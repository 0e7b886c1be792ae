"""What can go wrong with a watch between two good lines."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from answering import PODS, against

from controller.live.cluster import LiveCluster
from controller.ports import ApiError, ConnectionLost, WatchEvent

POD = {"metadata": {"name": "p", "resourceVersion": "5"}}


def line(type_: str = "ADDED", document: Any = POD) -> bytes:
    return json.dumps({"type": type_, "object": document}).encode() + b"\n"


def sending(*parts: bytes, abrupt: bool = False) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0.005)  # so that parts arrive apart
        if abrupt:
            assert request.transport is not None
            request.transport.close()
        return response

    return handler


async def told(cluster: LiveCluster) -> list[WatchEvent]:
    stream = await cluster.watch(PODS, "n", resource_version="4")
    return [event async for batch in stream for event in batch]


def test_events_are_whole_however_they_arrive() -> None:
    whole = line() + line("BOOKMARK") + b"\n" + line("DELETED")
    parts = (whole[:7], whole[7:60], whole[60:])
    assert [event.type for event in against(sending(*parts), told)] == ["ADDED", "BOOKMARK", "DELETED"]


@pytest.mark.parametrize(
    ("parts", "abrupt"),
    [
        ((line(), line()[:10]), False),
        ((line(),), True),
        ((b"not json\n",), False),
        ((b'{"type": "ADDED"}\n',), False),
        ((line("RENAMED"),), False),
        ((line("ADDED", []),), False),
    ],
    ids=["cut within an event", "connection gone", "no JSON", "no object", "unknown type", "object of no kind"],
)
def test_what_cannot_be_understood_is_a_lost_connection(parts: tuple[bytes, ...], abrupt: bool) -> None:
    with pytest.raises(ConnectionLost):
        against(sending(*parts, abrupt=abrupt), told)


def test_an_event_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.live.stream._LINE_MAX_BYTES", 100)
    with pytest.raises(ConnectionLost, match="more than 100 bytes"):
        against(sending(b"x" * 101), told)


def test_a_refusal_in_the_first_line_is_raised_and_a_later_one_is_told() -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 4 (9)"}
    with pytest.raises(ApiError) as caught:
        against(sending(line("ERROR", status)), told)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
    events = against(sending(line(), line("ERROR", status)), told)
    assert [event.type for event in events] == ["ADDED", "ERROR"]


def test_a_refused_watch_is_no_stream() -> None:
    async def handler(_: web.Request) -> web.Response:
        status = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}
        return web.json_response(status, status=403)

    with pytest.raises(ApiError, match="403 Forbidden: no"):
        against(handler, told)


def test_a_watch_that_outlives_its_time_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.live.cluster._OVERDUE_S", -0.95)

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.query["timeoutSeconds"] == "1"
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.5)
        return response

    async def body(cluster: LiveCluster) -> None:
        await anext(await cluster.watch(PODS, "n", timeout_s=1))

    with pytest.raises(ConnectionLost):
        against(handler, body)
