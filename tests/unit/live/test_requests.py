"""What goes over the wire, and what the adapter makes of the answers."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from answering import PODS, RUNS, against
from kubernetes.aio.client import Configuration

from controller.live.cluster import LiveCluster
from controller.ports import ApiError, ConnectionLost, Document


class Noting:
    """Answers every request with the same document and keeps what was asked."""

    def __init__(self, document: Document | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self._document = document or {"kind": "Status", "status": "Success"}

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path))
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.json() if request.can_read_body else None)
        return web.json_response(self._document)


def refusing(code: int, text: str, **headers: str) -> Any:
    async def handler(_: web.Request) -> web.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, text=text, headers=names)

    return handler


def refusal(handler: Any) -> ApiError:
    async def body(cluster: LiveCluster) -> ApiError:
        with pytest.raises(ApiError) as caught:
            await cluster.get(PODS, "n", "p")
        return caught.value

    error: ApiError = against(handler, body)
    return error


def loss(handler: Any, *, timeout_s: float = 5.0) -> str:
    async def body(cluster: LiveCluster) -> str:
        with pytest.raises(ConnectionLost) as caught:
            await cluster.create(PODS, "n", {})
        return str(caught.value)

    text: str = against(handler, body, timeout_s=timeout_s)
    return text


def test_requests_carry_the_credential_and_say_who_asks() -> None:
    noting = Noting()
    against(noting, lambda cluster: cluster.get(RUNS, "n", "r"))
    assert noting.asked == [("GET", "/apis/tekton.dev/v1/namespaces/n/pipelineruns/r")]
    assert noting.headers[0]["Authorization"] == "Bearer t"
    assert noting.headers[0]["User-Agent"].startswith("tester/")


def test_selectors_and_tokens_survive_the_way() -> None:
    noting = Noting()
    token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ+/=="

    async def body(cluster: LiveCluster) -> None:
        await cluster.list(PODS, label_selector="a in (b,c),d!=e", limit=3, continue_token=token)

    seen: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(dict(request.query))
        return await noting(request)

    against(handler, body)
    assert seen == [{"labelSelector": "a in (b,c),d!=e", "limit": "3", "continue": token}]


def test_an_application_of_fields_names_their_manager() -> None:
    noting = Noting()

    async def body(cluster: LiveCluster) -> None:
        await cluster.patch(
            RUNS, "n", "r", {"metadata": {"labels": {"a": "b"}}}, patch_type="apply", subresource="status"
        )

    against(noting, body)
    assert noting.asked == [
        ("PATCH", "/apis/tekton.dev/v1/namespaces/n/pipelineruns/r/status?fieldManager=tester&force=true")
    ]
    assert noting.headers[0]["Content-Type"] == "application/apply-patch+yaml"
    assert noting.bodies == [{"metadata": {"labels": {"a": "b"}}}]


def test_a_json_patch_stays_one_even_when_it_is_empty() -> None:
    noting = Noting()
    against(noting, lambda cluster: cluster.patch(PODS, "n", "p", [], patch_type="json"))
    assert (noting.headers[0]["Content-Type"], noting.bodies) == ("application/json-patch+json", [[]])


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_mean_a_whole_collection_never_leaves(name: str) -> None:
    noting = Noting()

    async def body(cluster: LiveCluster) -> None:
        with pytest.raises(ValueError, match="no name of an object"):
            await cluster.delete(PODS, "n", name)

    against(noting, body)
    assert noting.asked == []


def test_a_name_with_slashes_stays_one_segment() -> None:
    noting = Noting()
    against(noting, lambda cluster: cluster.get(PODS, "n", "../secrets/x"))
    assert noting.asked == [("GET", "/api/v1/namespaces/n/pods/..%2Fsecrets%2Fx")]


def test_the_time_to_wait_before_the_next_try_is_kept() -> None:
    status = '{"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "slow down", "details": {"a": 1}}'
    error = refusal(refusing(429, status, Retry_After="7"))
    assert (error.code, error.reason, error.message) == (429, "TooManyRequests", "slow down")
    assert (error.details, error.retry_after_s) == ({"a": 1}, 7.0)


def test_an_answer_that_is_no_status_is_told_bounded_and_clean() -> None:
    error = refusal(refusing(503, "<html>\x1b[31mdown" + "x" * 100_000, Retry_After="Fri, 20 Nov 2026 08:00:00 GMT"))
    assert (error.code, error.reason, error.retry_after_s) == (503, "ServiceUnavailable", None)
    assert error.message.startswith("<html> [31mdownx")
    assert len(error.message) == 4096


def test_a_malformed_status_does_not_break_its_reader() -> None:
    error = refusal(refusing(500, '{"kind": "Status", "code": "x", "reason": 5, "details": [1]}'))
    assert (error.code, error.reason, error.message, error.details) == (500, "5", "", {})


def test_an_answer_that_is_no_json_object_is_a_lost_one() -> None:
    assert "no JSON object" in loss(refusing(201, "[]"))


def test_a_connection_that_breaks_within_the_answer_is_lost() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    assert "POST /api/v1/namespaces/n/pods" in loss(handler)


def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    assert "imeout" in loss(handler, timeout_s=0.05)


def test_nobody_listening_is_a_lost_connection() -> None:
    async def run() -> None:
        async with LiveCluster(Configuration(host="http://127.0.0.1:1"), "tester") as cluster:
            with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:1"):
                await cluster.get(PODS, "n", "p")

    asyncio.run(run())


def test_the_tail_of_a_log_is_bounded_whoever_answers() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(body=b"\xff\xfelog " + b"x" * 30)

    async def body(cluster: LiveCluster) -> str:
        return await cluster.tail("n", "p", "step-a", lines=5, limit_bytes=36)

    assert against(handler, body) == "\ufffd\ufffdlog " + "x" * 30
    assert asked == ["/api/v1/namespaces/n/pods/p/log?container=step-a&tailLines=5&limitBytes=36"]

    async def too_much(cluster: LiveCluster) -> None:
        with pytest.raises(ConnectionLost, match="larger than"):
            await cluster.tail("n", "p", "step-a", limit_bytes=10)

    against(handler, too_much)
