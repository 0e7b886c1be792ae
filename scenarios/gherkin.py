"""Runs feature files through pytest and pytest-bdd, without pytest's own output."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pytest_bdd import gherkin_parser
from pytest_bdd.feature import get_feature
from pytest_bdd.parser import Feature

from scenarios.errors import BadInput
from scenarios.run import FeatureRun

RUN = pytest.StashKey[FeatureRun]()
"""Where the pytest config keeps the run that its scenarios belong to."""


class _Handover:
    """Gives the run to the plugin that plays the scenarios."""

    def __init__(self, run: FeatureRun) -> None:
        self.run = run

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[RUN] = self.run

    @pytest.hookimpl(tryfirst=True)  # pytest-bdd answers as well
    def pytest_bdd_apply_tag(self, tag: str) -> bool:  # noqa: ARG002  # any tag at all
        """Tags are words for the record: none of them skips a scenario or means anything else to pytest."""
        return True

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and isinstance(call.excinfo.value, BadInput):
            self.run.refused = self.run.refused or call.excinfo.value
        if self.run.refused is not None:
            item.session.shouldstop = "bad input"


def read(path: Path) -> Feature:
    """Parse one feature file. Raises BadInput with the line of the first mistake."""
    try:
        feature = get_feature(str(path.parent), path.name)
    except KeyError:  # of its "feature": the file is empty, or holds comments alone
        raise BadInput(str(path), "holds no feature", "a Gherkin feature") from None
    except OSError as error:
        raise BadInput(str(path), f"cannot be read ({error.strerror})", "a readable feature file") from None
    except Exception as error:  # pytest-bdd and its parser raise a family of unrelated types
        raise BadInput(str(path), str(error).splitlines()[0], "a Gherkin feature") from None
    _check(path)
    return feature


def _check(path: Path) -> None:
    """Refuse what pytest-bdd would pass over in silence, or stumble over: equal names, and nothing to play."""
    seen: set[str] = set()
    for scenario in _scenarios(gherkin_parser.get_gherkin_document(str(path)).feature):
        if scenario.name in seen:
            where = f"{path} line {scenario.location.line}"
            raise BadInput(where, f'a second scenario "{scenario.name}"', "a name of its own for each scenario")
        if not scenario.steps:
            raise BadInput(f"{path} line {scenario.location.line}", "a scenario without steps", "at least one step")
        seen.add(scenario.name)
    if not seen:
        raise BadInput(str(path), "holds no scenario", "at least one scenario")


def _scenarios(parent: gherkin_parser.Feature | gherkin_parser.Rule) -> Iterator[gherkin_parser.Scenario]:
    for child in parent.children:
        if child.scenario is not None:
            yield child.scenario
        elif child.rule is not None:
            yield from _scenarios(child.rule)


def play(paths: Sequence[Path], run: FeatureRun) -> None:
    """Play every scenario of ``paths`` into ``run``.

    Raises BadInput, before anything has run, for steps nobody knows.
    """
    for path in paths:
        if "[" in str(path) or "::" in str(path):
            raise BadInput(str(path), "cannot be collected by pytest", 'a path without "[" and "::"')
        read(path)
    arguments = [
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(Path.cwd()),
        "--assert=plain",
        "-p",
        "no:warnings",
    ]
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main([*arguments, *map(str, paths)], plugins=[_Handover(run)])
    if run.refused is not None:
        raise run.refused
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED) or (
        code == pytest.ExitCode.TESTS_FAILED and not any(outcome.status == "failed" for outcome in run.outcomes)
    ):
        raise RuntimeError(f"the scenarios could not be run:\n{output.getvalue()}")
