"""Each check of routing: that it holds, that it does not, what happens exactly at its bound, and who comes first."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from target_history import NOW, TARGET, ago, ask, execution, failures, request, run

from controller.api.remediationrequest import RoutingReason
from controller.orchestrator.routing import CHECKS, action_for
from controller.orchestrator.settings import Settings

REASONS = list(RoutingReason)
ELDER = request("rr-0", overallPhase="Analyzing")


def reason(*executions: Any, **question: Any) -> str:
    block = ask(*executions, **question)
    return str(block.reason) if block is not None else ""


def test_the_order_of_the_checks_is_the_order_of_the_reasons() -> None:
    assert [each for each, _ in CHECKS] == REASONS


def test_nothing_stands_in_the_way_of_a_target_without_history() -> None:
    assert ask() is None


# 1: PreviousExecutionFailed


@pytest.mark.parametrize("ran", [True, None], ids=["it ran", "nobody knows"])
def test_an_execution_failure_stands_in_the_way_for_ever(ran: bool | None) -> None:
    assert reason(execution("we-a", "Failed", ago(9_999), ran=ran)) == "PreviousExecutionFailed"


def test_its_message_names_the_execution_the_target_and_what_went_wrong() -> None:
    block = ask(execution("we-a", "Failed", ago(60), ran=True, summary="exit\x1b 3"))
    assert block is not None
    assert block.message == (
        f"WorkflowExecution we-a failed on {TARGET} after it had begun to change it, and nobody has cleared that yet: "
        "exit 3"
    )
    assert (block.execution, block.until, block.failures) == ("we-a", None, 0)


def test_a_cleared_execution_failure_stands_in_nobodys_way() -> None:
    assert reason(execution("we-a", "Failed", ago(60), ran=True, cleared=True)) == ""


def test_a_success_after_an_execution_failure_ends_its_block() -> None:
    failed = execution("we-a", "Failed", ago(4_000), ran=True)
    assert reason(failed, execution("we-b", "Completed", ago(3_000))) == ""


def test_an_execution_failure_after_a_success_blocks() -> None:
    done = execution("we-a", "Completed", ago(4_000))
    assert reason(done, execution("we-b", "Failed", ago(3_999), ran=True)) == "PreviousExecutionFailed"


def test_a_failure_before_the_run_clears_nothing() -> None:
    failed = execution("we-a", "Failed", ago(4_000), ran=True)
    assert reason(failed, execution("we-b", "Failed", ago(3_000), ran=False)) == "PreviousExecutionFailed"


# 2: ExhaustedRetries


@pytest.mark.parametrize(("count", "expected"), [(4, ""), (5, "ExhaustedRetries"), (6, "ExhaustedRetries")])
def test_five_failures_in_a_row_are_too_many_and_four_are_not(count: int, expected: str) -> None:
    assert reason(*failures(count, last_s_ago=700)) == expected


def test_the_limit_is_the_operators() -> None:
    settings = Settings(max_failures=2)
    assert reason(*failures(1, 700), settings=settings) == ""
    block = ask(*failures(2, 700), settings=settings)
    assert block is not None
    assert block.message == (f"2 executions in a row could not begin on {TARGET}, the limit is 2; the last was we-f1")
    assert (block.failures, block.execution) == (2, "we-f1")


@pytest.mark.parametrize(
    "between",
    [
        execution("we-s", "Completed", ago(702.5)),
        execution("we-s", "Failed", ago(702.5), ran=True, cleared=True),
        execution("we-s", "Failed", ago(702.5), ran=False, cleared=True),
    ],
    ids=["a success", "a cleared failure of the work", "a cleared failure before it"],
)
def test_the_row_begins_anew_after(between: dict[str, Any]) -> None:
    row = [execution(f"we-f{n}", "Failed", ago(700 + 5 - n), ran=False) for n in range(6)]
    assert reason(*row) == "ExhaustedRetries"
    assert reason(*row, between) == ""


# 3: ExponentialBackoff


@pytest.mark.parametrize(("seconds_ago", "expected"), [(59, "ExponentialBackoff"), (60, ""), (61, "")])
def test_a_target_rests_a_minute_after_one_failure(seconds_ago: int, expected: str) -> None:
    assert reason(*failures(1, seconds_ago)) == expected


@pytest.mark.parametrize(("count", "rest_s"), [(1, 60), (2, 120), (3, 240), (4, 480)])
def test_the_rest_doubles_and_ends_at_its_second(count: int, rest_s: int) -> None:
    block = ask(*failures(count, 1))
    assert block is not None
    assert (block.reason, block.until, block.failures) == (
        "ExponentialBackoff",
        ago(1) + timedelta(seconds=rest_s),
        count,
    )
    assert reason(*failures(count, rest_s - 1)) == "ExponentialBackoff"
    assert reason(*failures(count, rest_s)) == ""


def test_its_message_counts_the_failures_and_names_the_last_and_the_end_of_the_rest() -> None:
    one, two = ask(*failures(1)), ask(*failures(2))
    assert one is not None
    assert two is not None
    assert one.message == (
        f"1 execution in a row could not begin on {TARGET}; the last, we-f0, is followed by a rest until "
        "2026-01-05T11:00:59Z"
    )
    assert two.message.startswith("2 executions in a row could not begin")


def test_a_rest_that_was_drawn_once_is_not_drawn_again() -> None:
    resting = request(
        overallPhase="Blocked",
        blockReason="ExponentialBackoff",
        blockingWorkflowExecution="we-f0",
        nextAllowedExecution="2026-01-05T11:00:30Z",
    )
    block = ask(*failures(1), asking=resting, draw=0.99)
    assert block is not None
    assert block.until == NOW + timedelta(seconds=30)
    assert ask(*failures(1), asking=resting, draw=0.99, now=NOW + timedelta(seconds=30)) is None


def test_another_failure_meanwhile_draws_another_rest() -> None:
    resting = request(
        blockReason="ExponentialBackoff", blockingWorkflowExecution="we-a", nextAllowedExecution="2026-01-05T11:00:30Z"
    )
    block = ask(*failures(2), asking=resting)
    assert block is not None
    assert block.until == ago(1) + timedelta(seconds=120)


# 4: RecentlyRemediated


@pytest.mark.parametrize(
    ("seconds_ago", "expected"), [(0, "RecentlyRemediated"), (299, "RecentlyRemediated"), (300, "")]
)
def test_a_cooldown_is_over_exactly_at_its_end(seconds_ago: int, expected: str) -> None:
    assert reason(execution("we-a", "Completed", ago(seconds_ago))) == expected


def test_a_microsecond_before_its_end_it_is_not() -> None:
    done = execution("we-a", "Completed", ago(300))
    assert reason(done, now=NOW - timedelta(microseconds=1)) == "RecentlyRemediated"


def test_a_different_workflow_or_none_yet_passes() -> None:
    done = execution("we-a", "Completed", ago(10))
    assert reason(done, workflow="scale-up") == ""
    assert reason(done, workflow="") == ""
    assert reason(execution("we-a", "Completed", ago(10), workflow=""), workflow="") == ""


def test_the_same_workflow_is_found_behind_a_newer_one_of_another() -> None:
    done = [
        execution("we-a", "Completed", ago(200)),
        execution("we-b", "Completed", ago(100), workflow="scale-up"),
        execution("we-c", "Completed", ago(250)),
    ]
    block = ask(*done)
    assert block is not None
    assert (block.execution, block.duplicate_of) == ("we-a", "rr-of-we-a")
    assert block.until == ago(200) + timedelta(seconds=300)
    assert block.message == (
        f"Workflow restart completed on {TARGET} as we-a; its cooldown lasts until 2026-01-05T11:01:40Z"
    )


def test_a_cooldown_with_a_fraction_of_a_second_is_told_as_the_second_after() -> None:
    block = ask(execution("we-a", "Completed", ago(1)), settings=Settings(cooldown_s=1.5))
    assert block is not None
    assert block.until == NOW + timedelta(seconds=1)
    done = execution("we-a", "Completed", ago(1))
    assert ask(done, settings=Settings(cooldown_s=1.5), now=NOW + timedelta(seconds=0.5)) is None


# 5: ResourceBusy


@pytest.mark.parametrize("phase", ["", "Pending", "Running"])
def test_an_unfinished_execution_keeps_the_target_busy(phase: str) -> None:
    block = ask(execution("we-a", phase))
    assert block is not None
    assert (block.reason, block.execution, block.until) == ("ResourceBusy", "we-a", None)
    assert block.message == f"WorkflowExecution we-a on {TARGET} is not finished"


def test_the_oldest_of_several_is_named() -> None:
    block = ask(
        execution("we-b", created=ago(50)), execution("we-a", created=ago(9)), execution("we-c", created=ago(20))
    )
    assert block is not None
    assert block.execution == "we-b"


def test_ones_own_execution_does_not_count_but_that_of_a_former_request_of_the_same_name_does() -> None:
    assert reason(execution("we-rr-1", "Running", owner="uid-rr-1")) == ""
    assert reason(execution("we-rr-1", "Running", owner="uid-rr-1-before")) == "ResourceBusy"


def test_a_claim_of_another_request_keeps_it_busy() -> None:
    block = ask(claim="we-rr-2")
    assert block is not None
    assert (block.reason, block.execution) == ("ResourceBusy", "we-rr-2")
    assert block.message == f"WorkflowExecution we-rr-2 on {TARGET} is not finished"


def test_an_unfinished_run_under_the_lock_keeps_it_busy_and_a_finished_one_does_not() -> None:
    block = ask(lock=run(finished=False))
    assert block is not None
    assert (block.reason, block.execution) == ("ResourceBusy", "")
    assert block.message == f"PipelineRun wfe-lock is at work on {TARGET}"
    assert ask(lock=run(finished=True)) is None
    assert ask(lock={"metadata": {"name": "wfe-lock"}}) is not None  # nobody has begun with it


@pytest.mark.parametrize("phase", ["Skipped", "Cancelled", "Strange"])
def test_a_phase_of_another_engine_tells_nothing(phase: str) -> None:
    assert ask(execution("we-a", phase, ago(1), ran=True)) is None


# 6: DuplicateInProgress


def test_an_older_request_for_the_same_signal_stands_in_the_way() -> None:
    block = ask(elder=ELDER)
    assert block is not None
    assert (block.reason, block.duplicate_of, block.execution) == ("DuplicateInProgress", "rr-0", "")
    assert block.message == "RemediationRequest rr-0 for the same signal is older and has not ended"


# priorities

SITUATIONS: dict[RoutingReason, dict[str, Any]] = {
    RoutingReason.PREVIOUS_EXECUTION_FAILED: {"executions": [execution("we-p", "Failed", ago(5_000), ran=True)]},
    RoutingReason.EXHAUSTED_RETRIES: {"executions": failures(5, 1)},
    RoutingReason.EXPONENTIAL_BACKOFF: {"executions": failures(1, 2)},
    RoutingReason.RECENTLY_REMEDIATED: {"executions": [execution("we-d", "Completed", ago(250))]},
    RoutingReason.RESOURCE_BUSY: {"claim": "we-x"},
    RoutingReason.DUPLICATE_IN_PROGRESS: {"elder": ELDER},
}


@pytest.mark.parametrize("alone", REASONS)
def test_every_situation_alone_leads_to_its_reason(alone: RoutingReason) -> None:
    situation = SITUATIONS[alone]
    assert (
        reason(*situation.get("executions", ()), **{k: v for k, v in situation.items() if k != "executions"}) == alone
    )


@pytest.mark.parametrize(("first", "second"), [*combinations(REASONS, 2)])
def test_of_two_that_hold_the_earlier_decides(first: RoutingReason, second: RoutingReason) -> None:
    one, two = SITUATIONS[first], SITUATIONS[second]
    executions = [*one.get("executions", ()), *two.get("executions", ())]
    if {first, second} == {RoutingReason.PREVIOUS_EXECUTION_FAILED, RoutingReason.RECENTLY_REMEDIATED}:
        executions = [  # a success ends the block of a failure before it, so here the failure is the newer
            execution("we-p", "Failed", ago(100), ran=True),
            execution("we-d", "Completed", ago(250)),
        ]
    others = {key: value for each in (one, two) for key, value in each.items() if key != "executions"}
    assert reason(*executions, **others) == first


@pytest.mark.parametrize("policy", ["skip", "wait"])
def test_what_is_done_about_each_reason(policy: Any) -> None:
    settings = Settings(on_busy=policy)
    busy = "block" if policy == "wait" else "skip"
    assert [action_for(each, settings) for each in REASONS] == ["fail", "fail", "block", busy, busy, busy]
