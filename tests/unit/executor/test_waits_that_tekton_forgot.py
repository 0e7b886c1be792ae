"""A task that waited until the time was over: Tekton before 1.12 tells why only in Events."""

from typing import Any

from run_of_documents import NAME, Run, condition, step

TIMED_OUT = condition("False", "PipelineRunTimeout", f'PipelineRun "{NAME}" failed to finish within "5s"')
CANCELLED = condition("False", "TaskRunCancelled", f'TaskRun "{NAME}-apply" was cancelled.')
QUOTA = f'TaskRun Pod exceeded available resources: pods "{NAME}-apply-pod" is forbidden: exceeded quota: small'


def event(reason: str, message: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"reason": reason, "message": message, "lastTimestamp": at}


def waiting(*events: dict[str, Any], pod: str = "") -> Run:
    run = Run({**TIMED_OUT}).task("apply", {**CANCELLED, "podName": pod})
    run.events = list(events)
    return run


def test_what_a_task_without_a_pod_waited_for_is_told_beside_the_timeout() -> None:
    cause = waiting(event("Started", ""), event("ExceededResourceQuota", QUOTA)).cause()
    assert (cause.reason, cause.started) == ("DeadlineExceeded", False)
    assert cause.message == f'PipelineRun "{NAME}" failed to finish within "5s"; it waited: {QUOTA}'
    assert cause.recommendation == "Free quota or node capacity before another try."


def test_the_last_of_several_waits_is_told() -> None:
    first = event("ExceededNodeResources", "no node", "2026-01-01T00:00:01Z")
    last = event("ExceededResourceQuota", "no quota", "2026-01-01T00:00:09Z")
    assert waiting(last, first).cause().message.endswith("; it waited: no quota")


def test_what_kept_its_pod_from_a_node_is_told_too() -> None:
    assert waiting(event("ExceededNodeResources", "no node"), pod="p").cause().message.endswith("; it waited: no node")


def test_a_task_that_had_begun_did_not_wait() -> None:
    run = Run({**TIMED_OUT}).task("apply", CANCELLED, step("a", 1, "Error"))
    run.events = [event("ExceededResourceQuota", QUOTA)]
    assert "it waited" not in run.cause().message
    assert "list events" not in run.asked


def test_without_events_the_timeout_stands_alone() -> None:
    assert waiting(event("Started", "")).cause().message == f'PipelineRun "{NAME}" failed to finish within "5s"'


def test_what_kept_tekton_from_making_the_tasks_is_told() -> None:
    run = Run({**TIMED_OUT})
    run.events = [event("InternalError", "x"), event("TaskRunsCreationFailed", "exceeded quota: tasks")]
    cause = run.cause()
    assert (cause.reason, cause.started, cause.task_name) == ("DeadlineExceeded", False, "")
    assert cause.message.endswith("; it waited: exceeded quota: tasks")


def test_events_of_an_earlier_object_of_that_name_are_left_out() -> None:
    run = waiting(event("ExceededResourceQuota", QUOTA, "2026-01-01T00:00:00Z"))
    run.objects["taskruns", f"{NAME}-apply"]["metadata"]["creationTimestamp"] = "2026-01-01T00:05:00Z"
    assert "it waited" not in run.cause().message


def test_an_out_of_memory_event_of_an_earlier_pod_of_that_name_is_left_out() -> None:
    killed = condition("False", "StepFailed", '"step-a" exited with code 137: Error')
    run = Run().task("apply", killed, step("a", 137, "Error"))
    run.events = [event("OOMKilling", "", "2026-01-01T00:00:00Z")]
    assert run.cause().reason == "OOMKilled"
    run.objects["taskruns", f"{NAME}-apply"]["metadata"]["creationTimestamp"] = "2026-01-01T00:05:00Z"
    assert run.cause().reason == "TaskFailed"


def test_a_task_that_its_cancelled_pipeline_left_running_is_named() -> None:
    run = Run(condition("False", "Cancelled", f'PipelineRun "{NAME}" was cancelled'))
    run.task("apply", condition("Unknown", "Pending", "Pending"))
    cause = run.cause()
    assert (cause.reason, cause.started, cause.goes_on) == ("Unknown", True, f"{NAME}-apply")
