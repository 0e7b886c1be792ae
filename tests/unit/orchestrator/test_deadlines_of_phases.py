"""When a remediation has taken too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from orchestrator_stage import Stage

from controller.api.timestamps import parse_time
from controller.orchestrator.deadlines import deadline
from controller.orchestrator.settings import Settings, Timeouts

Make = Callable[..., Stage]
START = "2026-01-05T08:00:00Z"
LATER = "2026-01-05T08:10:00Z"


def request(phase: str = "", config: dict[str, str] | None = None, **status: str) -> dict[str, Any]:
    spec = {} if config is None else {"timeoutConfig": config}
    return {"spec": spec, "status": {**({"overallPhase": phase} if phase else {}), **status}}


@pytest.mark.parametrize(
    ("phase", "field", "seconds"),
    [
        ("Processing", "processingStartTime", 300),
        ("Analyzing", "analyzingStartTime", 600),
        ("AwaitingApproval", "approvalStartTime", 900),
        ("Executing", "executingStartTime", 1800),
    ],
)
def test_each_phase_has_its_limit_from_its_own_beginning(phase: str, field: str, seconds: int) -> None:
    found = deadline(request(phase, startTime=START, **{field: LATER}), Timeouts())
    assert found == (parse_time(LATER) + timedelta(seconds=seconds), phase)


@pytest.mark.parametrize("phase", ["Pending", "Processing", "Analyzing", "AwaitingApproval", "Executing", "Blocked"])
def test_the_whole_has_an_hour_whatever_the_phase(phase: str) -> None:
    begins = {
        f"{field}StartTime": "2026-01-05T08:59:00Z" for field in ("processing", "analyzing", "approval", "executing")
    }
    assert deadline(request(phase, startTime=START, **begins), Timeouts()) == (
        parse_time("2026-01-05T09:00:00Z"),
        "global",
    )


def test_nothing_is_limited_before_the_start() -> None:
    assert deadline(request(), Timeouts()) is None
    assert deadline({"spec": {}}, Timeouts()) is None


@pytest.mark.parametrize(
    ("key", "phase", "field"),
    [
        ("processing", "Processing", "processingStartTime"),
        ("analyzing", "Analyzing", "analyzingStartTime"),
        ("approval", "AwaitingApproval", "approvalStartTime"),
        ("executing", "Executing", "executingStartTime"),
    ],
)
def test_a_request_may_set_its_own_limits(key: str, phase: str, field: str) -> None:
    found = deadline(request(phase, {key: "1m30s"}, startTime=START, **{field: START}), Timeouts())
    assert found == (parse_time("2026-01-05T08:01:30Z"), phase)


def test_a_request_may_limit_the_whole() -> None:
    assert deadline(request("Executing", {"global": "2m"}, startTime=START), Timeouts()) == (
        parse_time("2026-01-05T08:02:00Z"),
        "global",
    )


@pytest.mark.parametrize("text", ["soon", "", "-5m", "0s", "5", "5m ", "1d", "٣m"])
def test_what_is_no_duration_is_as_if_it_were_absent(text: str) -> None:
    found = deadline(request("Analyzing", {"analyzing": text}, startTime=START, analyzingStartTime=START), Timeouts())
    assert found == (parse_time("2026-01-05T08:10:00Z"), "Analyzing")


@pytest.mark.parametrize("text", ["100000000h", "9" * 60 + "h"])
def test_no_limit_is_beyond_the_calendar(text: str) -> None:
    found = deadline(
        request("Analyzing", {"global": text, "analyzing": text}, startTime=START, analyzingStartTime=START), Timeouts()
    )
    assert found is not None
    assert found[0] > parse_time("2030-01-01T00:00:00Z")


# on the stage

SHORT = Settings(timeouts=Timeouts(global_s=200, analyzing_s=20, approval_s=30, executing_s=40))


def times_out(stage: Stage, phase: str, after_s: float, since: str) -> None:
    """In ``phase``, exactly ``after_s`` after the whole second of its status field ``since``."""
    due = parse_time(stage.status()[since]) + timedelta(seconds=after_s)
    wait_s = (due - stage.clock.utcnow()).total_seconds()
    stage.run(wait_s - 0.01)
    assert stage.phase() != "TimedOut"
    stage.run(0.02)
    status = stage.status()
    assert (status["overallPhase"], status["timeoutPhase"]) == ("TimedOut", phase)


def test_an_analysis_times_out_to_the_second_and_people_are_told(make_stage: Make) -> None:
    stage = make_stage(SHORT).signal().run(1)
    times_out(stage, "Analyzing", 20, "analyzingStartTime")
    assert stage.status()["message"] == "The time for phase Analyzing is over; it was Analyzing"
    assert stage.run(1).notifications() == ["phase-timeout-analyzing-rr-1"]
    stage.answer().run(60)
    assert (stage.phase(), stage.executions()) == ("TimedOut", [])


def test_an_approval_times_out(make_stage: Make) -> None:
    stage = make_stage(SHORT).signal().run(1).answer(approvalRequired=True).run(1)
    times_out(stage, "AwaitingApproval", 30, "approvalStartTime")
    told = stage.run(1).audited()
    assert told[-2:] == ["orchestrator.approval.expired", "orchestrator.lifecycle.completed"]


def test_an_execution_times_out_and_is_left_to_end_by_itself(make_stage: Make) -> None:
    stage = make_stage(SHORT).signal().run(1).answer().run(1)
    times_out(stage, "Executing", 40, "executingStartTime")
    assert stage.executions() == ["we-rr-1"]
    stage.execution_ends().run(5)
    assert stage.phase() == "TimedOut"


def test_a_block_ends_with_the_whole_remediation(make_stage: Make) -> None:
    settings = Settings(on_busy="wait", timeouts=Timeouts(global_s=100))
    stage = make_stage(settings).pipeline_run().run(1).signal().run(1)
    assert stage.phase() == "Blocked"
    times_out(stage, "global", 100, "startTime")
    assert stage.status()["message"] == "The time for the whole remediation is over; it was Blocked"
    assert stage.run(1).notifications() == ["timeout-rr-1"]


def test_recoveries_have_the_time_of_an_analysis_each(make_stage: Make) -> None:
    settings = Settings(timeouts=Timeouts(analyzing_s=100))
    stage = make_stage(settings).signal().run(50).answer().run(1)
    stage.execution_ends(phase="Failed", reason="Forbidden").run(60)
    assert stage.phase() == "Analyzing"
    stage.run(45)
    assert stage.phase() == "TimedOut"


@pytest.mark.parametrize(
    ("end", "phase"),
    [
        ({}, "Completed"),
        ({"phase": "Failed", "wasExecutionFailure": True}, "Failed"),
        ({"phase": "Failed", "reason": "Forbidden"}, "TimedOut"),
    ],
    ids=["completed", "failed while it worked", "failed before it began"],
)
def test_an_end_that_is_seen_late_counts_but_nothing_new_is_begun(
    make_stage: Make, end: dict[str, Any], phase: str
) -> None:
    stage = make_stage(SHORT).signal().run(1).answer().run(1)
    stage.processes[-1].kill()
    stage.run(10).execution_ends(**end).run(500)
    stage.start()
    stage.run(5)
    assert stage.phase() == phase
    assert stage.executions() == ["we-rr-1"]
