"""Approval: asked for once for each workflow that needs it, and given by an annotation."""

from collections.abc import Callable

import pytest
from orchestrator_stage import SYSTEM, Stage

from controller.api.resources import AI_ANALYSES, REMEDIATION_REQUESTS
from controller.orchestrator.labels import APPROVAL
from sim.apiserver.identity import ADMIN

Make = Callable[..., Stage]


def waits(stage: Stage) -> Stage:
    return stage.signal().run(1).answer(approvalRequired=True, approvalReason="confidence 0.5").run(1)


def answers(stage: Stage, answer: str) -> Stage:
    return stage.annotate(REMEDIATION_REQUESTS, "rr-1", APPROVAL, answer).run(1)


def test_people_are_asked_once_and_told_why(stage: Stage) -> None:
    waits(stage).run(100)
    assert (stage.phase(), stage.notifications()) == ("AwaitingApproval", ["nr-approval-rr-1"])
    assert stage.status()["message"] == "Workflow restart waits for approval: confidence 0.5"
    assert stage.status()["approvalNotificationSent"] is True
    assert stage.executions() == []


@pytest.mark.parametrize("answer", ["approved", " Approved "])
def test_what_is_approved_is_executed(stage: Stage, answer: str) -> None:
    answers(waits(stage), answer)
    assert stage.phase() == "Executing"
    assert stage.audited().count("orchestrator.approval.approved") == 1


def test_what_is_rejected_is_not(stage: Stage) -> None:
    answers(waits(stage), "rejected").run(30)
    status = stage.status()
    assert (status["overallPhase"], status["failureReason"], status["failurePhase"]) == (
        "Failed",
        "ApprovalRejected",
        "AwaitingApproval",
    )
    assert (status["requiresManualReview"], stage.executions(), stage.notifications()) == (
        False,
        [],
        ["nr-approval-rr-1"],
    )
    assert stage.audited().count("orchestrator.approval.rejected") == 1


@pytest.mark.parametrize("answer", ["", "yes", "maybe"])
def test_anything_else_is_no_answer(stage: Stage, answer: str) -> None:
    assert answers(waits(stage), answer).phase() == "AwaitingApproval"


def test_an_approval_given_beforehand_counts_and_nobody_is_asked(stage: Stage) -> None:
    answers(stage.signal().run(1), "approved").answer(approvalRequired=True).run(1)
    assert (stage.phases["rr-1"][-1], stage.notifications()) == ("Executing", [])


def test_a_rejection_given_beforehand_counts(stage: Stage) -> None:
    answers(stage.signal().run(1), "rejected").answer(approvalRequired=True).run(1)
    assert (stage.phase(), stage.executions()) == ("Failed", [])


def test_who_approved_one_workflow_has_not_approved_the_next(stage: Stage) -> None:
    answers(waits(stage), "approved").execution_ends(phase="Failed", reason="Forbidden").run(1)
    assert stage.phase() == "Analyzing"
    assert APPROVAL not in stage.request()["metadata"].get("annotations", {})
    stage.answer("rr-1-recovery-1", workflow="drain", approvalRequired=True).run(90)
    assert (stage.phase(), stage.executions()) == ("AwaitingApproval", ["we-rr-1"])
    assert stage.notifications() == ["nr-approval-rr-1", "nr-approval-rr-1-recovery-1"]
    answers(stage, "approved")
    assert stage.executions() == ["we-rr-1", "we-rr-1-recovery-1"]


def test_an_approved_workflow_still_asks_routing(stage: Stage) -> None:
    answers(waits(stage).pipeline_run().run(1), "approved")
    assert (stage.phase(), stage.status()["skipReason"]) == ("Skipped", "ResourceBusy")


def test_an_analysis_that_is_gone_when_the_approval_comes_fails_the_request(stage: Stage) -> None:
    waits(stage)
    stage.server.delete(ADMIN, AI_ANALYSES, SYSTEM, "ai-rr-1")
    answers(stage, "approved")
    assert stage.status()["failureReason"] == "AIAnalysisDeleted"


def test_an_approval_survives_a_restart(stage: Stage) -> None:
    waits(stage).restart()
    answers(stage.run(1), "approved")
    assert (stage.phase(), stage.notifications()) == ("Executing", ["nr-approval-rr-1"])
