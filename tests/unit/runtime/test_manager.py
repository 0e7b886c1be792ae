import asyncio
import random
from typing import Any

import pytest

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import Controller, Hooks, PermanentError, Result
from controller.runtime.manager import Manager
from controller.runtime.reflector import Reflector
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.loop import Loop

Key = tuple[str, str]
CALLS = list[tuple[str, float]]


class Scripted:
    """Answers reconciles from a script, then with success; keeps the instants."""

    def __init__(self, loop: Loop, *script: Any, work_s: float = 0.0) -> None:
        self.loop = loop
        self.script = list(script)
        self.work_s = work_s
        self.calls: CALLS = []
        self.finished: CALLS = []

    async def __call__(self, key: str) -> Result | None:
        self.calls.append((key, self.loop.time()))
        answer = self.script.pop(0) if self.script else None
        await asyncio.sleep(self.work_s)
        if isinstance(answer, Exception):
            raise answer
        self.finished.append((key, self.loop.time()))
        return answer


def started(loop: Loop, reconcile: Scripted, **options: Any) -> Controller[str]:
    controller: Controller[str] = Controller("test", reconcile, **options)
    for number in range(controller.workers):
        loop.create_task(controller.work(), name=f"worker {number}")
    loop.run_until(0)
    return controller


def run(loop: Loop, seconds: float) -> None:
    loop.run_until(loop.now_us + round(seconds * 1_000_000))


def add(loop: Loop, controller: Controller[str], *keys: str) -> None:
    for key in keys:
        loop.call_soon(controller.queue.add, key)


def test_a_success_is_called_again_only_when_somebody_asks(loop: Loop) -> None:
    reconcile = Scripted(loop, None, Result())
    controller = started(loop, reconcile)
    add(loop, controller, "a")
    run(loop, 100)
    add(loop, controller, "a")
    run(loop, 100)
    assert reconcile.calls == [("a", 0.0), ("a", 100.0)]


def test_a_requeue_comes_after_the_time_asked_for_and_resets_the_back_off(loop: Loop) -> None:
    reconcile = Scripted(loop, ConnectionLost(), ConnectionLost(), Result(requeue_after_s=10), ConnectionLost())
    controller = started(loop, reconcile)
    add(loop, controller, "a")
    run(loop, 100)
    assert reconcile.calls == [("a", 0.0), ("a", 0.005), ("a", 0.015), ("a", 10.015), ("a", 10.02)]
    assert controller.queue.retries("a") == 0


@pytest.mark.parametrize(
    "error", [ApiError(409, "Conflict", "x"), ConnectionLost(), KeyError("defect"), TimeoutError()]
)
def test_any_error_is_tried_again_after_a_growing_back_off(loop: Loop, error: Exception) -> None:
    reconcile = Scripted(loop, error, error, error)
    add(loop, started(loop, reconcile), "a")
    run(loop, 100)
    assert [at for _, at in reconcile.calls] == [0.0, 0.005, 0.015, 0.035]


def test_retry_after_is_the_least_wait(loop: Loop) -> None:
    reconcile = Scripted(loop, ApiError(429, "TooManyRequests", "x", retry_after_s=2.0), ApiError(429, "", "x"))
    add(loop, started(loop, reconcile), "a")
    run(loop, 100)
    assert [at for _, at in reconcile.calls] == [0.0, 2.0, 2.01]


def test_a_permanent_error_is_not_tried_again_and_forgets_the_back_off(loop: Loop) -> None:
    reconcile = Scripted(loop, KeyError(), PermanentError("no use"))
    controller = started(loop, reconcile)
    add(loop, controller, "a")
    run(loop, 10_000)
    assert len(reconcile.calls) == 2
    assert controller.queue.retries("a") == 0


def test_a_key_is_never_reconciled_twice_at_once_and_other_keys_are(loop: Loop) -> None:
    reconcile = Scripted(loop, work_s=10)
    controller = started(loop, reconcile, workers=2)
    add(loop, controller, "a", "b")
    run(loop, 1)
    add(loop, controller, "a", "c")
    run(loop, 100)
    assert reconcile.calls == [("a", 0.0), ("b", 0.0), ("c", 10.0), ("a", 10.0)]


def test_a_key_that_fails_does_not_hold_up_the_others(loop: Loop) -> None:
    reconcile = Scripted(loop, *[KeyError()] * 12)
    controller = started(loop, reconcile)
    add(loop, controller, "bad")
    run(loop, 0.1)
    reconcile.script.insert(0, None)
    add(loop, controller, "good")
    run(loop, 0.001)
    assert reconcile.finished == [("good", 0.1)]


def test_onlookers_are_told_start_end_outcome_duration_and_error(loop: Loop) -> None:
    told: list[Any] = []
    error = KeyError("defect")
    reconcile = Scripted(loop, error, Result(5), PermanentError(), None, work_s=2)
    hooks = Hooks(
        on_start=lambda name, key: told.append((name, key)),
        on_end=lambda name, key, outcome, duration_s, failure: told.append((outcome, duration_s, type(failure))),
    )
    controller = started(loop, reconcile, hooks=hooks)
    add(loop, controller, "a")
    run(loop, 30)
    add(loop, controller, "a")
    run(loop, 30)
    nothing = type(None)
    ends = [("error", 2.0, KeyError), ("requeue_after", 2.0, nothing), ("permanent", 2.0, PermanentError)]
    assert [entry for entry in told if entry != ("test", "a")] == [
        (outcome, pytest.approx(duration_s), kind) for outcome, duration_s, kind in [*ends, ("success", 2.0, nothing)]
    ]
    assert told.count(("test", "a")) == 4


