"""Notifications: name, kind, urgency, channels and text, as pure functions of a request's status."""

from typing import Any

import pytest

from controller.api.notificationrequest import NotificationRequest
from controller.orchestrator.notifications import bulk_duplicates, owed


def request(name: str = "rr-1", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubernaut.ai/v1alpha1",
        "kind": "RemediationRequest",
        "metadata": {"namespace": "ns", "name": name, "uid": "uid-1"},
        "spec": {
            "signalFingerprint": "a" * 64,
            "signalName": "KubePodCrashLooping",
            "severity": "critical",
            "targetResource": {"kind": "Deployment", "name": "api", "namespace": "pay"},
        },
        "status": status,
    }


def review(**status: Any) -> dict[str, Any]:
    found = owed(request(overallPhase="Failed", requiresManualReview=True, **status))
    assert [*found] == ["nr-manual-review-rr-1"]
    NotificationRequest.model_validate(found["nr-manual-review-rr-1"])
    return found["nr-manual-review-rr-1"]


@pytest.mark.parametrize(
    ("status", "priority", "channels"),
    [
        ({"failurePhase": "Executing", "failureReason": "TaskFailed"}, "critical", ["slack", "email"]),
        ({"failurePhase": "Executing", "failureReason": "WorkflowExecutionDeleted"}, "critical", ["slack", "email"]),
        ({"failurePhase": "Pending", "skipReason": "PreviousExecutionFailed"}, "critical", ["slack", "email"]),
        ({"failurePhase": "Pending", "skipReason": "ExhaustedRetries"}, "high", ["slack", "email"]),
        ({"failurePhase": "Executing", "skipReason": "ExhaustedRetries"}, "high", ["slack", "email"]),
        ({"failurePhase": "Executing", "failureReason": "RecoveriesExhausted"}, "high", ["slack", "email"]),
        ({"failurePhase": "Analyzing", "failureReason": "WorkflowResolutionFailed"}, "medium", ["slack"]),
        ({}, "medium", ["slack"]),
    ],
)
def test_how_urgent_a_review_is(status: dict[str, Any], priority: str, channels: list[str]) -> None:
    spec = review(**status)["spec"]
    assert (spec["type"], spec["priority"], spec["channels"]) == ("manual-review", priority, channels)


def test_a_review_says_what_and_why_for_people_and_for_programs() -> None:
    document = review(
        skipReason="ExhaustedRetries",
        failurePhase="Pending",
        message="5 executions in a row could not begin\x1b[31m",
        blockingWorkflowExecution="we-last",
        consecutiveFailureCount=5,
    )
    assert document["metadata"]["labels"] == {
        "kubernaut.ai/remediation-request": "rr-1",
        "kubernaut.ai/component": "notification",
        "kubernaut.ai/notification-type": "manual-review",
        "kubernaut.ai/severity": "high",
        "kubernaut.ai/skip-reason": "ExhaustedRetries",
    }
    assert document["spec"]["subject"] == "Manual Review Required: KubePodCrashLooping - ExhaustedRetries"
    assert document["spec"]["body"] == (
        "Signal: KubePodCrashLooping (critical)\nTarget: pay/Deployment/api\nReason: ExhaustedRetries\n"
        "Details: 5 executions in a row could not begin [31m\nFailures in a row: 5"
    )
    assert document["spec"]["metadata"] == {
        "remediationRequest": "rr-1",
        "reason": "ExhaustedRetries",
        "requiresManualReview": "true",
        "workflowExecution": "we-last",
        "skipReason": "ExhaustedRetries",
        "consecutiveFailures": "5",
    }
    assert document["spec"]["remediationRequestRef"]["uid"] == "uid-1"


@pytest.mark.parametrize(
    ("phase", "name"),
    [
        ("global", "timeout-rr-1"),
        ("Analyzing", "phase-timeout-analyzing-rr-1"),
        ("Executing", "phase-timeout-executing-rr-1"),
    ],
)
def test_a_time_out_is_told_with_its_phase(phase: str, name: str) -> None:
    found = owed(request(overallPhase="TimedOut", timeoutPhase=phase, message="over"))
    assert [*found] == [name]
    spec = found[name]["spec"]
    assert (spec["type"], spec["priority"], spec["metadata"]["phase"]) == ("escalation", "high", phase)
    assert f"Phase: {phase}\nDetails: over" in spec["body"]


@pytest.mark.parametrize(("attempt", "name"), [(None, "nr-approval-rr-1"), (2, "nr-approval-rr-1-recovery-2")])
def test_approval_is_asked_for_each_analysis(attempt: int | None, name: str) -> None:
    status = {"recoveryAttempts": attempt} if attempt else {}
    found = owed(request(overallPhase="AwaitingApproval", aiAnalysisRef={"name": "ai-x"}, message="why", **status))
    assert [*found] == [name]
    spec = found[name]["spec"]
    assert (spec["type"], spec["priority"], spec["metadata"]["aiAnalysis"]) == ("approval", "high", "ai-x")


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"overallPhase": "Completed"},
        {"overallPhase": "Skipped", "skipReason": "ResourceBusy"},
        {"overallPhase": "Blocked"},
        {"overallPhase": "Failed", "requiresManualReview": False},
    ],
)
def test_nobody_is_told_without_need(status: dict[str, Any]) -> None:
    assert owed(request(**status)) == {}


def test_what_was_told_is_not_told_again() -> None:
    sent = [{"name": "nr-manual-review-rr-1"}, {"name": "nr-bulk-rr-1"}]
    told = request(
        overallPhase="Failed", requiresManualReview=True, duplicateRefs=["rr-2"], notificationRequestRefs=sent
    )
    assert owed(told) == {}
    assert bulk_duplicates(told) is None


@pytest.mark.parametrize(("count", "words"), [(1, "1 Duplicate"), (2, "2 Duplicates"), (60, "60 Duplicates")])
def test_duplicates_are_announced_in_one_message(count: int, words: str) -> None:
    names = [f"rr-{number}" for number in range(count)]
    found = bulk_duplicates(request(overallPhase="Completed", duplicateRefs=names, duplicateCount=count))
    assert found is not None
    NotificationRequest.model_validate(found)
    assert found["metadata"]["name"] == "nr-bulk-rr-1"
    assert found["metadata"]["labels"]["kubernaut.ai/notification-type"] == "bulk-duplicate"
    assert found["spec"]["subject"] == f"Remediation Completed with {words}"
    assert found["spec"]["metadata"]["duplicateCount"] == str(count)
    assert found["spec"]["body"].count("rr-") <= 52
    assert found["spec"]["body"].endswith("...") == (count > 50)


def test_a_request_without_duplicates_announces_none() -> None:
    assert bulk_duplicates(request(overallPhase="Completed")) is None


def test_hostile_texts_stay_within_their_bounds() -> None:
    long = request("r" * 253, overallPhase="Failed", requiresManualReview=True, message="x" * 99_999)
    long["spec"]["signalName"] = "s" * 253
    [document] = owed(long).values()
    NotificationRequest.model_validate(document)
    assert len(document["spec"]["body"]) <= 4096
    assert len(document["spec"]["subject"]) <= 500
    assert len(document["metadata"]["name"]) <= 253
