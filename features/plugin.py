"""The pytest plugin: makes the steps known and plays each scenario when all of its steps have been told.

A run is described by :class:`Run`, found on the pytest config under ``RUN``; without one, scenarios run in the
simulated cluster at scale 1, so that ``pytest`` alone is enough for users who bind their own feature files.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from scenarios.run import FeatureRun, RunOptions
from scenarios.story import Step, Story
from scenarios.world import World

pytest_plugins = ("features.steps.asking", "features.steps.seeing")

RUN = pytest.StashKey[FeatureRun]()
_STORY = pytest.StashKey[Story]()


def run_of(config: pytest.Config) -> FeatureRun:
    if RUN not in config.stash:
        config.stash[RUN] = FeatureRun(RunOptions())
    return config.stash[RUN]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The world of this scenario: new, empty, and gone afterwards."""
    world = run_of(request.config).open_world(request.node.nodeid.rpartition("::")[2], request.node.stash.get(_SEED, ""))
    yield world
    world.close()


_SEED = pytest.StashKey[str]()


@pytest.fixture
def story(request: pytest.FixtureRequest, world: World) -> Story:
    """The scenario being told."""
    story = request.node.stash[_STORY] = Story(world)
    return story


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    request.node.stash[_SEED] = f"{feature.name}/{scenario.name}"
    story = request.getfixturevalue("story")
    run_of(request.config).scenario_begins(story, feature, scenario)


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Any) -> None:
    request.node.stash[_STORY].steps.append(Step(step.keyword.strip(), step.name, step.line_number))


def pytest_bdd_after_scenario(request: pytest.FixtureRequest, scenario: Any) -> None:
    story = request.node.stash[_STORY]
    if len(story.steps) == len(scenario.steps):  # otherwise telling already failed, and pytest says why
        run_of(request.config).scenario_plays(story)
