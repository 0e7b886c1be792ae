"""What a recovery is told: the executor's ``failureDetails`` in the analyst's ``previousExecutions``, row by row."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import Stage

from controller.api.aianalysis import AIAnalysis
from controller.orchestrator.recovery import previous_execution, whole_history

Make = Callable[..., Stage]
DETAILS = {
    "failedTaskIndex": 1,
    "failedTaskName": "apply-memory-increase",
    "failedStepName": "kubectl-patch",
    "reason": "Forbidden",
    "message": "RBAC denied: cannot patch deployments.apps in namespace payment",
    "exitCode": 1,
    "failedAt": "2025-12-01T10:15:45Z",
    "executionTimeBeforeFailure": "45s",
    "naturalLanguageSummary": "Task 'apply-memory-increase' (step 2 of 3) failed after 45s.\nGrant patch permission.",
    "wasExecutionFailure": False,
}
ROWS = [
    ("failedTaskIndex", "failure.failedStepIndex"),
    ("failedTaskName", "failure.failedStepName"),
    ("reason", "failure.reason"),
    ("message", "failure.message"),
    ("exitCode", "failure.exitCode"),
    ("failedAt", "failure.failedAt"),
    ("executionTimeBeforeFailure", "failure.executionTime"),
    ("naturalLanguageSummary", "naturalLanguageSummary"),
    ("wasExecutionFailure", "wasExecutionFailure"),
]


def execution(**details: Any) -> dict[str, Any]:
    given = {key: value for key, value in {**DETAILS, **details}.items() if value is not None}
    reference = {"workflowId": "w", "version": "1", "containerImage": "i", "containerDigest": "sha256:ab"}
    spec = {"workflowRef": reference, "parameters": {"A_b": "ä"}, "rationale": "because"}
    return {"metadata": {"name": "we-rr-1"}, "spec": spec, "status": {"phase": "Failed", "failureDetails": given}}


def analysis(**spec: Any) -> dict[str, Any]:
    return {"spec": spec, "status": {"rootCauseAnalysis": {"summary": "out of memory"}}}


def at(element: Any, path: str) -> Any:
    for key in path.split("."):
        element = element[key]
    return element


@pytest.mark.parametrize(("ours", "theirs"), ROWS, ids=lambda each: each)
def test_each_row_of_the_mapping_table(ours: str, theirs: str) -> None:
    assert at(previous_execution(execution(), analysis()), theirs) == DETAILS[ours]


@pytest.mark.parametrize(("ours", "theirs"), ROWS[:4], ids=lambda each: each)
def test_zero_and_nothing_are_values(ours: str, theirs: str) -> None:
    empty: Any = 0 if ours == "failedTaskIndex" else ""
    assert at(previous_execution(execution(**{ours: empty}), analysis()), theirs) == empty


def test_what_the_executor_does_not_say_is_left_out() -> None:
    element = previous_execution(execution(exitCode=None, naturalLanguageSummary=None), None)
    assert "exitCode" not in element["failure"]
    assert not {"naturalLanguageSummary", "originalRCA"} & set(element)


def test_the_workflow_goes_along_with_its_parameters_as_they_were() -> None:
    element = previous_execution(execution(), analysis())
    assert element["workflowExecutionRef"] == "we-rr-1"
    assert element["originalRCA"] == {"summary": "out of memory"}
    assert element["selectedWorkflow"] == {
        "workflowId": "w",
        "version": "1",
        "containerImage": "i",
        "parameters": {"A_b": "ä"},
        "rationale": "because",
    }


def test_the_history_grows_at_its_end() -> None:
    earlier = [{"workflowExecutionRef": "we-0"}]
    told = whole_history(execution(), analysis(previousExecutions=earlier))
    assert [one["workflowExecutionRef"] for one in told] == ["we-0", "we-rr-1"]
    assert told[0] is earlier[0]
    assert [one["workflowExecutionRef"] for one in whole_history(execution(), None)] == ["we-rr-1"]


def test_the_third_recovery_hears_of_all_three_failures_oldest_first(make_stage: Make) -> None:
    stage = make_stage().signal().run(1).answer(workflow="w-0", selected={"parameters": {"P": "0"}}).run(1)
    for attempt, reason in enumerate(("Forbidden", "ImagePullBackOff", "ResourceExhausted")):
        suffix = f"-recovery-{attempt}" if attempt else ""
        stage.until(lambda: stage.phase() == "Executing", 700)
        details = {"reason": reason, "exitCode": attempt, "naturalLanguageSummary": f"story {attempt}"}
        stage.execution_ends(f"we-rr-1{suffix}", "Failed", **details).run(1)
        document = stage.analysis(f"rr-1-recovery-{attempt + 1}")
        AIAnalysis.model_validate({key: document[key] for key in ("apiVersion", "kind", "metadata", "spec")})
        chosen = {"workflow": f"w-{attempt + 1}", "selected": {"parameters": {"P": str(attempt + 1)}}}
        stage.answer(f"rr-1-recovery-{attempt + 1}", **chosen)
    spec = stage.analysis("rr-1-recovery-3")["spec"]
    assert (spec["isRecoveryAttempt"], spec["recoveryAttemptNumber"]) == (True, 3)
    told = spec["previousExecutions"]
    assert [one["workflowExecutionRef"] for one in told] == ["we-rr-1", "we-rr-1-recovery-1", "we-rr-1-recovery-2"]
    assert [one["selectedWorkflow"]["workflowId"] for one in told] == ["w-0", "w-1", "w-2"]
    assert [one["selectedWorkflow"]["parameters"]["P"] for one in told] == ["0", "1", "2"]
    assert [one["failure"]["reason"] for one in told] == ["Forbidden", "ImagePullBackOff", "ResourceExhausted"]
    assert [one["failure"]["exitCode"] for one in told] == [0, 1, 2]
    assert [one["naturalLanguageSummary"] for one in told] == ["story 0", "story 1", "story 2"]
    assert {one["wasExecutionFailure"] for one in told} == {False}
    assert {one["originalRCA"]["summary"] for one in told} == {"the process runs out of memory"}


def test_a_recovery_that_was_lost_in_a_crash_is_told_the_same(make_stage: Make) -> None:
    stage = make_stage().signal().run(1).answer().run(1)
    stage.processes[-1].kill()
    stage.execution_ends(phase="Failed", reason="Forbidden").run(5).start()
    stage.run(2)
    assert [one["failure"]["reason"] for one in stage.analysis("rr-1-recovery-1")["spec"]["previousExecutions"]] == [
        "Forbidden"
    ]
