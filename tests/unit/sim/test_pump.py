"""The pump: how fast a world goes, and when something from outside happens in it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sim.loop import Loop
from sim.pump import FASTEST, PAUSED, Broken, Pump

SECOND_US = 1_000_000


class OuterLoop(asyncio.SelectorEventLoop):
    """Waits without waiting: its time jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 100.0
        self._select = self._selector.select
        self._selector.select = self._jump  # type: ignore[method-assign]

    def _jump(self, timeout: float | None = None) -> Any:
        if timeout:
            self._now_s += timeout
        return self._select(0)

    def time(self) -> float:
        return self._now_s


def run(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=OuterLoop) as runner:
        return runner.run(story())


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 600.0])
def test_virtual_time_passes_at_its_speed(speed: float) -> None:
    async def story() -> int:
        world = Loop()
        world.after(10**12, lambda: None)
        pump = Pump(world, speed=speed)
        pump.start()
        await asyncio.sleep(2)
        return pump.enter(lambda: world.now_us)

    assert run(story) == pytest.approx(2 * SECOND_US * speed, rel=1e-3)


def test_events_happen_when_they_are_due_without_anybody_asking() -> None:
    async def story() -> list[float]:
        world, at_s = Loop(), []
        outer = asyncio.get_running_loop()
        for second in (1, 2, 3):
            world.after(second * SECOND_US, lambda: at_s.append(outer.time() - 100))
        Pump(world, speed=2.0).start()
        await asyncio.sleep(5)
        return at_s

    assert run(story) == pytest.approx([0.5, 1.0, 1.5], abs=0.01)


def test_a_paused_world_answers_and_does_not_move() -> None:
    async def story() -> tuple[int, int]:
        world = Loop()
        world.after(SECOND_US, lambda: None)
        pump = Pump(world, speed=PAUSED)
        pump.start()
        await asyncio.sleep(100)
        return pump.enter(lambda: 7), world.now_us

    assert run(story) == (7, 0)


def test_what_enters_a_world_that_rests_is_followed_up() -> None:
    async def story() -> int:
        world = Loop()
        done: list[int] = []
        pump = Pump(world, speed=1.0)
        pump.start()
        pump.enter(lambda: world.after(SECOND_US, lambda: done.append(world.now_us)))
        await asyncio.sleep(1.5)
        return done[0]

    assert run(story) == SECOND_US


def test_the_fastest_world_waits_for_nobody() -> None:
    async def story() -> int:
        world = Loop()
        pump = Pump(world, speed=FASTEST, end_us=3600 * SECOND_US)
        pump.start()
        assert pump.ended is not None
        await pump.ended
        return world.now_us

    assert run(story) == 3600 * SECOND_US


def test_a_pause_and_a_resume_keep_the_time_between_them_out() -> None:
    async def story() -> int:
        world = Loop()
        world.after(10**12, lambda: None)
        pump = Pump(world, speed=10.0)
        pump.start()
        await asyncio.sleep(1)
        pump.pause()
        await asyncio.sleep(50)
        pump.resume()
        await asyncio.sleep(1)
        return pump.enter(lambda: world.now_us)

    assert run(story) == pytest.approx(20 * SECOND_US, rel=1e-3)


def test_time_ends_when_a_condition_holds() -> None:
    async def story() -> int:
        world, seen = Loop(), []
        world.after(5 * SECOND_US, seen.append, 1)
        world.after(9 * SECOND_US, seen.append, 2)
        pump = Pump(world, speed=FASTEST, end_when=lambda: bool(seen))
        pump.start()
        assert pump.ended is not None
        await pump.ended
        return world.now_us

    assert run(story) == 5 * SECOND_US


def test_an_error_of_the_world_ends_it_and_is_told() -> None:
    async def story() -> Pump:
        world = Loop()
        world.after(SECOND_US, lambda: 1 / 0)
        pump = Pump(world, speed=1.0)
        pump.start()
        assert pump.ended is not None
        await pump.ended
        with pytest.raises(Broken):
            pump.enter(lambda: None)
        return pump

    assert isinstance(run(story).broken, ZeroDivisionError)


def test_what_an_entry_raises_is_its_own_and_not_the_worlds() -> None:
    async def story() -> int:
        pump = Pump(Loop(), speed=1.0)
        pump.start()
        with pytest.raises(ZeroDivisionError):
            pump.enter(lambda: 1 / 0)
        return pump.enter(lambda: 7)

    assert run(story) == 7


def test_a_world_that_cannot_keep_up_owes_a_second_at_most() -> None:
    async def story() -> float:
        world, outer = Loop(), asyncio.get_running_loop()
        assert isinstance(outer, OuterLoop)

        def slow() -> None:
            outer._now_s += 0.1
            world.after(10_000, slow)

        world.after(0, slow)
        pump = Pump(world, speed=1.0)
        pump.start()
        for _ in range(200):
            await asyncio.sleep(0)
        return pump._target_us() - world.now_us

    assert run(story) <= 1.2 * SECOND_US
