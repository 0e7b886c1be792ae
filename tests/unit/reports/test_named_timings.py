from types import SimpleNamespace
from typing import Any

import pytest

from reports.timings import TIMINGS, seconds, timing

LIFE: dict[str, Any] = {
    "created_us": 1_000_000,
    "pipeline_run_created_us": 1_250_000,
    "running_us": 2_000_000,
    "pipeline_run_finished_us": 31_000_000,
    "terminal_us": 31_500_000,
    "lock_released_us": 331_500_000,
    "pipeline_run": "wfe-1",
    "censored": False,
}


@pytest.mark.parametrize(
    ("name", "expected_us"),
    [
        ("creation to PipelineRun", 250_000),
        ("creation to running", 1_000_000),
        ("running to terminal", 29_500_000),
        ("PipelineRun finished to noticed", 500_000),
        ("terminal to lock released", 300_000_000),
    ],
)
def test_each_timing_lies_between_its_two_instants(name: str, expected_us: int) -> None:
    assert timing(name).spent_us(LIFE) == (expected_us,)
    assert timing(name).spent_us(SimpleNamespace(**LIFE)) == (expected_us,)


def test_a_timing_is_found_in_any_casing_and_spacing() -> None:
    assert timing("Creation  To pipelinerun ") is TIMINGS[0]


def test_an_unknown_timing_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r'unknown timing "creation to lunch"; known are "creation to PipelineRun", .*released"'
    ):
        timing("creation to lunch")


def test_only_executions_that_reached_both_instants_count() -> None:
    pending = LIFE | {"running_us": None, "terminal_us": None, "censored": True}
    assert seconds(timing("creation to running"), [LIFE, pending, LIFE]) == [1.0, 1.0]


def test_a_time_that_could_still_have_ended_is_open_and_one_that_never_can_is_not() -> None:
    to_running = timing("creation to running")
    assert to_running.is_open(LIFE | {"running_us": None, "censored": True})
    assert not to_running.is_open(LIFE | {"running_us": None, "censored": False})
    assert not to_running.is_open(LIFE)
    to_terminal = timing("running to terminal")
    assert not to_terminal.is_open(LIFE | {"running_us": None, "terminal_us": None, "censored": True})


def test_a_lock_that_is_still_held_is_open_unless_there_never_was_one() -> None:
    cooldown = timing("terminal to lock released")
    held = LIFE | {"lock_released_us": None}
    assert cooldown.is_open(held)
    assert not cooldown.is_open(held | {"pipeline_run": None})
    assert not cooldown.is_open(held | {"deleted_us": 40_000_000})


def test_the_time_since_a_hazard_is_measured_where_there_was_one() -> None:
    since = timing("hazard to terminal")
    assert since.occasional
    assert seconds(since, [{"hazard_us": 1_000_000, "terminal_us": 3_000_000}, {"terminal_us": 3_000_000}]) == [2.0]
