"""What the end of an execution means for its remediation."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, Stage

from controller.api.resources import AI_ANALYSES, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.api.workflowexecution import FailureReason
from controller.orchestrator.outcome import ending_of
from controller.orchestrator.settings import Settings
from sim.apiserver.identity import ADMIN

Make = Callable[..., Stage]


def execution(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "we-1"}, "status": status}


@pytest.mark.parametrize("phase", ["", "Pending", "Running", "Strange"])
def test_what_has_not_ended_goes_on(phase: str) -> None:
    assert ending_of(execution(phase=phase)).end == "running"
    assert ending_of({"metadata": {"name": "we-1"}}).end == "running"


def test_a_success_is_a_remedy() -> None:
    assert ending_of(execution(phase="Completed")).end == "remediated"


@pytest.mark.parametrize("reason", FailureReason)
@pytest.mark.parametrize(("ran", "end"), [(True, "review"), (False, "recover")])
def test_whether_it_ran_decides_and_never_the_reason(reason: FailureReason, ran: bool, end: str) -> None:
    details = {"reason": str(reason), "wasExecutionFailure": ran, "naturalLanguageSummary": "it did not work"}
    found = ending_of(execution(phase="Failed", failureDetails=details))
    assert (found.end, found.reason, found.message) == (end, reason, "it did not work")


@pytest.mark.parametrize(
    ("details", "end", "reason", "message"),
    [
        (None, "review", "Unknown", "Workflow failed with unknown reason"),
        ({}, "review", "Unknown", "Workflow failed: Unknown"),
        ({"reason": "OOMKilled"}, "review", "OOMKilled", "Workflow failed: OOMKilled"),
        ({"wasExecutionFailure": False, "message": "m"}, "recover", "Unknown", "m"),
        ({"wasExecutionFailure": False, "message": "m", "naturalLanguageSummary": ""}, "recover", "Unknown", "m"),
    ],
)
def test_missing_details_are_a_persons_business(details: Any, end: str, reason: str, message: str) -> None:
    status = {"phase": "Failed"} if details is None else {"phase": "Failed", "failureDetails": details}
    found = ending_of(execution(**status))
    assert (found.end, found.reason, found.message) == (end, reason, message)


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("ResourceBusy", "skipped"),
        ("RecentlyRemediated", "skipped"),
        ("ExhaustedRetries", "review"),
        ("PreviousExecutionFailed", "review"),
    ],
)
def test_the_table_of_v31(reason: str, end: str) -> None:
    other = {"conflictingWorkflow": {"name": "we-other"}}
    found = ending_of(execution(phase="Skipped", skipDetails={"reason": reason, "message": "m", **other}))
    assert (found.end, found.skip, found.by, found.message) == (end, reason, "we-other", "m")


@pytest.mark.parametrize("details", [None, {}, {"reason": "NewReason"}])
def test_a_skip_nobody_knows_is_a_persons_business(details: Any) -> None:
    status = {"phase": "Skipped", **({} if details is None else {"skipDetails": details})}
    found = ending_of(execution(**status))
    assert (found.end, found.skip) == ("review", None)
    assert found.message.startswith("The execution was skipped: ")


# on the stage


def test_a_failure_of_the_work_ends_with_a_person(stage: Stage) -> None:
    stage.signal().run(1).answer().run(1)
    stage.execution_ends(phase="Failed", reason="OOMKilled", wasExecutionFailure=True).run(1)
    status = stage.status()
    assert (status["overallPhase"], status["outcome"], status["failurePhase"], status["failureReason"]) == (
        "Failed",
        "ManualReviewRequired",
        "Executing",
        "OOMKilled",
    )
    assert status["message"] == "Workflow restart failed in task apply after 45s."
    assert stage.notifications() == ["nr-manual-review-rr-1"]


def recovers(stage: Stage, attempt: int) -> None:
    """The execution of ``attempt`` fails before it began, and the analyst answers the next question."""
    suffix = f"-recovery-{attempt}" if attempt else ""
    stage.until(lambda: stage.phase() == "Executing", 700)
    stage.execution_ends(f"we-rr-1{suffix}", "Failed", reason="Forbidden").run(1)


def test_there_are_three_recoveries_and_then_a_person(make_stage: Make) -> None:
    stage = make_stage().signal().run(1).answer().run(1)
    for attempt in range(3):
        recovers(stage, attempt)
        assert stage.status()["recoveryAttempts"] == attempt + 1
        stage.answer(f"rr-1-recovery-{attempt + 1}", workflow=f"other-{attempt}").run(1)
    recovers(stage, 3)
    status = stage.status()
    assert (status["overallPhase"], status["failureReason"]) == ("Failed", "RecoveriesExhausted")
    assert status["message"].startswith("4 executions failed before they began, no recovery is left; the last: ")
    assert len(stage.executions()) == 4
    assert stage.notifications() == ["nr-manual-review-rr-1"]


def test_without_recoveries_the_first_failure_is_a_persons_business(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0)).signal().run(1).answer().run(1)
    recovers(stage, 0)
    assert stage.status()["failureReason"] == "RecoveriesExhausted"


def test_a_recovery_that_works_completes_the_request(make_stage: Make) -> None:
    stage = make_stage().signal().run(1).answer().run(1)
    recovers(stage, 0)
    stage.answer("rr-1-recovery-1", workflow="drain").until(lambda: stage.phase() == "Executing", 100)
    stage.execution_ends("we-rr-1-recovery-1").run(1)
    assert (stage.phase(), stage.notifications()) == ("Completed", [])


@pytest.mark.parametrize(
    ("resource", "name", "reason", "phase"),
    [
        (AI_ANALYSES, "ai-rr-1", "AIAnalysisDeleted", "Analyzing"),
        (WORKFLOW_EXECUTIONS, "we-rr-1", "WorkflowExecutionDeleted", "Executing"),
    ],
)
def test_a_child_deleted_from_outside_ends_with_a_person(
    stage: Stage, resource: Any, name: str, reason: str, phase: str
) -> None:
    stage.signal().run(1)
    if phase == "Executing":
        stage.answer().run(1)
    assert stage.phase() == phase
    stage.server.delete(ADMIN, resource, SYSTEM, name)
    stage.run(2)
    assert (stage.phase(), stage.status()["failureReason"]) == ("Failed", reason)
    assert stage.notifications() == ["nr-manual-review-rr-1"]


def test_an_execution_that_completed_and_was_deleted_at_once_has_completed(stage: Stage) -> None:
    stage.signal().run(1).answer().run(1).execution_ends()
    stage.server.delete(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-rr-1")
    stage.run(2)
    assert stage.phase() == "Completed"


@pytest.mark.parametrize(
    ("status", "phase", "outcome", "reason", "told"),
    [
        ({"phase": "Completed", "reason": "WorkflowNotNeeded"}, "Completed", "NoActionRequired", None, 0),
        ({"phase": "Completed"}, "Failed", "ManualReviewRequired", "NoWorkflow", 1),
        ({"phase": "Failed", "reason": "APIError", "message": "m"}, "Failed", None, "APIError", 0),
        ({"phase": "Failed"}, "Failed", None, "Unknown", 0),
        ({"phase": "Failed", "reason": "WorkflowResolutionFailed"}, "Failed", "ManualReviewRequired", None, 1),
        ({"phase": "Failed", "reason": "NoMatchingWorkflows"}, "Failed", "ManualReviewRequired", None, 1),
        ({"phase": "Failed", "reason": "Überraschung"}, "Failed", None, "Überraschung", 0),
        ({"phase": "Failed", "reason": "_x"}, "Failed", None, "_x", 0),
        ({"phase": "Failed", "reason": "a b\x07"}, "Failed", None, "a b", 0),
    ],
)
def test_answers_without_a_workflow(
    stage: Stage, status: Any, phase: str, outcome: str | None, reason: str | None, told: int
) -> None:
    stage.signal().run(1).put_status(AI_ANALYSES, "ai-rr-1", status).run(1)
    found = stage.status()
    assert (found["overallPhase"], found.get("outcome")) == (phase, outcome)
    if reason:
        assert found["failureReason"] == reason
    assert len(stage.notifications()) == told


@pytest.mark.parametrize("field", ["workflowId", "containerImage"])
def test_a_workflow_without_its_name_or_image_is_not_executed(stage: Stage, field: str) -> None:
    stage.signal().run(1).answer(selected={field: ""}).run(1)
    assert stage.status()["message"] == f"selectedWorkflow.{field} is required"
    assert stage.executions() == []


def test_a_phase_of_another_version_is_a_persons_business(stage: Stage) -> None:
    definitions = stage.server.resource("apiextensions.k8s.io", "customresourcedefinitions")
    crd = stage.server.get(ADMIN, definitions, "", "remediationrequests.kubernaut.ai")["spec"]
    status = crd["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    stage.processes[-1].kill()
    stage.signal()
    enum = {"enum": [*status["overallPhase"]["enum"], "Verifying"], "type": "string"}
    schema = crd["versions"][0]["schema"]["openAPIV3Schema"]
    properties = {
        **schema["properties"],
        "status": {**schema["properties"]["status"], "properties": {**status, "overallPhase": enum}},
    }
    version = {**crd["versions"][0], "schema": {"openAPIV3Schema": {**schema, "properties": properties}}}
    stage.server.patch(ADMIN, definitions, "", "remediationrequests.kubernaut.ai", {"spec": {"versions": [version]}})
    stage.put_status(REMEDIATION_REQUESTS, "rr-1", {"overallPhase": "Verifying", "startTime": stage.clock.timestamp()})
    stage.server.patch(
        ADMIN, definitions, "", "remediationrequests.kubernaut.ai", {"spec": {"versions": crd["versions"]}}
    )
    stage.start()
    stage.run(3)
    assert (stage.phase(), stage.status()["failureReason"]) == ("Failed", "UnknownPhase")
    assert stage.status()["message"] == "Phase Verifying is another version's: nobody knows what it waits for"
    assert stage.notifications() == ["nr-manual-review-rr-1"]
