"""What the HTTP face makes of requests, good and bad."""

import asyncio
from typing import Any

from http_world import CONFIG_MAPS, Answer, HttpWorld, config_map

LIMIT_BYTES = 3 * 1024 * 1024


def ask(*request: Any, **more: Any) -> Answer:
    return asyncio.run(HttpWorld().ask(*request, **more))


def test_an_object_is_created_and_read_again() -> None:
    async def run() -> tuple[Answer, Answer]:
        world = HttpWorld()
        created = await world.ask("POST", CONFIG_MAPS, config_map("a", k="v"))
        return created, await world.ask("GET", f"{CONFIG_MAPS}/a")

    created, read = asyncio.run(run())

    assert (created.status, read.status) == (201, 200)
    assert created.json == read.json
    assert read.headers["content-type"] == "application/json"
    assert int(read.headers["content-length"]) == len(read.text)


def test_a_body_without_a_content_type_is_json() -> None:
    assert ask("POST", CONFIG_MAPS, config_map("a"), content_type="").status == 201


def test_a_body_in_chunks_is_put_together() -> None:
    parts = [b'{"metadata":', b'{"name":', b'"a"}}']

    answer = ask("POST", CONFIG_MAPS, b"", parts=parts, content_length="", transfer_encoding="chunked")

    assert answer.json["metadata"]["name"] == "a"


def test_a_body_beyond_the_limit_is_refused_whatever_its_verb() -> None:
    huge = {"metadata": {"name": "a"}, "data": {"k": "x" * LIMIT_BYTES}}

    answer = ask("POST", CONFIG_MAPS, huge)

    assert answer.status == 413
    assert answer.json["reason"] == "RequestEntityTooLarge"


def test_a_client_that_vanishes_in_the_middle_of_its_body_changes_nothing() -> None:
    async def run() -> int:
        world = HttpWorld()
        scope = world.scope("POST", CONFIG_MAPS, "", b"x" * 10, {})
        said = [{"type": "http.request", "body": b'{"meta', "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return said.pop(0)

        answer = Answer()
        await world.application(scope, receive, answer.send)
        return answer.status

    assert asyncio.run(run()) == 0


def test_malformed_json_is_a_bad_request() -> None:
    for body in (b"{", b"[1]", b"nonsense", b"\xff\xfe", b'{"a":' * 100_000, b"{}" * 2, b"NaN"):
        answer = ask("POST", CONFIG_MAPS, body)
        assert answer.status == 400, body[:20]
        assert answer.json["reason"] == "BadRequest"


def test_a_patch_that_is_no_json_is_a_bad_request() -> None:
    async def run(body: bytes, kind: str) -> Answer:
        world = HttpWorld()
        await world.ask("POST", CONFIG_MAPS, config_map("a"))
        return await world.ask("PATCH", f"{CONFIG_MAPS}/a", body, content_type=kind)

    for kind in ("merge-patch+json", "json-patch+json", "strategic-merge-patch+json"):
        for body in (b"{", b"\xff", b"[" * 100_000):
            assert asyncio.run(run(body, f"application/{kind}")).status == 400, (kind, body[:9])


def test_text_that_is_no_unicode_is_answered_as_something_printable() -> None:
    async def run() -> Answer:
        world = HttpWorld()
        created = await world.ask("POST", CONFIG_MAPS, b'{"metadata":{"name":"a"},"data":{"k":"\\ud800x"}}')
        assert created.status == 201
        return await world.ask("GET", f"{CONFIG_MAPS}/a")

    assert asyncio.run(run()).json["data"]["k"] == "\ufffdx"


def test_numbers_beyond_64_bits_do_not_stall_the_server() -> None:
    assert ask("POST", CONFIG_MAPS, b'{"metadata":{"name":"a"},"data":{"k":' + b"9" * 400 + b"}}").status == 400


def test_an_unknown_token_is_unauthorized() -> None:
    answer = ask("GET", "/api/v1/namespaces", authorization="Bearer wrong")

    assert (answer.status, answer.json["reason"]) == (401, "Unauthorized")


def test_who_says_nothing_is_anonymous_and_may_do_nothing() -> None:
    answer = ask("GET", "/api/v1/namespaces", authorization="")

    assert answer.status == 403
    assert 'User "system:anonymous"' in answer.json["message"]


def test_the_first_value_of_a_repeated_parameter_counts() -> None:
    async def run() -> Answer:
        world = HttpWorld()
        await world.ask("POST", CONFIG_MAPS, config_map("a"))
        await world.ask("POST", CONFIG_MAPS, config_map("b"))
        return await world.ask(
            "GET", CONFIG_MAPS, query="fieldSelector=metadata.name%3Da&fieldSelector=metadata.name%3Db"
        )

    assert [one["metadata"]["name"] for one in asyncio.run(run()).json["items"]] == ["a"]


def test_a_fault_of_the_server_is_a_500_and_the_next_request_is_served(monkeypatch: Any) -> None:
    async def run() -> tuple[Answer, Answer]:
        world = HttpWorld()
        with monkeypatch.context() as patched:
            patched.setattr(world.rest, "handle", lambda _: 1 / 0)
            broken = await world.ask("GET", "/api/v1/namespaces")
        return broken, await world.ask("GET", "/api/v1/namespaces")

    broken, next_one = asyncio.run(run())

    assert (broken.status, broken.json["reason"]) == (500, "InternalError")
    assert next_one.status == 200


def test_the_host_may_announce_its_start_and_stop() -> None:
    async def run() -> list[str]:
        said = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        heard: list[str] = []

        async def receive() -> Any:
            return said.pop(0)

        async def send(message: Any) -> None:
            heard.append(message["type"])

        await HttpWorld().application({"type": "lifespan"}, receive, send)
        return heard

    assert asyncio.run(run()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
