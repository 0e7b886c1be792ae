import asyncio

import pytest

from controller.runtime.bucket import TokenBucket
from controller.runtime.queue import WorkQueue
from sim.loop import Loop

Log = list[tuple[str, float]]


async def take(queue: WorkQueue[str], log: Log, work_s: float = 0.0) -> None:
    while (key := await queue.get()) is not None:
        log.append((key, asyncio.get_running_loop().time()))
        await asyncio.sleep(work_s)
        queue.done(key)


def test_keys_come_out_in_the_order_they_went_in(loop: Loop) -> None:
    async def main() -> list[str | None]:
        queue: WorkQueue[str] = WorkQueue()
        for key in "cab":
            queue.add(key)
        return [await queue.get() for _ in range(3)]

    assert loop.run_until_complete(main()) == ["c", "a", "b"]


def test_a_key_added_many_times_is_handed_out_once(loop: Loop) -> None:
    async def main() -> Log:
        queue: WorkQueue[str] = WorkQueue()
        log: Log = []
        for _ in range(5):
            queue.add("a")
        assert len(queue) == 1
        worker = asyncio.create_task(take(queue, log))
        await asyncio.sleep(1)
        queue.shut_down()
        await worker
        return log

    assert loop.run_until_complete(main()) == [("a", 0.0)]


def test_a_key_added_while_a_worker_has_it_comes_again_only_after_done(loop: Loop) -> None:
    async def main() -> Log:
        queue: WorkQueue[str] = WorkQueue()
        log: Log = []
        workers = [asyncio.create_task(take(queue, log, work_s=10)) for _ in range(3)]
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(100)
        queue.shut_down()
        await asyncio.gather(*workers)
        return log

    assert loop.run_until_complete(main()) == [("a", 0.0), ("b", 1.0), ("a", 10.0)]


def test_a_key_wakes_one_worker(loop: Loop) -> None:
    async def main() -> int:
        queue: WorkQueue[str] = WorkQueue()
        woken = 0

        async def count() -> None:
            nonlocal woken
            await queue.get()
            woken += 1

        workers = [asyncio.create_task(count()) for _ in range(20)]
        await asyncio.sleep(1)
        queue.add("a")
        await asyncio.sleep(1)
        for worker in workers:
            worker.cancel()
        return woken

    assert loop.run_until_complete(main()) == 1


def test_waiting_workers_are_served_in_turn(loop: Loop) -> None:
    async def main() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        served: list[str] = []

        async def work(name: str) -> None:
            served.append(f"{name} {await queue.get()}")

        workers = [asyncio.create_task(work(name)) for name in "xyz"]
        await asyncio.sleep(1)
        for key in "abc":
            queue.add(key)
        await asyncio.gather(*workers)
        return served

    assert loop.run_until_complete(main()) == ["x a", "y b", "z c"]


def test_a_key_handed_to_a_cancelled_worker_goes_to_another(loop: Loop) -> None:
    async def main() -> tuple[str | None, str | None]:
        queue: WorkQueue[str] = WorkQueue()
        first = asyncio.create_task(queue.get())
        second = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add("a")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        got = await second
        assert got == "a"
        queue.done("a")
        third = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        third.cancel()
        queue.add("b")
        return got, await queue.get()

    assert loop.run_until_complete(main()) == ("a", "b")


def test_of_several_delays_the_one_that_ends_first_counts(loop: Loop) -> None:
    async def main() -> Log:
        queue: WorkQueue[str] = WorkQueue()
        log: Log = []
        worker = asyncio.create_task(take(queue, log))
        queue.add_after("a", 10)
        queue.add_after("a", 5)
        queue.add_after("a", 7)
        queue.add_after("b", 0)
        queue.add_after("c", -1)
        await asyncio.sleep(5.5)
        queue.add_after("a", 10)
        await asyncio.sleep(50)
        queue.shut_down()
        await worker
        return log

    assert loop.run_until_complete(main()) == [("b", 0.0), ("c", 0.0), ("a", 5.0), ("a", 15.5)]


def test_retries_of_a_key_wait_longer_each_time_until_it_is_forgotten(loop: Loop) -> None:
    async def main() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        instants = []
        for _ in range(4):
            queue.add_rate_limited("a")
            await queue.get()
            instants.append(loop.time())
            queue.done("a")
        assert queue.retries("a") == 4
        queue.forget("a")
        assert queue.retries("a") == 0
        queue.add_rate_limited("a")
        await queue.get()
        instants.append(loop.time())
        return instants

    assert loop.run_until_complete(main()) == [0.005, 0.015, 0.035, 0.075, 0.080]


def test_a_retry_never_comes_before_the_time_the_server_asked_for(loop: Loop) -> None:
    async def main() -> float:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_rate_limited("a", at_least_s=3.0)
        await queue.get()
        return loop.time()

    assert loop.run_until_complete(main()) == 3.0


def test_the_overall_bucket_limits_the_retries_of_all_keys_together(loop: Loop) -> None:
    async def main() -> Log:
        queue: WorkQueue[str] = WorkQueue(retries_bucket=TokenBucket(10, 2))
        log: Log = []
        worker = asyncio.create_task(take(queue, log))
        for key in "abcd":
            queue.add_rate_limited(key)
        queue.add("not a retry")
        await asyncio.sleep(10)
        queue.shut_down()
        await worker
        return log

    assert loop.run_until_complete(main()) == [
        ("not a retry", 0.0),
        ("a", 0.005),
        ("b", 0.005),
        ("c", 0.1),
        ("d", 0.2),
    ]


def test_shutting_down_releases_workers_and_drops_what_waits(loop: Loop) -> None:
    async def main() -> list[str | None]:
        queue: WorkQueue[str] = WorkQueue()
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add_after("later", 5)
        queue.shut_down()
        queue.add("too late")
        queue.add_after("too late", 1)
        queue.add_rate_limited("too late")
        await asyncio.sleep(10)
        return [await waiting, await queue.get()]

    assert loop.run_until_complete(main()) == [None, None]


def test_done_after_shutting_down_is_harmless(loop: Loop) -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        key = await queue.get()
        queue.add("a")
        queue.shut_down()
        assert key is not None
        queue.done(key)
        assert len(queue) == 0
        assert await queue.get() is None

    loop.run_until_complete(main())
