"""The calendar: positions of the clock, ties, plain simpy processes, and worlds that cannot go on."""

import asyncio
import gc
import random
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import simpy

import sim.loop
from sim.loop import Loop, Spinning, Stalled


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_running_until_an_instant_includes_it_and_leaves_the_clock_there(loop: Loop) -> None:
    fired: list[int] = []
    for at_us in (9, 10, 11):
        loop.after(at_us, fired.append, at_us)
    assert loop.run_until(10) is False
    assert (fired, loop.now_us) == ([9, 10], 10)
    loop.run_until(50)
    assert (fired, loop.now_us) == ([9, 10, 11], 50)


def test_running_until_a_past_instant_changes_nothing(loop: Loop) -> None:
    loop.run_until(50)
    loop.run_until(10)
    assert loop.now_us == 50


def test_running_until_a_condition_stops_where_it_came_true(loop: Loop) -> None:
    fired: list[int] = []
    for at_us in (1, 2, 3):
        loop.after(at_us, fired.append, at_us)
    assert loop.run_until(100, until=lambda: 2 in fired) is True
    assert (fired, loop.now_us) == ([1, 2], 2)
    assert loop.run_until(100, until=lambda: True) is True
    assert loop.now_us == 2
    assert loop.run_until(100, until=lambda: False) is False
    assert (fired, loop.now_us) == ([1, 2, 3], 100)


def test_tasks_run_after_all_timers_of_their_instant(loop: Loop) -> None:
    order: list[str] = []

    async def task() -> None:
        await loop.pause(5)
        order.append("task")

    waiting = loop.create_task(task())
    loop.run_until(0)
    loop.after(5, order.append, "model")
    loop.run_until(5)
    assert waiting.done()
    assert order == ["model", "task"]


def test_what_a_task_schedules_for_now_happens_now(loop: Loop) -> None:
    async def main() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        await loop.pause(3)
        loop.after(0, lambda: seen.append(("model", loop.now_us)))
        await loop.pause(0)
        seen.append(("task", loop.now_us))
        return seen

    assert loop.run_until_complete(main()) == [("model", 3), ("task", 3)]


def test_the_past_is_refused(loop: Loop) -> None:
    with pytest.raises(ValueError, match="past"):
        loop.after(-1, print)
    with pytest.raises(ValueError, match="past"):
        loop.pause(-1)


