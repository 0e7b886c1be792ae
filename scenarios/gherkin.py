"""Runs feature files through pytest and pytest-bdd, without pytest's own output."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
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

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and isinstance(call.excinfo.value, BadInput):
            self.run.refused = call.excinfo.value


def read(path: Path) -> Feature:
    """Parse one feature file. Raises BadInput with the line of the first mistake."""
    try:
        return get_feature(str(path.parent), path.name)
    except OSError as error:
        raise BadInput(str(path), f"cannot be read ({error.strerror})", "a readable feature file") from None
    except Exception as error:  # pytest-bdd and its parser raise a family of unrelated types
        raise BadInput(str(path), str(error).splitlines()[0], "a Gherkin feature") from None


def play(paths: Sequence[Path], run: FeatureRun) -> None:
    """Play every scenario of ``paths`` into ``run``.

    Raises BadInput, before anything has run, for steps nobody knows.
    """
    for path in paths:
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
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED) or (
        code == pytest.ExitCode.TESTS_FAILED and not any(outcome.status == "failed" for outcome in run.outcomes)
    ):
        raise RuntimeError(f"the scenarios could not be run:\n{output.getvalue()}")
