"""A scenario told to N independent targets, which live it concurrently.

Steps of a feature do not act: they *tell*. When the last step has been told, :meth:`Story.play` lets every
target go through the steps in order and in its own time, so that "two minutes pass" is two minutes of that
target, whether one or a thousand of them share the cluster. A step told to all of them at once (a restart of the
controller, a percentile) is a meeting point: it happens once, when every target has arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from controller.ports import ApiError
from scenarios.target import Target

ToTarget = Callable[[Target], Awaitable[None]]
ToAll = Callable[[], Awaitable[None]]

_NAMED_MAX = 3  # targets named in a failure message


class Stage(Protocol):
    """The part of a world a story needs."""

    @property
    def targets(self) -> list[Target]: ...

    def now_us(self) -> int: ...

    def play(self, story: Awaitable[None]) -> None:
        """Run until ``story`` is done."""
        ...


@dataclass(slots=True)
class Step:
    """One line of the scenario and what became of it; instants in virtual microseconds."""

    keyword: str
    text: str
    line: int
    to_target: ToTarget | None = None
    to_all: ToAll | None = None
    started_us: int | None = None
    ended_us: int | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.failures:
            return "failed"
        return "skipped" if self.started_us is None or self.ended_us is None else "passed"

    def explain(self, targets: int) -> str:
        named = "; ".join(self.failures[:_NAMED_MAX])
        more = f"; and {len(self.failures) - _NAMED_MAX} more" if len(self.failures) > _NAMED_MAX else ""
        count = f"{len(self.failures)} of {targets} targets: " if targets > 1 and self.to_target is not None else ""
        return f"{count}{named}{more}"


class Story:
    """Collects the steps of one scenario, then plays them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.steps: list[Step] = []

    def each(self, tell: ToTarget) -> None:
        """The current step is this, for every target in its own time."""
        self.steps[-1].to_target = tell

    def once(self, tell: ToAll) -> None:
        """The current step is this, once, when every target has come to it."""
        self.steps[-1].to_all = tell

    def play(self) -> None:
        """Live through all steps. Raises AssertionError naming the first step that did not hold."""
        self.stage.play(self._play())
        for step in self.steps:
            if step.failures:
                raise AssertionError(
                    f"{step.keyword} {step.text} (line {step.line}): {step.explain(len(self.stage.targets))}"
                )

    async def _play(self) -> None:
        going = list(self.stage.targets)
        chapter: list[Step] = []
        for step in [*self.steps, None]:
            if step is not None and step.to_all is None:
                chapter.append(step)
                continue
            if chapter:
                going = await self._chapter(chapter, going)
                chapter = []
            if step is not None and going:
                await self._meeting(step)
                if step.failures:
                    return

    async def _chapter(self, steps: list[Step], targets: list[Target]) -> list[Target]:
        """Let ``targets`` go through ``steps``; those for whom all of them held are returned."""
        arrived = await asyncio.gather(*(self._live(target, steps) for target in targets))
        return [target for target, held in zip(targets, arrived, strict=True) if held]

    async def _live(self, target: Target, steps: list[Step]) -> bool:
        for step in steps:
            assert step.to_target is not None
            if step.started_us is None:
                step.started_us = self.stage.now_us()
            try:
                await step.to_target(target)
            except (AssertionError, ApiError) as error:
                step.failures.append(f"{target.name}: {_said(error)}")
                return False
            finally:
                step.ended_us = self.stage.now_us()
        return True

    async def _meeting(self, step: Step) -> None:
        assert step.to_all is not None
        step.started_us = self.stage.now_us()
        try:
            await step.to_all()
        except (AssertionError, ApiError) as error:
            step.failures.append(_said(error))
        step.ended_us = self.stage.now_us()


def _said(error: Exception) -> str:
    """The sentence of a failed check; pytest adds lines of its own to assertions it has rewritten."""
    return (str(error).splitlines() or [type(error).__name__])[0]
