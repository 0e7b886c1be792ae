"""The asyncio that controllers know, on virtual time."""

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Any

import pytest

from sim.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_sleeping_takes_exactly_the_virtual_time_asked_for(loop: Loop) -> None:
    async def main() -> None:
        await asyncio.sleep(300)

    loop.run_until_complete(main())
    assert loop.now_us == 300_000_000
    assert loop.time() == 300.0


def test_ten_tenths_of_a_second_are_exactly_one_second(loop: Loop) -> None:
    async def main() -> None:
        for _ in range(10):
            await asyncio.sleep(0.1)

    loop.run_until_complete(main())
    assert loop.time() == 1.0


def test_the_clock_does_not_move_while_callbacks_run(loop: Loop) -> None:
    seen: list[int] = []

    async def main() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(loop.now_us)

    loop.run_until_complete(main())
    assert seen == [0, 0, 0]


def test_a_queue_hands_items_over_in_order_and_wakes_its_reader(loop: Loop) -> None:
    async def main() -> list[tuple[float, int]]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
        got: list[tuple[float, int]] = []

        async def read() -> None:
            for _ in range(4):
                got.append((loop.time(), await queue.get()))
                await asyncio.sleep(1)

        reader = asyncio.create_task(read())
        for item in range(4):
            await queue.put(item)
        await reader
        return got

    assert loop.run_until_complete(main()) == [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3)]


def test_an_event_wakes_everyone_who_waits_for_it_in_order(loop: Loop) -> None:
    async def main() -> list[tuple[str, float]]:
        event, woken = asyncio.Event(), []

        async def wait(name: str) -> None:
            await event.wait()
            woken.append((name, loop.time()))

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(wait(name))
            await asyncio.sleep(2)
            event.set()
        return woken

    assert loop.run_until_complete(main()) == [("a", 2.0), ("b", 2.0), ("c", 2.0)]


def test_a_timeout_interrupts_what_takes_longer_and_only_that(loop: Loop) -> None:
    async def main() -> list[float]:
        instants = []
        async with asyncio.timeout(5):
            await asyncio.sleep(4)
        instants.append(loop.time())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(6)
        instants.append(loop.time())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(9), 1)
        instants.append(loop.time())
        return instants

    assert loop.run_until_complete(main()) == [4.0, 9.0, 10.0]


def test_a_timeout_that_did_not_strike_leaves_the_clock_alone(loop: Loop) -> None:
    async def main() -> None:
        async with asyncio.timeout(600):
            await asyncio.sleep(1)

    loop.run_until_complete(main())
    loop.run_until(2_000_000)
    assert loop.time() == 2.0


def test_a_cancelled_timer_leaves_no_tick_behind(loop: Loop) -> None:
    async def main() -> None:
        async with asyncio.timeout(600):
            await asyncio.sleep(1)
        await asyncio.Event().wait()

    with pytest.raises(Exception, match=r"nothing is scheduled at 1\.000000 s"):
        loop.run_until_complete(main())
    assert loop.time() == 1.0


def test_a_failing_member_cancels_its_task_group(loop: Loop) -> None:
    async def main() -> list[str]:
        told: list[str] = []

        async def patient() -> None:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                told.append(f"cancelled at {loop.time()}")
                raise

        async def failing() -> None:
            await asyncio.sleep(3)
            raise KeyError("boom")

        with pytest.raises(ExceptionGroup) as failure:  # noqa: PT012 - the group is the statement
            async with asyncio.TaskGroup() as group:
                group.create_task(patient())
                group.create_task(failing())
        told.append(repr(failure.value.exceptions))
        return told

    assert loop.run_until_complete(main()) == ["cancelled at 3.0", "(KeyError('boom'),)"]


