"""A run that took over TaskRuns of an earlier one: what it did not do is not reported as done."""

from collections.abc import Callable
from typing import Any

import pytest
from executor_stage import LOCK, Stage
from run_of_documents import Run, condition, step

from controller.api.resources import TASK_RUNS

Make = Callable[..., Stage]
EARLIER, CREATED, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", "2026-01-01T00:06:00Z"
SUCCEEDED = condition("True", "Succeeded", "All Steps have completed executing")
FAILED = condition("False", "Failed", '"step-a" exited with code 1: Error')


def adopting(*tasks: tuple[str, str, dict[str, Any], dict[str, Any]]) -> Run:
    """A run created at CREATED whose tasks are (name, uid of the run it was made for, status, step)."""
    run = Run()
    run.pipeline_run["metadata"]["creationTimestamp"] = CREATED
    run.pipeline_run["status"]["startTime"] = EARLIER
    for name, uid, status, ended in tasks:
        run.task(name, status, ended)
        run.objects["taskruns", f"wfe-0123456789abcdef-{name}"]["metadata"]["labels"]["tekton.dev/pipelineRunUID"] = uid
    return run


def test_the_outcome_of_an_earlier_run_is_not_taken_for_that_of_this_one() -> None:
    old = {**FAILED, "completionTime": EARLIER}
    cause = adopting(("apply", "before", old, step("a", 1, "Error"))).cause()
    assert (cause.reason, cause.started, cause.task_name) == ("ExecutionRaceCondition", False, "apply")
    assert "wfe-0123456789abcdef-apply had been left behind by an earlier run" in cause.message
    assert "no task of this run was executed" in cause.message
    assert (cause.step_name, cause.exit_code) == (None, None)
    assert cause.recommendation.startswith("Delete TaskRun wfe-0123456789abcdef-apply")


def test_a_leftover_that_still_worked_when_the_run_began_may_have_changed_something() -> None:
    old = {**FAILED, "completionTime": LATER}
    cause = adopting(("apply", "before", old, step("a", 1, "Error"))).cause()
    assert (cause.reason, cause.started) == ("ExecutionRaceCondition", True)


def test_a_failure_of_its_own_is_blamed_before_a_leftovers() -> None:
    old = {**FAILED, "completionTime": EARLIER}
    cause = adopting(
        ("check", "before", old, step("a", 1, "Error")), ("apply", "u", FAILED, step("a", 2, "Error"))
    ).cause()
    assert (cause.reason, cause.task_name, cause.exit_code, cause.started) == ("TaskFailed", "apply", 2, True)
    assert "check had been left behind by an earlier run" in cause.message


def test_a_leftover_is_known_by_its_owner_where_no_label_tells() -> None:
    run = Run().task("apply", {**FAILED, "completionTime": EARLIER}, step("a", 1, "Error"))
    run.pipeline_run["metadata"]["creationTimestamp"] = CREATED
    metadata = run.objects["taskruns", "wfe-0123456789abcdef-apply"]["metadata"]
    metadata["ownerReferences"] = [{"kind": "PipelineRun", "uid": "before", "controller": True}]
    assert run.cause().reason == "ExecutionRaceCondition"
    metadata["ownerReferences"][0]["uid"] = "u"
    assert run.cause().reason == "TaskFailed"


def test_a_step_older_than_its_taskrun_ran_in_the_pod_of_an_earlier_run() -> None:
    killed = step("a", 137, "Error", terminated={"exitCode": 137, "reason": "Error", "startedAt": EARLIER})
    run = Run().task("apply", condition("False", "Failed", '"step-a" exited with code 137: Error'), killed)
    metadata = run.objects["taskruns", "wfe-0123456789abcdef-apply"]["metadata"]
    metadata["creationTimestamp"] = CREATED
    cause = run.cause()
    assert (cause.reason, cause.started) == ("TaskFailed", True)
    assert "the dying pod of an earlier run" in cause.message
    metadata["creationTimestamp"] = EARLIER
    assert "earlier run" not in run.cause().message


def succeeded_in_no_time(s: Stage, uid: str | None) -> Stage:
    """The run succeeds with one task, made for the run ``uid``, that is older than the run itself."""
    labels = {} if uid is None else {"tekton.dev/pipelineRunUID": uid}
    s.put(TASK_RUNS, f"{LOCK}-apply", metadata={"labels": labels}, status={**SUCCEEDED, "completionTime": EARLIER})
    message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"
    s.report("True", "Succeeded", message, startTime="2020-01-01T00:00:00Z", childReferences=[s.child("apply")])
    return s.run(1)


def test_success_by_leftovers_alone_is_not_completed(stage: Make) -> None:
    s = succeeded_in_no_time(stage().request().run(5), "before")
    details = s.status()["failureDetails"]
    assert s.phase() == "Failed"
    assert (details["reason"], details["wasExecutionFailure"]) == ("ExecutionRaceCondition", False)
    assert f"Recommendation: Delete TaskRun {LOCK}-apply" in details["naturalLanguageSummary"]
    assert s.status()["pipelineRunStatus"]["status"] == "True"


def test_clocks_that_differ_do_not_fail_a_run_whose_tasks_are_its_own(stage: Make) -> None:
    s = stage().request().run(5)
    assert succeeded_in_no_time(s, s.pipeline_run()["metadata"]["uid"]).phase() == "Completed"


def test_a_success_that_began_before_its_run_is_not_believed_when_its_tasks_are_gone(stage: Make) -> None:
    s = stage().request().run(5)
    message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"
    s.report("True", "Succeeded", message, startTime="2020-01-01T00:00:00Z", childReferences=[s.child("apply")]).run(1)
    details = s.status()["failureDetails"]
    assert (details["reason"], details["wasExecutionFailure"]) == ("ExecutionRaceCondition", True)


def test_an_ordinary_success_costs_no_look_at_its_tasks(stage: Make) -> None:
    s = stage().request().run(5).succeed().run(1)
    assert s.phase() == "Completed"
    assert "get taskruns" not in s.calls()


@pytest.mark.parametrize(
    ("text", "advised"),
    [
        ('"n/bundles-1": missing required git resolver params: pathInRepo', True),
        ('"n/bundles-1": failed to validate params: missing required hub resolver params: version', True),
        ('"n/bundles-1": parameter "bundle" required', False),
        ('"n/bundles-1": error getting "clusterresolver" "n/bundles-1": the server could not find it', True),
        ('"n/bundles-1": error getting "bundleresolver" "n/bundles-1": cannot retrieve the layer', False),
        ('"n/git-1": missing required git resolver params: pathInRepo', False),
    ],
)
def test_a_request_failed_by_a_foreign_resolver_is_told_as_nobodys_fault(text: str, advised: bool) -> None:
    cause = Run(condition("False", "CouldntGetPipeline", f"Error: invalid resource request {text}")).cause()
    assert cause.reason == "ConfigurationError"
    assert cause.recommendation.startswith("Try again") is advised
