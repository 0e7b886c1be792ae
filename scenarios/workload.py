"""Workload scenarios: who asks for what and when, over how many targets, and what is expected of it all.

A file names the arrivals, the targets, the workflows and how executions end, then whatever setting differs from the
default. ``expect`` holds sentences such as ``p95 of "creation to running" is below 30s``.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, PlainValidator, ValidationInfo, field_validator, model_validator

from controller.orchestrator.labels import execution_name
from reports import statistics, timings
from scenarios import settings
from scenarios.cast import TROUBLES, check_step
from scenarios.remediation import signals
from scenarios.remediation.load import Signals, SignalSource
from scenarios.settings import Settings
from scenarios.story import Step
from scenarios.target import Target
from scenarios.workflows import Part, beside, load_yaml, text_of, validate
from scenarios.world import World
from sim.streams import Streams
from sim.workload import arrivals
from sim.workload.arrival import Arrival
from sim.workload.arrivals import Arrivals
from sim.workload.durations import parse_us
from sim.workload.outcomes import Mix

_EXPECTATION = re.compile(r'(?P<statistic>\S+) of "(?P<timing>[^"]+)" is below (?P<limit>\S+)')
_ATTEMPTS = 4  # an execution and its recoveries
COMPLETES = "completes"
"""The outcome of an execution that nothing befalls."""


class Expectation(Part):
    """One sentence about a statistic of a timing; the limit in seconds."""

    text: str
    statistic: str
    timing: str
    counted: str
    limit_s: float


def _expectation(sentence: object) -> Expectation:
    match = _EXPECTATION.fullmatch(str(sentence))
    if match is None:
        raise ValueError(f'"{sentence}" is no expectation: write p95 of "creation to running" is below 30s')
    counted = timings.timing(match["timing"]).counted
    statistics.statistic(match["statistic"], [])
    limit_s = parse_us(match["limit"]) / 1_000_000
    return Expectation(
        text=str(sentence), statistic=match["statistic"], timing=match["timing"], counted=counted, limit_s=limit_s
    )


def _arrivals(form: object, info: ValidationInfo) -> Arrivals:
    return arrivals.parse(form, (info.context or {}).get("folder", Path()))


class Befalls(Part):
    """What befalls one step of a share of the executions."""

    step: str
    trouble: str
    weight: float = Field(gt=0, allow_inf_nan=False)

    @field_validator("step")
    @classmethod
    def _somebodys(cls, step: str, info: ValidationInfo) -> str:
        check_step(step, (info.context or {}).get("workflows", {}))
        return step

    @field_validator("trouble")
    @classmethod
    def _known(cls, trouble: str) -> str:
        if trouble not in TROUBLES:
            raise ValueError(f'"{trouble}" is unknown; there are: {"; ".join(TROUBLES)}')
        return trouble


class Workload(Part):
    """One workload scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(min_length=1)
    description: str
    arrivals: Annotated[Arrivals, PlainValidator(_arrivals)]
    targets: int = Field(ge=1, le=100_000)
    signals: Signals | None = Field(
        default=None, description="arrivals are signals for the orchestrator, with these properties"
    )
    spread: Literal["random", "in turn"] = Field(default="random", description="how requests fall on targets")
    workflows: dict[str, float] = Field(min_length=1, description="shares of the workflows, by weight")
    outcomes: list[Befalls] = []
    completes: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="weight of executions that nothing befalls"
    )
    settings: dict[str, Any] = {}
    expect: list[Annotated[Expectation, PlainValidator(_expectation)]] = []

    @field_validator("workflows")
    @classmethod
    def _in_catalogue(cls, shares: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        known = (info.context or {}).get("workflows", {})
        for name in shares:
            if name not in known:
                raise ValueError(f'no workflow "{name}" in the catalogue; there are: {", ".join(known)}')
        Mix(shares)
        return shares

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        if not self.completes and not self.outcomes:
            raise ValueError("completes is 0 and there are no outcomes, so no execution could end")
        kinds = [f'"{each.step}" {each.trouble}' for each in self.outcomes]
        twice = next((kind for number, kind in enumerate(kinds) if kind in kinds[:number]), None)
        if twice is not None:
            raise ValueError(f"outcomes: {twice} is there twice; expected one weight for each")
        return self


def read(path: Path, overrides: tuple[str, ...]) -> tuple[Workload, Settings]:
    """Read a workload file and the settings it runs with. Raises BadInput naming file and field."""
    data = load_yaml(text_of(path), str(path))
    workload = validate(Workload, data, str(path), context={"folder": path.parent, "workflows": beside(path)})
    return workload, settings.parse(workload.settings, overrides, f"{path} settings")


class WorkloadStory:
    """Lives a workload in a world: requests as they arrive, until every execution has ended or patience has."""

    def __init__(self, workload: Workload, world: World, streams: Streams) -> None:
        self._workload = workload
        self._world = world
        self._arrivals = list(workload.arrivals.sample(streams("workload.arrivals")))
        self._choice = streams("workload.choices")
        self._workflows = Mix(workload.workflows)
        self._befalls = {f"{each.step} {each.trouble}": each for each in workload.outcomes}
        self._outcomes = Mix(
            {COMPLETES: workload.completes, **{name: each.weight for name, each in self._befalls.items()}}
        )
        self._source = SignalSource(world, workload.signals, streams("workload.signals")) if workload.signals else None
        self._by_resource = {target.resource: target for target in world.targets}
        for arrival in self._arrivals:
            if arrival.target is not None and arrival.target not in self._by_resource:
                self._by_resource[arrival.target] = world.add_target(arrival.target)
        what = "requests" if self._source is None else "signals"
        self.steps = [Step("Given", f"{len(self._arrivals)} {what} over {workload.targets} targets", 0)]
        self.steps += [Step("Then", each.text, 0) for each in workload.expect]

    def play(self) -> None:
        """Raises AssertionError naming the first expectation that does not hold."""
        self._world.play(self._live())
        for step, expectation in zip(self.steps[1:], self._workload.expect, strict=True):
            step.started_us = step.ended_us = self._world.now_us()
            value_s, n = self._world.statistic(expectation.statistic, expectation.timing)
            if not n or value_s >= expectation.limit_s:
                step.failures.append(f"{expectation.statistic} is {value_s:.2f} s over {n} {expectation.counted}")
        broken = next((step for step in self.steps if step.failures), None)
        if broken is not None:
            raise AssertionError(f"{broken.text}: {broken.failures[0]}")

    async def _live(self) -> None:
        self.steps[0].started_us = self._world.now_us()
        ended = []
        for number, arrival in enumerate(self._arrivals):
            await asyncio.sleep(max(0.0, (arrival.at_us - self._world.now_us()) / 1_000_000))
            ended.append(asyncio.ensure_future(self._one(number, arrival)))
        await asyncio.gather(*ended)
        self.steps[0].ended_us = self._world.now_us()

    async def _one(self, number: int, arrival: Arrival) -> None:
        target = self._target(number, arrival)
        workflow = self._workflows.draw(self._choice)
        outcome = self._outcomes.draw(self._choice)
        which = f"{number + 1:06d}"
        if self._source is not None:
            if outcome != COMPLETES:
                self._trouble_remediation(target, which, self._befalls[outcome])
            others = [name for name in self._workload.workflows if name != workflow]
            await self._source.send(target, number + 1, (workflow, *others))
            return
        if outcome != COMPLETES:
            target.trouble_one(which, self._befalls[outcome].step, self._befalls[outcome].trouble)
        await target.request(which, workflow)
        await target.end(which)

    def _trouble_remediation(self, target: Target, which: str, befalls: Befalls) -> None:
        """The first execution of the remediation meets it; each recovery as often as any other execution."""
        for attempt in range(_ATTEMPTS):
            name = execution_name(signals.name_of(target, which), attempt)
            target.backstage.trouble(name, befalls.step, befalls.trouble)
            outcome = self._outcomes.draw(self._choice)
            if outcome == COMPLETES:
                return
            befalls = self._befalls[outcome]

    def _target(self, number: int, arrival: Arrival) -> Target:
        if arrival.target is not None:
            return self._by_resource[arrival.target]
        if self._source is not None and self._workload.spread == "random":
            return self._source.crowd.draw(self._choice)
        if self._workload.spread == "in turn":
            return self._world.targets[number % self._workload.targets]
        return self._world.targets[self._choice.randrange(self._workload.targets)]


def described(workload: Workload) -> Mapping[str, Any]:
    """The workload in words, for the record."""
    extra = {} if workload.signals is None else {"signals": workload.signals.model_dump(exclude_none=True)}
    return {
        "arrivals": workload.arrivals.describe(),
        "targets": workload.targets,
        **extra,
        "workflows": {name: round(share, 4) for name, share in Mix(workload.workflows).shares().items()},
    }