def test_a_controller_without_workers_is_refused(loop: Loop) -> None:
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        Controller("test", Scripted(loop), workers=0)


class Plant:
    """Config maps, a reflector of them, and a controller that looks each one up in the cache."""

    def __init__(self, loop: Loop, server: ApiServer, *, work_s: float = 0.0, **options: Any) -> None:
        self.loop = loop
        self.server = server
        self.resource = server.resource("", "configmaps")
        self.reflector = Reflector(server.client(ADMIN), self.resource, random.Random(1), namespace="team")
        self.seen: list[tuple[str, float]] = []
        self.finished: list[str] = []
        self.work_s = work_s
        self.controller: Controller[Key] = Controller("maps", self.reconcile, workers=2)
        self.reflector.add_handler(self.enqueue)
        self.manager = Manager([self.reflector], [self.controller], **options)

    def enqueue(self, old: Document | None, new: Document | None) -> None:
        metadata = (new or old or {})["metadata"]
        self.controller.queue.add((metadata["namespace"], metadata["name"]))

    async def reconcile(self, key: Key) -> None:
        self.seen.append((key[1], self.loop.time()))
        await asyncio.sleep(self.work_s)
        self.finished.append(key[1])

    def put(self, name: str) -> None:
        self.server.create(ADMIN, self.resource, "team", {"metadata": {"name": name}})


def test_controllers_start_only_when_every_cache_has_its_first_list(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server)
    plant.put("a")
    starting: list[bool] = []
    reconcile = plant.reconcile

    async def spy(key: Key) -> None:
        starting.append(plant.manager.synced)
        await reconcile(key)

    plant.controller._reconcile = spy
    assert not plant.manager.synced
    running = loop.create_task(plant.manager.run())
    run(loop, 1)
    plant.put("b")
    run(loop, 1)
    assert starting == [True, True]
    assert [name for name, _ in plant.seen] == ["a", "b"]
    assert not running.done()


def test_stopping_lets_reconciles_under_way_finish_and_takes_no_new_keys(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server, work_s=10)
    for name in "abc":
        plant.put(name)
    running = loop.create_task(plant.manager.run())
    run(loop, 5)
    plant.manager.stop()
    plant.put("d")
    run(loop, 20)
    assert running.done()
    assert running.result() is None
    assert plant.finished == ["a", "b"]
    assert 9.9 < loop.time() < 26


def test_a_reconcile_that_takes_too_long_is_cancelled_when_stopping(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server, work_s=10_000, stop_timeout_s=5)
    plant.put("a")
    running = loop.create_task(plant.manager.run())
    run(loop, 1)
    plant.manager.stop()
    run(loop, 4.9)
    assert not running.done()
    run(loop, 0.2)
    assert running.done()
    assert plant.finished == []
    assert len(asyncio.all_tasks(loop)) == 0


def test_stopping_before_the_caches_have_synced_starts_no_controller(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server)
    plant.put("a")
    plant.manager.stop()
    loop.run_until_complete(plant.manager.run())
    run(loop, 10)
    assert plant.seen == []


def test_a_broken_handler_ends_the_manager_with_its_error(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server)

    def broken(old: Document | None, new: Document | None) -> None:
        raise KeyError("a defect")

    plant.reflector.add_handler(broken)
    plant.put("a")
    with pytest.raises(KeyError, match="a defect"):
        loop.run_until_complete(plant.manager.run())
    assert len(asyncio.all_tasks(loop)) == 0


def test_background_work_that_ends_by_itself_ends_the_manager(loop: Loop, server: ApiServer) -> None:
    async def short() -> None:
        await asyncio.sleep(3)

    plant = Plant(loop, server, background=[short])
    with pytest.raises(RuntimeError, match="background 0 ended by itself"):
        loop.run_until_complete(plant.manager.run())
    assert loop.time() == 3.0


def test_a_killed_manager_is_replaced_by_one_that_sees_everything_again(loop: Loop, server: ApiServer) -> None:
    first = Plant(loop, server, work_s=10)
    first.put("a")
    process = loop.process("controller")
    process.start(first.manager.run())
    run(loop, 5)
    process.kill()
    first.put("b")
    second = Plant(loop, server)
    loop.process("controller").start(second.manager.run())
    run(loop, 100)
    assert (first.finished, sorted(second.finished)) == ([], ["a", "b"])


def test_cancelling_the_manager_cancels_everything_it_started(loop: Loop, server: ApiServer) -> None:
    plant = Plant(loop, server, work_s=10)
    plant.put("a")
    running = loop.create_task(plant.manager.run())
    run(loop, 5)
    running.cancel()
    run(loop, 0)
    assert running.cancelled()
    assert len(asyncio.all_tasks(loop)) == 0


def test_a_manager_of_a_world_that_is_thrown_away_makes_no_noise(loop: Loop, server: ApiServer) -> None:
    coro = Plant(loop, server).manager.run()
    loop.create_task(coro)
    run(loop, 1)
    coro.close()