def test_wait_returns_at_the_first_completed(loop: Loop) -> None:
    async def main() -> tuple[float, int, int]:
        tasks = [asyncio.create_task(asyncio.sleep(delay)) for delay in (3, 1, 2)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return loop.time(), len(done), len(pending)

    assert loop.run_until_complete(main()) == (1.0, 1, 2)


def test_gather_keeps_the_order_of_its_arguments_and_can_return_errors(loop: Loop) -> None:
    async def after(delay: float, value: Any) -> Any:
        await asyncio.sleep(delay)
        if isinstance(value, Exception):
            raise value
        return value

    async def main() -> list[Any]:
        return await asyncio.gather(after(3, "a"), after(1, ValueError("b")), after(2, "c"), return_exceptions=True)

    first, second, third = loop.run_until_complete(main())
    assert (first, str(second), third) == ("a", "b", "c")
    assert loop.time() == 3.0


def test_cancelling_a_task_runs_its_finally_block_at_once(loop: Loop) -> None:
    async def main() -> list[float]:
        ended: list[float] = []

        async def work() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                ended.append(loop.time())

        task = asyncio.create_task(work())
        await asyncio.sleep(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended

    assert loop.run_until_complete(main()) == [2.0]


def test_a_lock_and_a_semaphore_serve_their_waiters_in_order(loop: Loop) -> None:
    async def main() -> list[tuple[str, float]]:
        lock, served = asyncio.Lock(), []

        async def use(name: str) -> None:
            async with lock:
                await asyncio.sleep(1)
                served.append((name, loop.time()))

        await asyncio.gather(*(use(name) for name in "abc"))
        return served

    assert loop.run_until_complete(main()) == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


def test_what_is_made_ready_runs_first_in_first_out(loop: Loop) -> None:
    order: list[str] = []

    def chain() -> None:
        order.append("b")
        loop.call_soon(order.append, "d")

    loop.call_soon(order.append, "a")
    loop.call_soon(chain)
    loop.call_soon(order.append, "c")
    loop.run_until(0)
    assert order == ["a", "b", "c", "d"]


def test_a_cancelled_callback_does_not_run(loop: Loop) -> None:
    order: list[str] = []
    loop.call_soon(order.append, "soon").cancel()
    loop.call_later(1, order.append, "later").cancel()
    loop.after(1, order.append, "after").cancel()
    loop.call_later(1, order.append, "kept")
    loop.run_until(2_000_000)
    assert order == ["kept"]


def test_timers_of_one_instant_fire_in_the_order_they_were_set(loop: Loop) -> None:
    order: list[int] = []
    for number in range(100):
        loop.call_at(1.0, order.append, number)
    loop.run_until(1_000_000)
    assert order == list(range(100))


def test_an_overdue_timer_fires_now_and_never_in_the_past(loop: Loop) -> None:
    loop.run_until(5_000_000)
    seen: list[float] = []
    loop.call_at(1.0, lambda: seen.append(loop.time()))
    loop.call_later(-3, lambda: seen.append(loop.time()))
    loop.run_until(6_000_000)
    assert seen == [5.0, 5.0]


def test_a_timer_knows_when_it_fires(loop: Loop) -> None:
    assert loop.call_later(1.5, print).when() == 1.5


def test_tasks_do_not_see_each_others_context(loop: Loop) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outer")

    async def work(value: str) -> str:
        variable.set(value)
        await asyncio.sleep(1)
        return variable.get()

    async def main() -> list[str]:
        return [*await asyncio.gather(work("a"), work("b")), variable.get()]

    assert loop.run_until_complete(main()) == ["a", "b", "outer"]


def test_an_async_generator_left_early_can_be_closed(loop: Loop) -> None:
    closed: list[float] = []

    async def ticks() -> Any:
        try:
            while True:
                await asyncio.sleep(1)
                yield loop.time()
        finally:
            await asyncio.sleep(1)
            closed.append(loop.time())

    async def main() -> None:
        generator = ticks()
        async for now in generator:
            if now == 2.0:
                break
        await generator.aclose()

    loop.run_until_complete(main())
    assert closed == [3.0]


def test_the_loop_is_the_running_one_only_while_it_runs(loop: Loop) -> None:
    async def main() -> bool:
        return asyncio.get_running_loop() is loop and loop.is_running()

    assert loop.run_until_complete(main())
    assert not loop.is_running()
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_the_loop_refuses_to_run_inside_itself_and_after_its_end(loop: Loop) -> None:
    def inner() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_until(10)

    loop.call_soon(inner)
    loop.run_until(1)
    loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_until(2)
    loop.close()


def test_stop_ends_run_forever(loop: Loop) -> None:
    loop.call_later(7, loop.stop)
    loop.run_forever()
    assert loop.time() == 7.0


def test_a_task_group_cancels_its_members_in_the_order_of_their_creation(loop: Loop) -> None:
    async def main() -> list[int]:
        cancelled: list[int] = []

        async def member(number: int) -> None:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise

        async def failing() -> None:
            await asyncio.sleep(1)
            raise KeyError

        with pytest.raises(ExceptionGroup):  # noqa: PT012 - the group is the statement
            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(member(number))
                group.create_task(failing())
        return cancelled

    assert loop.run_until_complete(main()) == list(range(50))
