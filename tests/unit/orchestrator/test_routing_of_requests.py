"""What keeps a remediation from executing, as its user sees it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from orchestrator_stage import TARGET_RESOURCE, Stage

from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.api.timestamps import parse_time
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.orchestrator.settings import Settings

Make = Callable[..., Stage]


def fail_before_run(stage: Stage, name: str = "rr-1") -> None:
    """One remediation whose execution could not begin, without recoveries."""
    stage.signal(name).until(lambda: stage.phase(name) == "Analyzing", 700)
    stage.answer(f"ai-{name}", workflow=f"wf-{name}").until(lambda: stage.phase(name) == "Executing", 700)
    stage.execution_ends(f"we-{name}", "Failed", reason="ConfigurationError").run(1)


def test_a_busy_target_skips_the_request_and_names_the_execution(stage: Stage) -> None:
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    status = stage.status("rr-2")
    assert (status["overallPhase"], status["skipReason"]) == ("Skipped", "ResourceBusy")
    assert status["blockingWorkflowExecution"] == "we-rr-1"
    assert "we-rr-1" in status["skipMessage"]
    assert stage.analysis("ai-rr-2") is None


def test_a_target_that_becomes_busy_during_the_analysis_skips_it_too(stage: Stage) -> None:
    stage.signal("rr-1").signal("rr-2").run(1)
    stage.answer("ai-rr-1").run(1).answer("ai-rr-2").run(1)
    assert stage.phase("rr-2") == "Skipped"
    assert stage.executions() == ["we-rr-1"]


def test_a_pipeline_run_under_the_lock_keeps_the_target_busy_until_it_is_finished(stage: Stage) -> None:
    stage.pipeline_run().run(1).signal("rr-1").run(1)
    assert stage.status()["skipReason"] == "ResourceBusy"
    assert TARGET_RESOURCE in stage.status()["skipMessage"]


def test_a_finished_pipeline_run_under_the_lock_does_not(stage: Stage) -> None:
    stage.pipeline_run(finished=True).run(1).signal("rr-1").run(1)
    assert stage.phase() == "Analyzing"


def test_the_same_workflow_is_skipped_within_its_cooldown(stage: Stage) -> None:
    stage.remedied("rr-1")
    stage.signal("rr-2").run(1).answer("ai-rr-2").run(1)
    status = stage.status("rr-2")
    assert (status["overallPhase"], status["skipReason"]) == ("Skipped", "RecentlyRemediated")
    assert (status["duplicateOf"], status["blockingWorkflowExecution"]) == ("rr-1", "we-rr-1")


def test_the_same_workflow_is_skipped_in_the_last_second_of_its_cooldown(stage: Stage) -> None:
    stage.remedied("rr-1")
    over = parse_time(stage.execution("we-rr-1")["status"]["completionTime"]) + timedelta(seconds=300)
    stage.run((over - stage.clock.utcnow()).total_seconds() - 10).signal("rr-2").signal("rr-3").run(9.9)
    stage.answer("ai-rr-2").run(0.09)
    assert stage.status("rr-2")["skipReason"] == "RecentlyRemediated"
    stage.run(0.01).answer("ai-rr-3").run(1)
    assert stage.phase("rr-3") == "Executing"


def test_a_different_workflow_passes_within_the_cooldown(stage: Stage) -> None:
    stage.remedied("rr-1")
    stage.signal("rr-2").run(1).answer("ai-rr-2", workflow="scale-up").run(1)
    assert stage.phase("rr-2") == "Executing"


def test_the_same_workflow_passes_after_the_cooldown(stage: Stage) -> None:
    stage.remedied("rr-1").run(300)
    stage.signal("rr-2").run(1).answer("ai-rr-2").run(1)
    assert stage.phase("rr-2") == "Executing"


def test_an_execution_failure_blocks_the_target_until_somebody_clears_it(stage: Stage) -> None:
    stage.signal("rr-1").run(1).answer().run(1)
    stage.execution_ends("we-rr-1", "Failed", wasExecutionFailure=True).run(1)
    assert (stage.phase("rr-1"), stage.status("rr-1")["requiresManualReview"]) == ("Failed", True)
    stage.signal("rr-2").run(1)
    status = stage.status("rr-2")
    assert (status["overallPhase"], status["skipReason"]) == ("Failed", "PreviousExecutionFailed")
    assert status["outcome"] == "ManualReviewRequired"
    assert stage.notifications() == ["nr-manual-review-rr-1", "nr-manual-review-rr-2"]
    stage.annotate(WORKFLOW_EXECUTIONS, "we-rr-1", CLEAR_BLOCK, "checked by hand").run(1)
    stage.signal("rr-3").run(1)
    assert stage.phase("rr-3") == "Analyzing"


def test_failures_before_the_run_delay_the_next_execution(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0))
    fail_before_run(stage)
    assert stage.phase() == "Failed"
    stage.signal("rr-2").run(1)
    status = stage.status("rr-2")
    assert (status["overallPhase"], status["blockReason"]) == ("Blocked", "ExponentialBackoff")
    assert status["blockedUntil"] == status["nextAllowedExecution"]
    ended = parse_time(stage.execution("we-rr-1")["status"]["completionTime"])
    assert 60 <= (parse_time(status["blockedUntil"]) - ended).total_seconds() <= 67
    stage.until(lambda: stage.phase("rr-2") == "Analyzing", 70)
    assert stage.clock.utcnow() >= parse_time(status["blockedUntil"])
    assert "blockReason" not in stage.status("rr-2")


def test_too_many_failures_before_the_run_call_for_a_person(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0))
    for number in range(5):
        fail_before_run(stage, f"rr-{number}")
    stage.signal("rr-last").run(1)
    status = stage.status("rr-last")
    assert (status["overallPhase"], status["skipReason"]) == ("Failed", "ExhaustedRetries")
    assert (status["consecutiveFailureCount"], status["requiresManualReview"]) == (5, True)
    assert "nr-manual-review-rr-last" in stage.notifications()


def test_an_older_request_for_the_same_signal_stands_for_its_duplicates(stage: Stage) -> None:
    stage.signal("rr-1", about="disk full").run(1.5)
    stage.signal("rr-2", about="disk full").signal("rr-3", about="disk full").run(1)
    for name in ("rr-2", "rr-3"):
        status = stage.status(name)
        assert (status["skipReason"], status["duplicateOf"]) == ("DuplicateInProgress", "rr-1")
    assert stage.status("rr-1")["duplicateRefs"] == ["rr-2", "rr-3"]
    assert stage.status("rr-1")["duplicateCount"] == 2
    stage.answer().run(1).execution_ends().run(20)
    assert stage.notifications() == ["nr-bulk-rr-1"]
    assert stage.notification("nr-bulk-rr-1")["spec"]["metadata"]["duplicateCount"] == "2"


def test_waiting_requests_execute_when_the_target_is_free(make_stage: Make) -> None:
    stage = make_stage(Settings(on_busy="wait"))
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    assert (stage.phase("rr-2"), stage.status("rr-2")["blockReason"]) == ("Blocked", "ResourceBusy")
    stage.execution_ends("we-rr-1").run(1)
    assert stage.phase("rr-2") == "Analyzing"
    stage.answer("ai-rr-2").run(1)
    assert (stage.phase("rr-2"), stage.status("rr-2")["blockReason"]) == ("Blocked", "RecentlyRemediated")
    stage.until(lambda: stage.phase("rr-2") == "Executing", 300)


def test_waiting_duplicates_begin_when_the_original_ends(make_stage: Make) -> None:
    stage = make_stage(Settings(on_busy="wait"))
    stage.signal("rr-1", about="disk").run(1.5).signal("rr-2", about="disk").run(1)
    assert stage.status("rr-2")["duplicateOf"] == "rr-1"
    stage.answer(selectedWorkflow=None, reason="WorkflowNotNeeded").run(1)
    assert stage.status("rr-1")["outcome"] == "NoActionRequired"
    assert stage.phase("rr-2") == "Analyzing"


@pytest.mark.parametrize(
    ("reason", "phase", "review"),
    [
        ("ResourceBusy", "Skipped", None),
        ("RecentlyRemediated", "Skipped", None),
        ("ExhaustedRetries", "Failed", True),
        ("PreviousExecutionFailed", "Failed", True),
    ],
)
def test_what_an_executor_of_v31_skipped_is_honoured(
    stage: Stage, reason: str, phase: str, review: bool | None
) -> None:
    stage.signal().run(1).answer().run(1)
    stage.v31_skips("we-rr-1", reason).run(1)
    status = stage.status()
    assert (status["overallPhase"], status["skipReason"]) == (phase, reason)
    assert status.get("requiresManualReview") == review


def test_a_request_is_never_in_its_own_way(stage: Stage) -> None:
    stage.signal().run(1).answer().run(1)
    stage.restart()
    stage.run(40)
    assert stage.phase() == "Executing"