def test_a_pause_whose_waiter_was_cancelled_does_no_harm(loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await loop.pause(5_000_000)
        await asyncio.sleep(10)

    loop.run_until_complete(main())


def trace(seed: int | None) -> list[tuple[int, int]]:
    loop = Loop(ties=None if seed is None else random.Random(seed))
    seen: list[tuple[int, int]] = []

    async def worker(number: int) -> None:
        for _ in range(5):
            await asyncio.sleep(1)
            seen.append((loop.now_us, number))

    async def main() -> None:
        await asyncio.gather(*(worker(number) for number in range(8)))

    loop.run_until_complete(main())
    loop.close()
    return seen


def test_without_ties_the_order_of_one_instant_is_the_order_of_setting() -> None:
    assert trace(None) == [(second * 1_000_000, number) for second in range(1, 6) for number in range(8)]


def test_one_seed_of_ties_gives_one_trace() -> None:
    assert trace(1) == trace(1)


def test_another_seed_gives_another_order_of_the_same_events() -> None:
    first, second = trace(1), trace(2)
    assert first != second
    assert sorted(first) == sorted(second) == trace(None)
    assert [at_us for at_us, _ in first] == [at_us for at_us, _ in second]


def test_simpy_processes_and_tasks_share_one_calendar(loop: Loop) -> None:
    order: list[tuple[str, int]] = []

    def process(env: simpy.Environment) -> Generator[Any, Any, None]:
        for _ in range(3):
            yield env.timeout(10)
            order.append(("process", loop.now_us))

    async def task() -> None:
        for _ in range(3):
            await loop.pause(10)
            order.append(("task", loop.now_us))

    loop.env.process(process(loop.env))
    loop.run_until_complete(task())
    assert order == [(name, at_us) for at_us in (10, 20, 30) for name in ("process", "task")]


def test_a_simpy_process_completes_a_future_that_a_task_awaits(loop: Loop) -> None:
    async def main() -> tuple[str, int]:
        answer = loop.create_future()

        def process(env: simpy.Environment) -> Generator[Any, Any, None]:
            yield env.timeout(25)
            answer.set_result("done")

        loop.env.process(process(loop.env))
        return await answer, loop.now_us

    assert loop.run_until_complete(main()) == ("done", 25)


def test_a_task_wakes_a_simpy_process_and_resources_work(loop: Loop) -> None:
    seen: list[tuple[str, int]] = []
    bell = loop.env.event()
    desk = simpy.Resource(loop.env, capacity=1)

    def process(env: simpy.Environment, name: str) -> Generator[Any, Any, None]:
        yield bell
        with desk.request() as turn:
            yield turn
            yield env.timeout(5)
            seen.append((name, loop.now_us))

    async def main() -> None:
        await loop.pause(10)
        bell.succeed()

    for name in "ab":
        loop.env.process(process(loop.env, name))
    loop.run_until_complete(main())
    loop.run_until(100)
    assert seen == [("a", 15), ("b", 20)]


def test_a_failing_simpy_process_ends_the_run_with_its_own_error(loop: Loop) -> None:
    error = KeyError("itself, not a copy")

    def process(env: simpy.Environment) -> Generator[Any, Any, None]:
        yield env.timeout(1)
        raise error

    loop.env.process(process(loop.env))
    with pytest.raises(KeyError) as caught:
        loop.run_until(10)
    assert caught.value is error


def test_only_the_loop_turns_the_calendar(loop: Loop) -> None:
    with pytest.raises(RuntimeError, match="run_until"):
        loop.env.run(until=10)


def test_a_stall_names_the_tasks_that_wait_and_where(loop: Loop) -> None:
    async def wait_for_godot() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        waiting = asyncio.create_task(wait_for_godot(), name="vladimir")
        await asyncio.sleep(2)
        await waiting

    with pytest.raises(Stalled) as stall:
        loop.run_until_complete(main())
    text = str(stall.value)
    assert "nothing is scheduled at 2.000000 s" in text
    assert "vladimir waits at" in text
    assert "in wait_for_godot" in text
    assert "test_loop_calendar.py" in text


def test_a_stall_of_very_many_tasks_names_the_first_and_counts_the_rest(loop: Loop) -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.Event().wait() for _ in range(1_000)))

    with pytest.raises(Stalled) as stall:
        loop.run_until_complete(main())
    lines = str(stall.value).splitlines()
    assert len(lines) == 42
    assert lines[-1] == "  and 961 more"


def test_run_forever_tells_a_stall_too(loop: Loop) -> None:
    with pytest.raises(Stalled):
        loop.run_forever()


def test_callbacks_that_keep_each_other_busy_are_told(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.loop, "_SPIN_LIMIT", 1_000)

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Spinning, match=r"callbacks at 0\.000000 s"):
        loop.run_until_complete(spin())


def test_timers_of_no_delay_that_keep_each_other_busy_are_told(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.loop, "_SPIN_LIMIT", 1_000)

    async def spin() -> None:
        while True:
            await loop.pause(0)

    with pytest.raises(Spinning, match=r"events at 0\.000000 s"):
        loop.run_until_complete(spin())


def test_an_error_that_nobody_awaits_ends_the_run_and_stays(loop: Loop) -> None:
    async def crash() -> None:
        await asyncio.sleep(1)
        raise KeyError("lost")

    async def main() -> None:
        background = asyncio.create_task(crash())
        await asyncio.sleep(2)
        del background
        gc.collect()
        await asyncio.sleep(10)

    with pytest.raises(KeyError, match="lost"):
        loop.run_until_complete(main())
    assert loop.time() == 2.0
    with pytest.raises(KeyError, match="lost"):
        loop.run_until(100_000_000)


def test_an_error_of_a_callback_ends_the_run(loop: Loop) -> None:
    def crash() -> None:
        raise ValueError("in a callback")

    loop.call_later(1, crash)
    for _ in range(2):
        with pytest.raises(ValueError, match="in a callback"):
            loop.run_until(5_000_000)
        assert loop.time() == 1.0


def test_an_error_of_a_model_ends_the_run(loop: Loop) -> None:
    def crash() -> None:
        raise ValueError("in a model")

    loop.after(1, crash)
    with pytest.raises(ValueError, match="in a model"):
        loop.run_until(5)


def test_an_awaited_error_belongs_to_its_awaiter(loop: Loop) -> None:
    async def crash() -> None:
        raise KeyError("mine")

    async def main() -> str:
        with pytest.raises(KeyError):
            await asyncio.create_task(crash())
        await asyncio.sleep(1)
        return "fine"

    assert loop.run_until_complete(main()) == "fine"
