"""Remediations as a real run leaves them: asked for by name, written down, counted."""

from pathlib import Path

import pytest

from reports.record import read
from reports.summary import summarise
from scenarios.errors import BadInput
from scenarios.run import FeatureRun, RunOptions
from scenarios.simulated import open_world
from scenarios.workload import read as read_workload

WORKLOAD = """
name: mine
description: A few signals, some of them twice
arrivals: {{fixed: {{per_second: 0.2, count: 12}}}}
targets: 3
workflows: {{restart-deployment: 1, increase-memory: 1}}
signals: {{duplicates: 0.5, legacy: {}}}
expect: ['{}']
"""


def lived(tmp_path: Path, expectation: str, legacy: int = 0) -> FeatureRun:
    path = tmp_path / "mine.yaml"
    path.write_text(WORKLOAD.format(legacy, expectation))
    run = FeatureRun(RunOptions(seed=3), open_world)
    run.recording.run(version="0", seed=3, backend="sim", epoch="2026-01-05T08:00:00Z", command="", settings={})
    run.workload_plays(path)
    run.recording.end()
    run.recording.wall = {"wall_seconds": 1.0}
    run.recording.write(tmp_path / "run.jsonl")
    return run


def test_a_workload_may_expect_something_of_remediations_and_all_are_accounted_for(tmp_path: Path) -> None:
    run = lived(tmp_path, 'p95 of "signal to decision" is below 5s')
    assert [outcome.status for outcome in run.outcomes] == ["passed"]
    scenario = read(tmp_path / "run.jsonl").scenarios[0]
    assert scenario.routing is not None
    assert (scenario.routing.remediations, scenario.routing.cooldown_us) == (12, 300_000_000)
    told = summarise(read(tmp_path / "run.jsonl"))["scenarios"][0]["remediations"]
    assert told["admitted"] == sum(told["states"].values()) == 12
    assert told["timings"]["signal to decision"]["n"] == 12
    assert told["wasted"] == {"lost_lock": 0, "within_cooldown": 0}


def test_executions_that_version_3_1_had_skipped_are_no_unfinished_ones(tmp_path: Path) -> None:
    lived(tmp_path, 'p95 of "signal to decision" is below 5s', legacy=4)
    told = summarise(read(tmp_path / "run.jsonl"))["scenarios"][0]
    assert told["outcomes"]["Skipped"] == 4
    assert told["censored"] == 0
    assert told["remediations"]["admitted"] == 16


def test_a_broken_expectation_says_over_what_it_was_measured(tmp_path: Path) -> None:
    (outcome,) = lived(tmp_path, 'min of "analysis" is below 1ms').outcomes
    assert outcome.status == "failed"
    assert outcome.error is not None
    assert outcome.error.startswith('min of "analysis" is below 1ms: min is ')
    assert outcome.error.endswith(" stays")
    (outcome,) = lived(tmp_path, 'max of "signal to end" is below 1ms').outcomes
    assert outcome.error is not None
    assert outcome.error.endswith("over 12 remediations")


def test_an_expectation_of_an_unknown_timing_names_those_of_remediations(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WORKLOAD.format(0, 'p95 of "signal to lunch" is below 5s'))
    with pytest.raises(BadInput, match="signal to execution"):
        read_workload(path, ())
