"""Counting tasks."""

from typing import Any

import pytest

from controller.executor.progress import pipeline_run_status


def run(message: str, status: str = "Unknown", **more: Any) -> dict[str, Any]:
    return {
        "status": {"conditions": [{"type": "Succeeded", "status": status, "reason": "R", "message": message}], **more}
    }


@pytest.mark.parametrize(
    ("message", "completed", "total"),
    [
        ("Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 3, Skipped: 0", 0, 3),
        ("Tasks Completed: 2 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0", 2, 3),
        ("Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1", 1, 3),
        ("Tasks Completed: 2 (Failed: 1 (Ignored: 1), Cancelled 0), Skipped: 1", 1, 3),
        ("Tasks Completed: 3 (Failed: 1, Cancelled 1), Incomplete: 1, Skipped: 0", 1, 4),
        ("Tasks Completed: 0 (Failed: 0, Cancelled 0), Skipped: 1", 0, 1),
        ("Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0, Failed Validation: 1", 1, 1),
    ],
)
def test_only_tasks_that_ended_well_are_completed_and_skipped_ones_are_in_the_total(
    message: str, completed: int, total: int
) -> None:
    seen = pipeline_run_status(run(message))
    assert (seen["completedTasks"], seen["totalTasks"]) == (completed, total)


def test_without_counters_the_taskruns_are_counted() -> None:
    tasks = {"tasks": [{"name": "a"}, {"name": "b"}], "finally": [{"name": "c"}]}
    timed_out = run('PipelineRun "x" failed to finish within "5s"', "False", pipelineSpec=tasks)
    done = run("All Steps have completed executing", "True")
    seen = pipeline_run_status(timed_out, [done, run("", "False")])
    assert (seen["completedTasks"], seen["totalTasks"], seen["status"]) == (1, 3, "False")


def test_a_run_without_a_status_is_unknown() -> None:
    assert pipeline_run_status({}) == {"status": "Unknown", "completedTasks": 0, "totalTasks": 0}


def test_the_message_is_bounded_and_on_one_line() -> None:
    message = pipeline_run_status(run("a\nb" + "x" * 5000))["message"]
    assert message.startswith("a b")
    assert len(message) == 1024
