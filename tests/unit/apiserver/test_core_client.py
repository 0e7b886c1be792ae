"""The server through a network: latency, refusals, counting, and callers that die meanwhile."""

import pytest
from core_world import WIDGET_DEFINITION, World

from controller.ports import ApiError, Cluster, Document
from sim.apiserver.identity import ADMIN, service_account
from sim.apiserver.latency import Latency
from sim.workload.distributions import Constant, Uniform

BODY: Document = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}


@pytest.fixture
def world() -> World:
    return World(latency=Latency(Constant(5_000), {"create": Constant(9_000)}))


def test_each_call_costs_its_verbs_latency(world: World) -> None:
    client = world.server.client(ADMIN)

    async def calls() -> list[int]:
        times = []
        await client.create(world.widgets, "default", BODY)
        times.append(world.loop.now_us)
        await client.get(world.widgets, "default", "a")
        times.append(world.loop.now_us)
        return times

    assert world.run(calls()) == [9_000, 14_000]


def test_the_server_acts_when_the_request_arrives(world: World) -> None:
    client = world.server.client(ADMIN, latency=Latency(Constant(10_000), request_share=0.3))
    call = world.loop.create_task(client.create(world.widgets, "default", BODY))
    world.wait(0.0029)
    assert not world.exists(world.widgets, "a")
    world.wait(0.0002)
    assert world.exists(world.widgets, "a")
    assert not call.done()
    world.run(call)
    assert world.loop.now_us == 10_000


def test_the_request_of_a_killed_process_is_carried_out_all_the_same(world: World) -> None:
    client = world.server.client(ADMIN)
    process = world.loop.process("controller")
    after: list[Document] = []

    async def main() -> None:
        after.append(await client.create(world.widgets, "default", BODY))

    process.start(main())
    world.wait(0.001)
    process.kill()
    world.wait(1)
    assert world.exists(world.widgets, "a")
    assert after == []


def test_a_refusal_for_a_killed_process_is_nobodys_error(world: World) -> None:
    client = world.server.client(ADMIN)
    process = world.loop.process("controller")
    process.start(client.get(world.widgets, "default", "nope"))
    world.wait(0.001)
    process.kill()
    world.wait(1)
    assert world.loop.errors == []


def test_a_cancelled_call_is_carried_out_too(world: World) -> None:
    call = world.loop.create_task(world.server.client(ADMIN).create(world.widgets, "default", BODY))
    world.wait(0.001)
    call.cancel()
    world.wait(1)
    assert world.exists(world.widgets, "a")


def test_calls_and_refusals_are_counted_by_component(world: World) -> None:
    client = world.server.client(ADMIN, component="executor")

    async def calls() -> None:
        await client.create(world.widgets, "default", BODY)
        await client.patch(world.widgets, "default", "a", {"status": {"phase": "Up"}}, subresource="status")
        for _ in range(2):
            with pytest.raises(ApiError):
                await client.get(world.widgets, "default", "nope")

    world.run(calls())
    counts = {key: (one.count, one.errors) for key, one in world.server.calls.items()}
    assert counts == {
        ("executor", "create", "widgets.example.com"): (1, {}),
        ("executor", "patch", "widgets.example.com/status"): (1, {}),
        ("executor", "get", "widgets.example.com"): (2, {404: 2}),
    }


def test_an_identity_without_rights_is_refused(world: World) -> None:
    client = world.server.client(service_account("default", "nobody"))
    with pytest.raises(ApiError) as caught:
        world.run(client.list(world.widgets, "default"))
    assert caught.value.message == (
        'widgets.example.com is forbidden: User "system:serviceaccount:default:nobody" cannot list resource "widgets" '
        'in API group "example.com" in the namespace "default"'
    )


def test_every_verb_goes_through(world: World) -> None:
    client = world.server.client(ADMIN)

    async def calls() -> list[str]:
        stream = await client.watch(world.widgets, "default", bookmarks=False)
        made = await client.create(world.widgets, "default", BODY)
        await client.update(world.widgets, "default", "a", {**made, "spec": {"size": 3}})
        assert (await client.list(world.widgets, "default", label_selector="!x"))["items"]
        await client.delete(world.widgets, "default", "a", uid=made["metadata"]["uid"])
        batch = await stream.__anext__()
        stream.close()
        return [event.type for event in batch]

    assert world.run(calls()) == ["ADDED", "MODIFIED", "DELETED"]


def test_one_seed_makes_one_history() -> None:
    def history(seed: int) -> list[tuple[int, str]]:
        world = World(seed, latency=Latency(Uniform(1_000, 9_000)), watch_lag=Uniform(0, 9_000))
        client = world.server.client(ADMIN, component="c")
        seen: list[tuple[int, str]] = []
        world.server.observe(lambda type_, _r, _o, new: seen.append((world.loop.now_us, new["metadata"]["uid"])))

        async def one(number: int) -> None:
            await client.create(world.widgets, "default", {**BODY, "metadata": {"generateName": f"n{number}-"}})

        async def main() -> None:
            for task in [world.loop.create_task(one(number)) for number in range(20)]:
                await task

        world.run(main())
        return seen

    assert history(3) == history(3)
    assert history(3) != history(4)


def test_a_killed_watcher_stops_costing(world: World) -> None:
    process = world.loop.process("controller")
    client = world.server.client(ADMIN)

    async def read() -> None:
        async for _ in await client.watch(world.widgets):
            pass

    process.start(read())
    world.wait(1)
    streams = world.server.registry.find(world.widgets).table.streams
    assert len(streams) == 1
    process.kill()
    world.create(world.widgets, "a")
    assert streams == []


def test_each_client_has_its_own_watch_lag(world: World) -> None:
    near, far = world.server.client(ADMIN), world.server.client(ADMIN, watch_lag=Constant(700_000))

    async def first(client: Cluster) -> int:
        stream = await client.watch(world.widgets, bookmarks=False)
        await stream.__anext__()
        return world.loop.now_us

    async def main() -> list[int]:
        tasks = [world.loop.create_task(first(client)) for client in (near, far)]
        await world.loop.pause(10_000)
        world.create(world.widgets, "a")
        return [await task for task in tasks]

    assert world.run(main()) == [10_000, 710_000]


def test_another_served_version_shows_the_same_object_under_its_own_name() -> None:
    world = World()
    spec = WIDGET_DEFINITION["spec"]
    (version,) = spec["versions"]
    versions = [version, {**version, "name": "v2", "storage": False}]
    definition = {**WIDGET_DEFINITION, "metadata": {"name": "gears.example.com"}}
    names = {"plural": "gears", "kind": "Gear"}
    v1 = world.server.install_crd({**definition, "spec": {**spec, "names": names, "versions": versions}})
    v2 = world.server.resource("example.com", "gears", "v2")
    stream = world.server.watch(ADMIN, v2, bookmarks=False)
    made = world.create(v2, "a", spec={"size": 2})
    assert made["apiVersion"] == "example.com/v2"
    assert world.get(v1, "a") == {**made, "apiVersion": "example.com/v1"}
    world.patch(v2, "a", {"spec": {"size": 3}})
    assert [event.object["apiVersion"] for event in stream.take()] == ["example.com/v2"] * 2
    assert world.server.list(ADMIN, v2)["items"][0]["apiVersion"] == "example.com/v2"
