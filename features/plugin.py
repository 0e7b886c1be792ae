"""The pytest plugin: makes the steps known and plays each scenario when all of its steps have been told.

A run is described by a :class:`scenarios.run.FeatureRun`, put on the pytest config under ``RUN``; without one,
scenarios run in the simulated cluster at scale 1. ``pytest some.feature`` collects a feature file that is named
on the command line; users who bind their files themselves with ``pytest_bdd.scenarios`` are left alone.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry
from pytest_bdd.steps import step_function_context_registry

from scenarios.errors import BadInput
from scenarios.gherkin import RUN
from scenarios.run import FeatureRun, RunOptions
from scenarios.simulated import open_world
from scenarios.story import Step, Story
from scenarios.world import World

pytest_plugins = (
    "features.steps.asking",
    "features.steps.befalling",
    "features.steps.hazarding",
    "features.steps.remediating",
    "features.steps.seeing",
    "features.steps.remedied",
    "scenarios.serving.plugin",
)

_STORY = pytest.StashKey[Story]()
_NAME = pytest.StashKey[tuple[str, Path]]()


def run_of(config: pytest.Config) -> FeatureRun:
    if RUN not in config.stash:
        config.stash[RUN] = FeatureRun(RunOptions(), open_world)
    return config.stash[RUN]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The world of this scenario: new, empty, and gone afterwards."""
    world = run_of(request.config).open_world(*request.node.stash[_NAME])
    yield world
    world.close()


@pytest.fixture
def story(request: pytest.FixtureRequest, world: World) -> Story:
    """The scenario being told."""
    story = request.node.stash[_STORY] = Story(world)
    return story


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    request.node.stash[_NAME] = (f"{feature.name}/{scenario.name}", Path(feature.filename))
    request.getfixturevalue("story")


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Any) -> None:
    request.node.stash[_STORY].steps.append(Step(step.keyword.strip(), step.name, step.line_number))


def pytest_bdd_step_error(request: pytest.FixtureRequest, feature: Any, step: Any, exception: Exception) -> None:
    if isinstance(exception, BadInput):
        where = f"{_relative(feature.filename)} line {step.line_number}"
        run_of(request.config).refused = exception.at(where)


def pytest_bdd_after_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    story = request.node.stash[_STORY]
    told = [step for step in story.steps if step.to_target is not None or step.to_all is not None]
    if len(told) < len(scenario.steps):
        return  # telling already failed, and pytest says why
    try:
        run_of(request.config).scenario_plays(story, request.getfixturevalue("world"), feature, scenario)
    except AssertionError as broken:
        pytest.fail(str(broken), pytrace=False)


class FeatureFile(pytest.Module):
    """A feature file as a module that holds one test for each of its scenarios."""

    def _getobj(self) -> ModuleType:
        module = ModuleType(self.path.stem)
        binding = f"scenarios({self.path.name!r}, features_base_dir={str(self.path.parent)!r})"
        source = f"from pytest_bdd import scenarios\n{binding}"
        exec(compile(source, str(self.path), "exec"), module.__dict__)  # noqa: S102  # binds by the caller's frame
        return module


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    named = {Path(argument.partition("::")[0]).resolve() for argument in parent.config.args}
    if file_path.suffix == ".feature" and file_path.resolve() in named:
        collector: FeatureFile = FeatureFile.from_parent(parent, path=file_path)
        return collector
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse before anything runs when a step of any scenario is unknown."""
    if RUN not in session.config.stash:
        return
    for item in session.items:
        template = scenario_wrapper_template_registry.get(item.obj) if isinstance(item, pytest.Function) else None
        if template is None:
            continue
        callspec = getattr(item, "callspec", None)
        example = callspec.params.get("_pytest_bdd_example", {}) if callspec else {}
        for step in template.render(example).steps:
            if not _is_known(step):
                where = f"{_relative(template.feature.filename)} line {step.line_number}"
                refused = BadInput(
                    where, f'no step matches "{step.keyword} {step.name}"', f'a step such as "{_closest(step)}"'
                )
                session.config.stash[RUN].refused = refused
                raise pytest.UsageError(str(refused))


def _is_known(step: Any) -> bool:
    return any(
        known.type in (None, step.type) and known.parser.is_matching(step.name)
        for known in list(step_function_context_registry.values())
    )


def _closest(step: Any) -> str:
    """The known step whose words are most like those of ``step``."""
    known: list[str] = sorted({context.parser.name for context in list(step_function_context_registry.values())})
    closest: str = difflib.get_close_matches(step.name, known, n=1, cutoff=0.0)[0]
    return closest


def _relative(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
