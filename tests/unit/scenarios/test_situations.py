"""`rehearse situations`: the executor submits what was recorded, and what it tells becomes a table and a record."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reports.build import build
from scenarios.errors import BadInput
from scenarios.golden.library import find
from scenarios.golden.recording import BUNDLED
from scenarios.situations.command import situations
from scenarios.situations.row import Row, rows_of
from scenarios.situations.stage import live
from scenarios.situations.table import text


def lived(situation: str, version: str = "1.15") -> list[Row]:
    (entry,) = find([situation], version, BUNDLED)
    assert entry.recording is not None
    return rows_of(entry.scenario, entry.version, live(entry.recording, seed=3))


def row(situation: str) -> Row:
    return lived(situation)[0]


def test_a_recorded_failure_is_lived_by_the_executors_own_run() -> None:
    told = row("fail-step2of3")
    assert (told.phase, told.reason, told.started, told.task) == ("Failed", "TaskFailed", True, "run")
    assert told.evidence == "PipelineRun ended"
    assert "exit code 1" in told.summary


def test_a_recorded_spec_that_is_refused_is_refused_to_the_executor() -> None:
    told = row("bad-spec-rejected-by-webhook")
    assert (told.phase, told.reason, told.started) == ("Failed", "ConfigurationError", False)
    assert told.evidence == "creation refused"
    assert told.noticed_us is not None


def test_what_the_script_did_to_the_run_befalls_the_executors() -> None:
    told = row("delete-background")
    assert (told.phase, told.reason, told.evidence) == ("Failed", "Unknown", "PipelineRun gone")


def test_where_the_script_submitted_again_the_executor_is_asked_again_and_meets_what_was_left_behind() -> None:
    first, second = lived("delete-background-recreate-after-finish-slow-gc")
    assert (first.reason, first.started) == ("TaskFailed", True)
    assert (second.reason, second.started) == ("ExecutionRaceCondition", False)
    assert "left behind by an earlier run" in second.summary


def test_the_same_seed_lives_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    first = situations(["cancel"], "", None, 5, "rehearse situations").lines
    assert situations(["cancel"], "", None, 5, "rehearse situations").lines == first
    assert "cancel" in capsys.readouterr().out


def test_the_record_makes_a_report_with_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = situations(["fail-step2of3", "success-1"], "1.15", None, 7, "rehearse situations")
    assert "TaskFailed" in capsys.readouterr().out
    record.wall = {"wall_seconds": 0.0, "scenarios": {}}
    record.write(tmp_path / "record.jsonl")
    build([tmp_path / "record.jsonl"], tmp_path)
    (scenario,) = json.loads((tmp_path / "report.json").read_text())["scenarios"]
    assert [one["situation"] for one in scenario["situations"]] == ["fail-step2of3", "success-1"]
    page = (tmp_path / "report.html").read_text()
    assert "What is told of each situation" in page
    assert "Recommendation: Read the log of the failed step" in page


def test_releases_that_agree_share_a_block_and_those_that_differ_do_not() -> None:
    told = Row("slow", "v1.15.0", "Failed", "TaskFailed", True, "run", "", 9_000, "", "failed after 3s with x")
    older = replace(told, version="v1.7.0", noticed_us=11_000, summary="failed after 4s with x")
    both = text([told, older])
    assert "1.7, 1.15" in both
    assert "9 to 11 ms" in both
    apart = text([told, replace(older, reason="Unknown")])
    assert "1.7, 1.15" not in apart
    assert apart.count("\nslow") == 2


def test_repeats_are_counted_and_told_once() -> None:
    one = Row("again-00", "v1.15.0", "Completed", "", None, "", "", 9_000, "", "")
    assert "again-00 and 1 more" in text([one, replace(one, situation="again-01")])


def test_an_unknown_situation_is_a_mistake() -> None:
    with pytest.raises(BadInput):
        situations(["no-such-thing"], "", None, 7, "rehearse situations")
