"""The executor in every recorded situation: the table is frozen, and was read against what the executor has to do.

When a change of the executor or of the simulated Tekton alters a row, look at it; if it is right, write the table anew:
``rehearse situations > tests/golden/executor_table.txt``.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from controller.api.workflowexecution import FailureReason
from scenarios.golden.recording import BUNDLED, Recording
from scenarios.situations.command import chosen
from scenarios.situations.row import Row, rows_of
from scenarios.situations.stage import live
from scenarios.situations.table import text

FROZEN = Path(__file__).parent / "executor_table.txt"
_TIMES = re.compile(r" +\d+(?: to \d+)? ms$|(?<= after )(?:\d+[hms])+(?= with )", re.MULTILINE)
_NOTICED_MAX_S = 0.6  # one look at TaskRuns that have not ended yet, and the calls of it
_RACES = ("cancel-immediately",)  # a few ms decide whether the cancel finds the TaskRun, or leaves it to run on
_SAME_LIMITS = "exit1-first-running-last-hang"  # its TaskRun and its PipelineRun have an hour each; either may be told
_SETTLED_MAX_S = 3.0 + _NOTICED_MAX_S  # a TaskRun that never ends is waited for that long
_NEVER_CREATED = "create-while-webhook-down"  # and the recording ends before the webhook is back


@cache
def rows() -> tuple[Row, ...]:
    return tuple(row for one in chosen((), "", BUNDLED) for row in lived(one, seed=7))


def lived(recording: Recording, *, seed: int) -> list[Row]:
    return rows_of(recording.scenario, recording.version, live(recording, seed=seed))


def facts(table: str) -> list[str]:
    """The blocks of a table without what a tuned latency moves: milliseconds, and a second more or less."""
    moved = (*_RACES, _SAME_LIMITS)
    return [_TIMES.sub("", block) for block in table.split("\n\n") if block.split(" ", 1)[0] not in moved]


def test_what_is_told_of_every_situation_is_as_it_was_reviewed() -> None:
    frozen = facts(FROZEN.read_text(encoding="utf-8"))
    told = facts(text(rows()))
    new = [block for block in told if block not in frozen]
    gone = [block for block in frozen if block not in told]
    assert not new and not gone, "\n\n".join(["no longer told:", *gone, "told now:", *new])  # noqa: PT018  # one story


def test_of_two_limits_of_an_hour_either_is_told_with_the_step_that_had_failed() -> None:
    told = [row for row in rows() if row.situation == _SAME_LIMITS]
    assert [row.version for row in told] == ["v1.15.0", "v1.7.0"]
    for row in told:
        assert (row.phase, row.reason, row.started) == ("Failed", "DeadlineExceeded", True)
        assert re.search(r'Message: (?:Task|Pipeline)Run "[^"]+" failed to finish within "1h0m0s"', row.summary)
        assert "Step 'a' ended with exit code 1." in row.summary


def test_reasons_are_those_of_the_enumeration_and_come_with_failure_alone() -> None:
    for row in rows():
        assert (row.reason in set(FailureReason)) is (row.phase == "Failed"), row.situation
        assert (row.started is not None) is (row.phase == "Failed"), row.situation


def test_every_situation_comes_to_an_end_but_the_one_whose_run_was_never_admitted() -> None:
    open_ = {row.situation for row in rows() if row.phase not in ("Completed", "Failed")}
    assert open_ <= {_NEVER_CREATED}


def test_the_end_is_noticed_in_a_fraction_of_a_second() -> None:
    for row in rows():
        if row.phase in ("Completed", "Failed"):
            assert row.noticed_us is not None, row.situation
            most_s = _SETTLED_MAX_S if row.situation in _RACES else _NOTICED_MAX_S
            assert 0 <= row.noticed_us / 1_000_000 < most_s, row.situation


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_tells_the_same_reason(seed: int) -> None:
    told = {(row.situation, row.version): (row.phase, row.reason) for row in rows()}
    for one in chosen((), "1.15", BUNDLED):
        for row in lived(one, seed=seed):
            assert (row.phase, row.reason) == told[row.situation, row.version], row.situation
