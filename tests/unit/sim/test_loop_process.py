"""Killing: a crash is not a cancellation."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from sim.loop import Loop, Process, Stalled


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_a_killed_process_never_resumes_and_never_runs_its_finally_blocks(loop: Loop) -> None:
    told: list[str] = []

    async def work() -> None:
        try:
            told.append("before")
            await asyncio.sleep(2)
            told.append("after")
        finally:
            told.append("finally")

    process = loop.process("controller")
    process.start(work())
    loop.after(1_000_000, process.kill)
    loop.run_until(100_000_000)
    gc.collect()
    loop.run_until(200_000_000)
    assert told == ["before"]
    assert not process.alive


def test_tasks_that_a_killed_process_created_die_with_it(loop: Loop) -> None:
    ticks: list[tuple[str, float]] = []

    async def tick(name: str) -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append((name, loop.time()))

    async def main() -> None:
        children = [asyncio.create_task(tick("child"))]

        async def grow() -> None:
            children.append(asyncio.create_task(tick("grandchild")))

        await asyncio.create_task(grow())
        await tick("main")

    process, other = loop.process("doomed"), loop.process("other")
    process.start(main())
    other.start(tick("other"))
    loop.after(1_500_000, process.kill)
    loop.run_until(3_000_000)
    assert sorted(name for name, at in ticks if at == 1.0) == ["child", "grandchild", "main", "other"]
    assert [name for name, at in ticks if at > 1.5] == ["other", "other"]


def test_timers_and_futures_in_flight_reach_nobody(loop: Loop) -> None:
    told: list[str] = []
    answer = loop.create_future()

    async def await_answer() -> None:
        told.append(await answer)

    async def main() -> None:
        asyncio.get_running_loop().call_later(2, told.append, "timer")
        waiting = asyncio.create_task(await_answer())
        answer.add_done_callback(lambda _: told.append("callback"))
        async with asyncio.timeout(2):
            await waiting

    process = loop.process("doomed")
    process.start(main())
    loop.after(1_000_000, process.kill)
    loop.after(1_500_000, answer.set_result, "answer")
    loop.run_until(10_000_000)
    assert told == []
    assert answer.done()


def test_what_is_ready_at_the_instant_of_the_kill_does_not_run(loop: Loop) -> None:
    told: list[str] = []

    async def work() -> None:
        await loop.pause(10)
        told.append("resumed")

    process = loop.process("doomed")
    process.start(work())
    loop.run_until(0)
    loop.after(10, process.kill)
    loop.run_until(20)
    assert told == []


def test_a_process_may_kill_itself_and_gets_no_further_than_its_next_await(loop: Loop) -> None:
    told: list[str] = []

    async def work(process: Process) -> None:
        try:
            process.kill()
            told.append("still in the same step")
            await asyncio.sleep(0)
            told.append("resumed")
        finally:
            told.append("finally")

    process = loop.process("suicidal")
    process.start(work(process))
    loop.run_until(1_000_000)
    assert told == ["still in the same step"]


def test_killing_twice_is_killing_once(loop: Loop) -> None:
    process = loop.process("doomed")
    process.start(asyncio.sleep(10))
    loop.run_until(0)
    process.kill()
    process.kill()
    loop.run_until(20_000_000)


def test_a_successor_with_the_same_name_runs_unharmed(loop: Loop) -> None:
    told: list[str] = []

    async def work(generation: str) -> None:
        await asyncio.sleep(5)
        told.append(generation)

    first = loop.process("controller")
    first.start(work("first"))
    loop.run_until(1_000_000)
    first.kill()
    loop.process("controller").start(work("second"))
    loop.run_until(10_000_000)
    assert told == ["second"]


def test_a_kill_wakes_nobody_not_even_those_who_wait_for_the_dead(loop: Loop) -> None:
    process = loop.process("doomed")
    work = process.start(asyncio.sleep(5), name="work")

    async def main() -> None:
        await asyncio.sleep(1)
        process.kill()
        await work

    with pytest.raises(Stalled) as stall:
        loop.run_until_complete(main())
    assert "in main" in str(stall.value)
    assert "work waits" not in str(stall.value)


def test_tasks_of_a_process_carry_its_name(loop: Loop) -> None:
    process = loop.process("controller")
    assert process.start(asyncio.sleep(0)).get_name() == "controller"
    assert process.start(asyncio.sleep(0), name="reflector").get_name() == "reflector"
    loop.run_until(0)
    assert process.tasks == set()


def test_only_the_end_of_the_world_unwinds_the_dead_whatever_they_do_then(loop: Loop) -> None:
    told: list[str] = []

    async def polite() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            told.append("polite")

    async def stubborn() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            told.append("stubborn")
            await asyncio.sleep(5)

    async def clumsy() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            told.append("clumsy")
            raise KeyError("too late")

    process = loop.process("doomed")
    for work in (polite(), stubborn(), clumsy()):
        process.start(work)
    loop.run_until(1_000_000)
    process.kill()
    loop.run_until(9_000_000)
    assert told == []
    loop.close()
    gc.collect()
    assert sorted(told) == ["clumsy", "polite", "stubborn"]


def test_a_world_may_end_before_its_tasks_began(loop: Loop) -> None:
    loop.create_task(asyncio.sleep(5))
    loop.process("unborn").start(asyncio.sleep(5))
    loop.close()
    gc.collect()


def test_a_process_that_crashes_ends_the_run_although_its_task_is_held(loop: Loop) -> None:
    async def crash() -> None:
        await asyncio.sleep(1)
        raise KeyError("crash")

    held = loop.process("controller").start(crash())
    with pytest.raises(KeyError, match="crash"):
        loop.run_until(10_000_000)
    assert loop.time() == 1.0
    assert held.done()


def test_a_crash_that_somebody_awaits_is_theirs(loop: Loop) -> None:
    async def crash() -> None:
        await asyncio.sleep(1)
        raise KeyError("crash")

    async def supervise() -> str:
        with pytest.raises(KeyError):
            await loop.process("controller").start(crash())
        await asyncio.sleep(1)
        return "restarted"

    assert loop.run_until_complete(supervise()) == "restarted"


def test_a_process_that_is_cancelled_has_not_crashed(loop: Loop) -> None:
    task = loop.process("controller").start(asyncio.sleep(5))
    loop.run_until(1)
    task.cancel()
    loop.run_until(10_000_000)
    assert task.cancelled()
