"""One run: the scenarios of a feature file lived in worlds of their own, and the record of it all."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scenarios import settings, workflows, workload
from scenarios.errors import BadInput
from scenarios.record import Recording
from scenarios.settings import Settings
from scenarios.story import Step, Story
from scenarios.workflows import Workflow
from scenarios.workload import WorkloadStory
from scenarios.world import World
from sim.streams import Streams

SCALE_MAX = 100_000
_OURS = Path(__file__).resolve().parents[1]  # the folder that holds features/ and scenarios/


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a user may choose for a run. Raises BadInput for a scale or a seed that cannot be."""

    backend: str = "sim"
    scale: int = 1
    seed: int = 7
    overrides: tuple[str, ...] = ()
    command: str = "rehearse run"

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= SCALE_MAX:
            raise BadInput("--scale", f"{self.scale} targets", f"a whole number from 1 to {SCALE_MAX}")
        if not 0 <= self.seed < 2**63:
            raise BadInput("--seed", f"{self.seed}", "a whole number from 0 to 2^63 - 1")

    def seed_of(self, scenario: str) -> int:
        """The seed of one scenario: adding a scenario changes no other."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{scenario}".encode()).digest()[:7], "big")


@dataclass(slots=True)
class Outcome:
    """What became of one scenario, for whoever prints it."""

    feature: str
    name: str
    scale: int
    status: str
    virtual_us: int
    executions: int
    error: str | None = None


class Listener(Protocol):
    """Whoever wants to follow a run while it goes on."""

    def begins(self, feature: str, scenario: str, world: World) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...


OpenWorld = Callable[[Settings, Mapping[str, Workflow], int, int], World]
"""Settings, workflows, seed and number of targets to a world; how each backend begins."""


@dataclass(slots=True)
class FeatureRun:
    """Scenarios of features, one world each, recorded as they end."""

    options: RunOptions
    open: OpenWorld
    listener: Listener | None = None
    recording: Recording = field(default_factory=Recording)
    outcomes: list[Outcome] = field(default_factory=list)
    refused: BadInput | None = None
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = settings.parse({}, self.options.overrides, "settings")

    def open_world(self, name: str, file: Path) -> World:
        """The world for the scenario called ``name`` of a feature file."""
        return self.open(self.settings, workflows.beside(file), self.options.seed_of(name), self.options.scale)

    def scenario_plays(self, story: Story, world: World, feature: Any, scenario: Any) -> None:
        """Play a scenario that was told, and write down what happened. Raises AssertionError when it did not hold."""
        number = self.recording.scenario(
            feature=feature.name,
            description=" ".join((feature.description or "").split()),
            file=_shown(feature.filename),
            line=scenario.line_number,
            name=scenario.name,
            tags=sorted(scenario.tags | feature.tags),
            scale=self.options.scale,
            source="feature",
            settings=world.settings(),
        )
        if self.listener is not None:
            self.listener.begins(feature.name, scenario.name, world)
        try:
            story.play()
        except AssertionError as failure:
            self._write(number, feature.name, scenario.name, self.options.scale, story.steps, world, str(failure))
            raise
        self._write(number, feature.name, scenario.name, self.options.scale, story.steps, world, None)

    def workload_plays(self, path: Path) -> None:
        """Run one workload scenario and write it down; a broken expectation is an outcome, not an error."""
        load, chosen = workload.read(path, self.options.overrides)
        seed = self.options.seed_of(load.name)
        world = self.open(chosen, workflows.beside(path), seed, load.targets)
        number = self.recording.scenario(
            feature="Workload",
            description=load.description,
            file=_shown(str(path)),
            line=1,
            name=load.name,
            tags=[],
            scale=load.targets,
            source="workload",
            settings={**workload.described(load), **world.settings()},
        )
        if self.listener is not None:
            self.listener.begins("Workload", load.name, world)
        story = WorkloadStory(load, world, Streams(seed))
        error: str | None = None
        try:
            story.play()
        except AssertionError as failure:
            error = str(failure)
        self._write(number, "Workload", load.name, load.targets, story.steps, world, error)
        world.close()

    def _write(
        self,
        number: int,
        feature: str,
        name: str,
        scale: int,
        steps: list[Step],
        world: World,
        error: str | None,
    ) -> None:
        status = "passed" if error is None else "failed"
        self.recording.steps(number, steps, scale, world.now_us())
        self.recording.history(number, world)
        self.recording.scenario_end(
            number,
            status=status,
            error=error,
            virtual_us=world.now_us(),
            executions=len(world.chronicle.executions),
            events=world.events_processed(),
        )
        outcome = Outcome(feature, name, scale, status, world.now_us(), len(world.chronicle.executions), error)
        self.outcomes.append(outcome)
        if self.listener is not None:
            self.listener.ended(outcome)


def _shown(filename: str) -> str:
    """A path below ours or below where the user is; nothing else of the machine it ran on enters a record."""
    path = Path(filename).resolve()
    for folder in (_OURS, Path.cwd()):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name
