"""Refused, torn, expired and silent connections."""

from typing import Any

from reflector_world import HalfOpen, Script, World, scripted

from controller.ports import ApiError, ConnectionLost, Document


def test_a_lost_connection_resumes_from_the_last_version_after_a_back_off(world: World) -> None:
    world.start(namespace="team")
    world.run(1)
    world.put("a", "1")
    world.run(1)
    world.faults["watch"] = [ConnectionLost("reset"), ApiError(503, "ServiceUnavailable", "later")]
    world.run(700)
    world.put("a", "2")
    world.run(1)
    assert world.verbs().count("list") == 1
    assert [text for text, _ in world.errors] == ["reset", "503 ServiceUnavailable: later"]
    assert 0.8 <= world.errors[0][1] <= 1.6
    assert 1.6 <= world.errors[1][1] <= 3.2
    assert world.told == [(None, "a=1"), ("a=1", "a=2")]


def test_what_happened_while_the_connection_was_lost_is_told_afterwards(world: World) -> None:
    world.faults["watch"] = [ConnectionLost("reset")]
    world.start(namespace="team")
    world.run(0.5)
    assert world.verbs() == ["list", "watch"]
    world.put("a", "1")
    world.run(5)
    assert world.verbs() == ["list", "watch", "watch"]
    assert world.told == [(None, "a=1")]


def test_a_refusal_for_too_many_requests_waits_as_long_as_the_server_asks(world: World) -> None:
    world.faults["list"] = [ApiError(429, "TooManyRequests", "slow down", retry_after_s=7.0)]
    reflector = world.start(namespace="team")
    world.run(6.9)
    assert not reflector.synced.is_set()
    world.run(1)
    assert reflector.synced.is_set()
    assert [at for at, _ in world.calls][:2] == [0.0, 7.0]


def test_a_refused_list_is_tried_again_ever_more_slowly(world: World) -> None:
    world.faults["list"] = [ApiError(403, "Forbidden", "no")] * 8
    reflector = world.start(namespace="team")
    world.run(400)
    assert reflector.synced.is_set()
    waits = [wait_s for _, wait_s in world.errors]
    assert len(waits) == 8
    assert all(
        base <= wait <= 2 * base for base, wait in zip([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30], waits, strict=True)
    )


def test_an_expired_version_means_a_new_list_and_only_the_differences_are_told(world: World) -> None:
    world.put("same", "1")
    world.put("changed", "1")
    world.put("gone", "1")
    world.faults["watch"] = [ApiError(410, "Expired", "too old resource version")]
    reflector = world.start(namespace="team")
    world.run(0.5)
    world.put("changed", "2")
    world.delete("gone")
    world.put("new", "1")
    world.told.clear()
    world.run(5)
    assert world.verbs() == ["list", "watch", "list", "watch"]
    assert sorted(world.told, key=str) == sorted(
        [("gone=1", None), ("changed=1", "changed=2"), (None, "new=1")], key=str
    )
    assert sorted(reflector.cache) == [("team", "changed"), ("team", "new"), ("team", "same")]


def test_an_expiry_inside_a_watch_means_a_new_list(world: World) -> None:
    expired = Script([("ERROR", ApiError(410, "Expired", "too old resource version: 1 (5)").status())])
    scripted(world, expired)
    world.start(namespace="team")
    world.run(10)
    assert world.verbs() == ["list", "watch", "list", "watch"]
    assert world.errors[0][0] == "410 Expired: too old resource version: 1 (5)"
    assert expired.closed


def test_another_error_inside_a_watch_resumes_from_the_last_version_a_bookmark_included(world: World) -> None:
    bookmark = ("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": "4711"}})
    scripted(world, Script([bookmark], [("ERROR", ApiError(500, "InternalError", "boom").status())]))
    versions: list[str] = []
    watch = world.client.watch

    async def spy(*args: Any, **options: Any) -> Any:
        versions.append(options["resource_version"])
        return await watch(*args, **options)

    world.client.watch = spy  # type: ignore[method-assign]
    world.start(namespace="team")
    world.run(4.5)
    assert world.verbs().count("list") == 1
    assert versions[1:] == ["4711"]


def test_a_watch_is_resumed_from_the_version_of_the_last_event_whatever_it_was(world: World) -> None:
    def event(type_: str, version: int) -> tuple[str, Document]:
        metadata = {"name": "a", "namespace": "team", "resourceVersion": str(version)}
        return type_, {"metadata": metadata, "data": {"v": str(version)}}

    reset = ConnectionLost("reset")
    scripted(
        world,
        Script([event("ADDED", 9_001)], reset),
        Script([event("MODIFIED", 9_002)], reset),
        Script([event("DELETED", 9_003)], reset),
    )
    versions: list[str] = []
    watch = world.client.watch

    async def spy(*args: Any, **options: Any) -> Any:
        versions.append(options["resource_version"])
        return await watch(*args, **options)

    world.client.watch = spy  # type: ignore[method-assign]
    world.start(namespace="team")
    world.run(7.9)
    assert versions[1:4] == ["9001", "9002", "9003"]
    assert world.told == [(None, "a=9001"), ("a=9001", "a=9002"), ("a=9003", None)]
    waits = [wait_s for text, wait_s in world.errors if text == "reset"]
    assert len(waits) == 3
    assert all(0.8 <= wait_s <= 1.6 for wait_s in waits), "a watch that said something starts the back-off over"


def test_watches_that_end_at_once_and_say_nothing_are_not_resumed_in_a_busy_loop(world: World) -> None:
    scripted(world, *[Script() for _ in range(100)])
    world.start(namespace="team")
    world.run(30)
    assert 4 <= world.verbs().count("watch") <= 8


def test_a_watch_that_outlives_its_timeout_in_silence_is_replaced(world: World) -> None:
    silent = HalfOpen()
    scripted(world, silent)
    world.start(namespace="team")
    world.run(1)
    world.put("a", "1")
    world.run(300)
    assert world.told == []
    world.run(335)
    assert silent.closed
    assert world.told == [(None, "a=1")]
    assert "outlived its timeout" in world.errors[0][0]


def test_a_cancelled_reflector_closes_its_watch(world: World) -> None:
    stream = Script(*[[("BOOKMARK", {"metadata": {"resourceVersion": "9"}})]] * 9)
    scripted(world, stream)
    world.start(namespace="team")
    world.run(2.5)
    world.task.cancel()
    world.run(1)
    assert world.task.cancelled()
    assert stream.closed
