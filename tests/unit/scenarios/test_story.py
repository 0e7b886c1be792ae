"""Stories: N targets live the steps concurrently, each in its own time."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from scenarios.story import Step, Story
from sim.loop import Loop


@dataclass
class Somebody:
    name: str
    delay_s: float


@dataclass
class Stage:
    targets: list[Any]
    loop: Loop = field(default_factory=Loop)

    def now_us(self) -> int:
        return self.loop.now_us

    def play(self, story: Awaitable[None]) -> None:
        self.loop.run_until_complete(story)
        self.loop.close()


def story_of(*delays_s: float) -> Story:
    return Story(Stage([Somebody(f"t{number}", delay_s) for number, delay_s in enumerate(delays_s)]))


def tell(story: Story, text: str, **told: Any) -> Step:
    step = Step("When", text, 3, **told)
    story.steps.append(step)
    return step


def test_each_target_goes_on_in_its_own_time() -> None:
    story = story_of(10.0, 1.0)
    log: list[tuple[str, float]] = []

    async def sleep(target: Somebody) -> None:
        await asyncio.sleep(target.delay_s)

    async def note(target: Somebody) -> None:
        log.append((target.name, story.stage.now_us() / 1e6))

    tell(story, "sleeps", to_target=sleep)
    tell(story, "notes", to_target=note)
    story.play()

    assert log == [("t1", 1.0), ("t0", 10.0)]


def test_a_step_for_all_happens_once_when_everybody_has_arrived() -> None:
    story = story_of(10.0, 1.0)
    log: list[float] = []

    async def sleep(target: Somebody) -> None:
        await asyncio.sleep(target.delay_s)

    async def meet() -> None:
        log.append(story.stage.now_us() / 1e6)

    tell(story, "sleeps", to_target=sleep)
    tell(story, "meets", to_all=meet)
    story.play()

    assert log == [10.0]


def test_a_failure_names_the_step_the_count_and_the_first_targets() -> None:
    story = story_of(1.0, 2.0, 3.0, 4.0, 5.0)

    async def fail(target: Somebody) -> None:
        assert target.delay_s < 1.5, "too slow"

    failed = tell(story, "is quick", to_target=fail)
    later = tell(story, "is not reached", to_target=fail)

    with pytest.raises(AssertionError) as broken:
        story.play()

    assert str(broken.value).startswith(
        "When is quick (line 3): 4 of 5 targets: t1: too slow; t2: too slow; t3: too slow"
    )
    assert "and 1 more" in str(broken.value)
    assert failed.status == "failed"
    assert later.status == "passed"


def test_steps_after_a_failed_meeting_are_skipped() -> None:
    story = story_of(1.0)

    async def fail() -> None:
        raise AssertionError("p95 is 9 s")

    async def never(_: Somebody) -> None:
        raise RuntimeError("must not be reached")

    tell(story, "is quick", to_all=fail)
    skipped = tell(story, "goes on", to_target=never)

    with pytest.raises(AssertionError, match="p95 is 9 s"):
        story.play()

    assert skipped.status == "skipped"


def test_a_broken_step_is_an_error_and_no_failure_of_the_scenario() -> None:
    story = story_of(1.0)

    async def broken(_: Somebody) -> None:
        raise KeyError("bug")

    tell(story, "is broken", to_target=broken)

    with pytest.raises(KeyError):
        story.play()
