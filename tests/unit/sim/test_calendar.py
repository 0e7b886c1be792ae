"""Near and far timers are one calendar: nobody can tell where an entry was kept."""

import random
from collections.abc import Iterator

import pytest

from sim.calendar import Calendar
from sim.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("seed", range(20))
def test_timers_near_and_far_fire_in_the_order_of_their_instants_then_of_their_setting(loop: Loop, seed: int) -> None:
    dice = random.Random(seed)
    fired: list[tuple[int, int]] = []
    due: list[tuple[int, int]] = []

    def set_some(number: int, more: int) -> None:
        fired.append((loop.now_us, number))
        for _ in range(more):
            delay_us = dice.choice([0, 1, dice.randrange(10_000), dice.randrange(10**7), dice.randrange(10**9)])
            entry = (loop.now_us + delay_us, len(due))
            due.append(entry)
            if dice.random() < 0.3:
                loop.post(delay_us, set_some, entry[1], dice.randrange(2))
                continue
            timer = loop.after(delay_us, set_some, entry[1], dice.randrange(2))
            if dice.random() < 0.3:
                timer.cancel()
                due[-1] = (-1, entry[1])

    loop.after(0, set_some, -1, 60)
    while loop.env.peek() < 10**12:
        loop.run_until(loop.now_us + dice.choice([1, 4_194_303, 4_194_304, 10**8]))
    assert fired[1:] == sorted(entry for entry in due if entry[0] >= 0)


def test_a_process_of_the_calendar_and_a_far_timer_meet_in_order(loop: Loop) -> None:
    told: list[str] = []

    def process(env: Calendar) -> Iterator[object]:
        yield env.timeout(60_000_000)
        told.append("process")

    loop.env.process(process(loop.env))  # type: ignore[arg-type]
    loop.after(59_999_999, told.append, "before")
    loop.after(60_000_000, told.append, "timer")
    loop.after(60_000_001, told.append, "after")
    loop.run_until(70_000_000)
    assert told == ["before", "timer", "process", "after"]


def test_the_clock_stands_where_it_was_sent_and_timers_set_then_keep_their_instants(loop: Loop) -> None:
    instants: list[int] = []
    loop.after(100_000_000, lambda: instants.append(loop.now_us))
    loop.run_until(50_000_000)
    assert loop.now_us == 50_000_000
    loop.after(0, lambda: instants.append(loop.now_us))
    loop.after(1, lambda: instants.append(loop.now_us))
    loop.run_until(200_000_000)
    assert instants == [50_000_000, 50_000_001, 100_000_000]


def test_the_next_instant_is_known_however_far_it_is(loop: Loop) -> None:
    assert loop.env.peek() == float("inf")
    loop.after(3_600_000_000, int)
    loop.after(3_600_000_005, int)
    assert loop.env.peek() == 3_600_000_000
    loop.after(7, int)
    assert loop.env.peek() == 7


def test_cancelled_far_timers_do_not_pile_up(loop: Loop) -> None:
    kept = [loop.after(3_600_000_000 + number, int) for number in range(100)]
    for number in range(50_000):
        loop.after(3_600_000_000 + number * 1_000, int).cancel()
    assert sum(map(len, loop.env._slots.values())) < 10_000
    assert loop.run_until(3_600_000_099) is False
    assert loop.env.peek() == float("inf")
    assert len(kept) == 100


def test_nothing_is_posted_into_the_past(loop: Loop) -> None:
    with pytest.raises(ValueError, match="in the past"):
        loop.post(-1, int)
