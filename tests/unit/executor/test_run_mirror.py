"""Mirroring the PipelineRun, and what is written when it ends."""

import asyncio
from collections.abc import Callable

import pytest
from executor_stage import LOCK, RUNS, Stage

from controller.api.resources import PIPELINE_RUNS, TASK_RUNS
from controller.executor.settings import Settings
from sim.apiserver.identity import ADMIN
from sim.workload.distributions import Constant

Make = Callable[..., Stage]


def test_progress_is_mirrored_with_tasks_really_counted(stage: Make) -> None:
    s = stage().request().run(1).progress(0, 3).run(1)
    assert s.status()["pipelineRunStatus"]["totalTasks"] == 3
    s.progress(2, 3).run(1)
    mirrored = s.status()["pipelineRunStatus"]
    assert (mirrored["completedTasks"], mirrored["status"], mirrored["reason"]) == (2, "Unknown", "Running")
    assert s.condition("TektonPipelineRunning")["status"] == "True"


def test_the_final_pipelinerun_status_is_kept(stage: Make) -> None:
    """Upstream reads the object afresh before it marks the end and so loses it."""
    s = stage().request().run(1).progress(0, 3).run(1).succeed(3).run(1)
    final = s.status()["pipelineRunStatus"]
    assert (final["status"], final["reason"], final["completedTasks"], final["totalTasks"]) == (
        "True",
        "Succeeded",
        3,
        3,
    )
    s = stage().request().run(1).fail().run(1)
    assert s.status()["pipelineRunStatus"]["reason"] == "Failed"


def test_words_that_change_without_progress_are_mirrored_at_the_poll(stage: Make) -> None:
    s = stage().request().run(1).report("Unknown", "ResolvingPipelineRef", "awaiting").run(2)
    assert "pipelineRunStatus" not in s.status()
    s.run(25)
    assert s.status()["pipelineRunStatus"]["reason"] == "ResolvingPipelineRef"


def test_completion_takes_time_and_duration_from_the_pipelinerun(stage: Make) -> None:
    s = stage().request().run(90).succeed().run(1)
    status = s.status()
    assert status["completionTime"] == s.pipeline_run()["status"]["completionTime"]
    assert status["duration"] == "1m30s"
    assert s.condition("TektonPipelineComplete")["message"] == "All tasks completed successfully in 1m30s"


def test_a_failure_is_explained_in_every_field(stage: Make) -> None:
    s = stage()
    s.logs.text = 'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:x:y" cannot list'
    s.request().run(45).fail().run(1)
    status = s.status()
    details = status["failureDetails"]
    assert (s.phase(), details["reason"], details["wasExecutionFailure"]) == ("Failed", "Forbidden", True)
    assert (details["failedTaskIndex"], details["failedTaskName"], details["failedStepName"]) == (0, "apply", "a")
    assert (details["exitCode"], details["executionTimeBeforeFailure"]) == (1, "45s")
    assert details["failedAt"] == status["completionTime"]
    assert "kubernaut-workflow-runner" in details["naturalLanguageSummary"]
    assert s.condition("TektonPipelineComplete")["status"] == "False"


def test_the_deprecated_failure_reason_is_still_written(stage: Make) -> None:
    s = stage().request().run(1).fail().run(1)
    details = s.status()["failureDetails"]
    assert s.status()["failureReason"] == f"{details['reason']}: {details['message']}"
    s = stage().request(target="nonsense").run(1)
    assert s.status()["failureReason"].startswith("ConfigurationError: targetResource")


def test_a_deleted_pipelinerun_fails_the_execution_whose_steps_may_have_run(stage: Make) -> None:
    s = stage().request().run(1).progress(0, 1).run(1)
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.run(1)
    details = s.status()["failureDetails"]
    assert (s.phase(), details["reason"], details["message"], details["wasExecutionFailure"]) == (
        "Failed",
        "Unknown",
        "PipelineRun was deleted externally",
        True,
    )


def test_a_pipelinerun_that_another_replaced_counts_as_deleted(stage: Make) -> None:
    s = stage().request().run(1)
    s.server.delete(ADMIN, PIPELINE_RUNS, RUNS, LOCK)
    s.put(PIPELINE_RUNS, LOCK)
    s.run(15)
    assert s.status()["failureDetails"]["message"] == "PipelineRun was deleted externally"


def test_a_cache_that_has_not_seen_the_new_run_is_not_taken_for_a_deletion(stage: Make) -> None:
    s = stage(watch_lag=Constant(40_000_000))
    s.run(60).request().run(90)
    assert s.phase() == "Running"
    assert len(s.created) == 1


def test_the_end_is_seen_by_the_watch_long_before_the_poll(stage: Make) -> None:
    s = stage(Settings(poll_s=10_000)).request().run(1).succeed().run(0.2)
    assert s.phase() == "Completed"


