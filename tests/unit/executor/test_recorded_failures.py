"""What real Tekton controllers left behind after each failure, and what we make of it."""

import json
from pathlib import Path

import pytest
from run_of_documents import NAME, Run

ENDS = json.loads((Path(__file__).parent / "recorded_ends.json").read_text("utf-8"))
BOTH = ("v1.7.0", "v1.15.0")
OLD, NEW = (BOTH[0],), (BOTH[1],)

# situation, versions, reason, wasExecutionFailure, task, step, exit code
TABLE = [
    ("oomkilled-step", BOTH, "OOMKilled", True, "run", "a", 137),
    ("oomkilled-child-exit255", BOTH, "OOMKilled", True, "run", "a", 255),
    ("oom-init-container", BOTH, "OOMKilled", False, "run", None, None),
    ("fail-step2of3", BOTH, "TaskFailed", True, "run", "b", 1),
    ("parallel-one-fails", BOTH, "TaskFailed", True, "p1", "a", 1),
    ("step-timeout", BOTH, "DeadlineExceeded", True, "run", "b", 1),
    ("pod-deleted-running", BOTH, "TaskFailed", True, "run", "a", 137),
    ("pipeline-timeout-5s", BOTH, "DeadlineExceeded", True, "run", "a", None),
    ("pipeline-timeout-with-finally", BOTH, "DeadlineExceeded", True, "run", "a", None),
    ("taskrun-count-quota", BOTH, "DeadlineExceeded", False, "", None, None),
    ("quota-pods-exceeded-pipeline-timeout", OLD, "DeadlineExceeded", False, "run", None, None),
    ("quota-pods-exceeded-pipeline-timeout", NEW, "ResourceExhausted", False, "run", None, None),
    ("unschedulable-cpu-until-timeout", OLD, "DeadlineExceeded", False, "run", None, None),
    ("unschedulable-cpu-until-timeout", NEW, "ResourceExhausted", False, "run", None, None),
    ("init-image-pull-backoff", OLD, "DeadlineExceeded", False, "run", "a", None),
    ("init-image-pull-backoff", NEW, "ImagePullBackOff", False, "run", "a", None),
    ("image-pull-backoff", BOTH, "ImagePullBackOff", False, "run", "a", None),
    ("image-pull-backoff-recovers-1.2s", BOTH, "ImagePullBackOff", False, "run", "a", None),
    ("invalid-image-name", BOTH, "ImagePullBackOff", False, "run", "a", None),
    ("create-container-config-error", BOTH, "ConfigurationError", False, "run", "a", None),
    ("missing-service-account", BOTH, "ConfigurationError", False, "run", None, None),
    ("missing-param", BOTH, "ConfigurationError", False, "", None, None),
    ("missing-taskref", BOTH, "ConfigurationError", False, "", None, None),
    ("missing-pipelineref", BOTH, "ConfigurationError", False, "", None, None),
    ("bundle-denied-403", BOTH, "ImagePullBackOff", False, "", None, None),
    ("bundle-manifest-unknown", BOTH, "ImagePullBackOff", False, "", None, None),
    ("bundle-dns-failure", BOTH, "ImagePullBackOff", False, "", None, None),
    ("bundle-registry-unreachable", BOTH, "ImagePullBackOff", False, "", None, None),
    ("cancel", BOTH, "Unknown", True, "run", "a", None),
    ("cancel-with-finally-plain", BOTH, "Unknown", True, "run", "a", None),
    ("cancelled-run-finally", BOTH, "Unknown", True, "run", "a", None),
    ("cancel-immediately", BOTH, "Unknown", False, "run", None, None),
    ("taskrun-cancelled-individually", BOTH, "Unknown", True, "run", "a", None),
]
ROWS = [(f"{version}/{name}", *expected) for name, versions, *expected in TABLE for version in versions]


def recorded(name: str) -> Run:
    end = ENDS[name]
    run = Run(end["pipelineRun"])
    for task_run, status in end["taskRuns"].items():
        run.objects["taskruns", task_run] = {"metadata": {"name": task_run}, "status": status}
    return run


@pytest.mark.parametrize(("name", "reason", "started", "task", "step", "exit_code"), ROWS, ids=[row[0] for row in ROWS])
def test_a_recorded_failure_is_named_and_placed(
    name: str, reason: str, started: bool, task: str, step: str | None, exit_code: int | None
) -> None:
    cause = recorded(name).cause()
    assert (cause.reason, cause.started) == (reason, started)
    assert (cause.task_name, cause.step_name, cause.exit_code) == (task, step, exit_code)
    assert cause.message
    assert cause.task_index == 0


def test_every_recorded_failure_is_in_the_table() -> None:
    assert sorted(ENDS) == sorted(row[0] for row in ROWS)


def test_the_message_of_a_failed_task_is_the_taskruns_not_the_counters() -> None:
    assert recorded("v1.15.0/oomkilled-step").cause().message == '"step-a" exited with code 137: OOMKilled'
    config = recorded("v1.7.0/create-container-config-error").cause().message
    assert config == 'Failed to create pod due to config error: configmap "missing" not found'


def test_a_cancelled_run_says_that_it_was_cancelled() -> None:
    assert recorded("v1.7.0/cancel").cause().message == f'PipelineRun "{NAME}" was cancelled'
    assert "was cancelled" in recorded("v1.7.0/taskrun-cancelled-individually").cause().message
