from pathlib import Path
from typing import Any

import pytest
from synthetic_record import S
from synthetic_remediations import HAPPY, parsed, remediation, scenario_of

from reports.blocks import blocked_us, by_reason
from reports.lines import Execution
from reports.waste import wasted

COOLDOWN_US = 300 * S


def execution(name: str, created_s: float, ended_s: float | None = None, **fields: Any) -> Execution:
    line = {
        "kind": "execution",
        "scenario": 1,
        "namespace": "payment",
        "name": name,
        "workflow": "restart",
        "target": "payment/Deployment/api",
        "pipeline_run": "wfe-1",
        "created_us": round(created_s * S),
        "pipeline_run_created_us": None,
        "running_us": None,
        "pipeline_run_finished_us": None,
        "terminal_us": None if ended_s is None else round(ended_s * S),
        "lock_released_us": None,
        "phase": "Running" if ended_s is None else "Completed",
        "reason": None,
        "was_execution_failure": None,
        "message": "",
        "censored": ended_s is None,
    }
    return Execution.model_validate(line | fields)


def waste(*executions: Execution, routed: str = "first second", cooldown_us: int | None = COOLDOWN_US) -> Any:
    """Names of those that lost the lock, and of those that repeat."""
    found = wasted(executions, [parsed(HAPPY, executions=routed.split())], cooldown_us)
    return [[each.name for each in part] for part in (found.lost_lock, found.within_cooldown or [])]


def test_a_block_that_is_over_counts_as_the_record_says() -> None:
    over = parsed("Blocked 1, Processing 61, Analyzing 62", blocked_us={"ExponentialBackoff": 60 * S})
    assert blocked_us(over, 900 * S) == {"ExponentialBackoff": 60 * S}


def test_a_block_that_is_not_over_counts_until_the_end_of_the_run_for_its_present_reason() -> None:
    waiting = parsed("Blocked 10", reason="ResourceBusy", blocked_us={"RecentlyRemediated": 20 * S})
    assert blocked_us(waiting, 100 * S) == {"RecentlyRemediated": 20 * S, "ResourceBusy": 70 * S}


def test_a_block_ends_with_the_deletion_of_the_remediation() -> None:
    deleted = parsed("Blocked 10", reason="ResourceBusy", deleted_us=40 * S)
    assert blocked_us(deleted, 100 * S) == {"ResourceBusy": 30 * S}


def test_the_reason_that_took_longest_comes_first_and_every_remediation_counts_once_for_each() -> None:
    found = by_reason(
        [
            parsed("Blocked 1, Skipped 3", blocked_us={"ResourceBusy": 2 * S}),
            parsed("Blocked 1, Processing 30", blocked_us={"ExponentialBackoff": 20 * S, "ResourceBusy": 9 * S}),
            parsed(HAPPY),
        ],
        100 * S,
    )
    assert list(found.items()) == [("ExponentialBackoff", [20 * S]), ("ResourceBusy", [2 * S, 9 * S])]


def test_a_repetition_within_the_cooldown_is_wasted_and_one_after_it_is_not() -> None:
    assert waste(execution("first", 0, 60), execution("second", 300)) == [[], ["second"]]
    assert waste(execution("first", 0, 60), execution("second", 361)) == [[], []]


def test_two_seconds_of_the_cooldown_are_granted() -> None:
    assert waste(execution("first", 0, 60), execution("second", 358)) == [[], []]
    assert waste(execution("first", 0, 60), execution("second", 357.9)) == [[], ["second"]]


def test_one_that_was_created_while_the_other_still_worked_repeats_it_once_that_has_completed() -> None:
    assert waste(execution("first", 0, 60), execution("second", 30, 700)) == [[], ["second"]]
    assert waste(execution("first", 0), execution("second", 30)) == [[], []]


@pytest.mark.parametrize(
    "other",
    [
        {"workflow": "scale-out"},
        {"target": "payment/Deployment/web"},
        {"phase": "Failed", "reason": "TaskFailed"},
    ],
)
def test_another_workflow_another_target_or_a_failure_may_be_followed(other: dict[str, Any]) -> None:
    assert waste(execution("first", 0, 60, **other), execution("second", 100)) == [[], []]


def test_one_that_nobody_routed_is_never_wasted_but_must_be_waited_for() -> None:
    assert waste(execution("first", 0, 60), execution("second", 100), routed="first") == [[], []]
    assert waste(execution("first", 0, 60), execution("second", 100), routed="second") == [[], ["second"]]


def test_one_that_lost_the_lock_is_wasted_once() -> None:
    lost = {"phase": "Failed", "reason": "ExecutionRaceCondition"}
    assert waste(execution("first", 0, 60), execution("second", 30, 31, **lost)) == [["second"], []]
    assert waste(execution("first", 0, 60), execution("second", 30, 31, **lost), routed="first") == [[], []]


def test_without_a_known_cooldown_only_the_lost_locks_are_judged(tmp_path: Path) -> None:
    assert wasted([], [], None).within_cooldown is None
    scenario = scenario_of(tmp_path, [remediation(phases=HAPPY)], cooldown_us=None)
    assert scenario.routing is not None
    assert scenario.routing.cooldown_us is None