def test_the_poll_sees_an_end_that_the_watch_is_late_with(stage: Make) -> None:
    s = stage(watch_lag=Constant(50_000_000))
    s.run(60).request().run(60)
    assert s.phase() == "Running"
    s.succeed().run(15)
    assert s.phase() == "Completed"


def test_a_timed_out_run_waits_for_its_taskruns_to_show_their_end(stage: Make) -> None:
    s = stage().request().run(5)
    s.task_run("apply", "Unknown", "Running", "Not all Steps", 0)
    s.report(
        "False",
        "PipelineRunTimeout",
        f'PipelineRun "{LOCK}" failed to finish within "5s"',
        childReferences=[s.child("apply")],
    )
    s.run(0.1)
    assert s.phase() == "Running"
    message = f'TaskRun "{LOCK}-apply" was cancelled. \nPrevious status: [ExceededResourceQuota] quota'
    ended = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "TaskRunCancelled", "message": message}]}
    s.server.patch(ADMIN, TASK_RUNS, RUNS, f"{LOCK}-apply", {"status": ended}, subresource="status")
    s.run(1)
    assert s.status()["failureDetails"]["reason"] == "ResourceExhausted"


def test_taskruns_that_never_end_do_not_hold_up_the_verdict(stage: Make) -> None:
    s = stage().request().run(5)
    s.task_run("apply", "Unknown", "Running", "Not all Steps", 0)
    s.report("False", "PipelineRunTimeout", "failed to finish", childReferences=[s.child("apply")]).run(5)
    assert s.status()["failureDetails"]["reason"] == "DeadlineExceeded"


def test_execution_config_reaches_the_pipelinerun(stage: Make) -> None:
    """Upstream ignores both fields and leaves Tekton its hour."""
    s = stage().request(executionConfig={"timeout": "10m", "serviceAccountName": "careful"}).run(1)
    spec = s.pipeline_run()["spec"]
    assert (spec["timeouts"], spec["taskRunTemplate"]) == ({"pipeline": "10m"}, {"serviceAccountName": "careful"})
    s = stage().request().run(1)
    spec = s.pipeline_run()["spec"]
    assert spec["timeouts"] == {"pipeline": "30m"}
    assert spec["taskRunTemplate"] == {"serviceAccountName": "kubernaut-workflow-runner"}


def test_metrics_and_events_of_both_outcomes(stage: Make) -> None:
    s = stage().request().run(30).succeed().run(1)
    assert s.metric("pipelinerun_creations_total") == 1
    assert s.metric("total", outcome="Completed") == 1
    assert s.metric("duration_seconds_sum", outcome="Completed") == 30
    assert len(s.events("WorkflowCompleted")) == 1
    s = stage().request(target="bad").run(1)
    assert (s.metric("total", outcome="Failed"), s.metric("duration_seconds_sum", outcome="Failed")) == (1, 0)
    assert s.events("WorkflowFailed")[0]["message"].startswith("Pre-execution failure: ConfigurationError - ")


def test_the_audit_trail_tells_selection_start_and_end(stage: Make) -> None:
    s = stage().request().run(1).fail().run(1)
    assert s.audited() == [
        "workflowexecution.selection.completed",
        "workflowexecution.execution.started",
        "workflowexecution.workflow.failed",
    ]
    assert s.condition("AuditRecorded")["status"] == "True"


class Broken:
    async def record(self, event: object) -> None:
        raise RuntimeError("database is\x00 down")


class Hanging:
    async def record(self, event: object) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize("sink", [Broken, Hanging])
def test_an_audit_outage_costs_no_work_and_is_told(stage: Make, sink: type) -> None:
    s = stage(Settings(cooldown_s=5), audit=sink()).request().run(10).succeed().run(60)
    assert (s.phase(), s.pipeline_run()) == ("Completed", None)
    told = s.condition("AuditRecorded")
    assert (told["status"], told["reason"]) == ("False", "AuditFailed")
    assert told["message"].isprintable()
    s.withdraw().run(10)
    assert s.execution() is None


def test_observed_generation_is_written(stage: Make) -> None:
    s = stage().request().run(1)
    assert s.status()["observedGeneration"] == s.execution()["metadata"]["generation"]


class Forgetful:
    """Refuses the first event only."""

    def __init__(self) -> None:
        self.asked = 0

    async def record(self, event: object) -> None:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("not yet")


def test_a_gap_in_the_audit_trail_is_told_even_when_the_next_event_is_taken(stage: Make) -> None:
    s = stage(audit=Forgetful()).request().run(1)
    assert s.condition("AuditRecorded")["status"] == "False"
    s.succeed().run(1)
    assert s.condition("AuditRecorded")["status"] == "True"
