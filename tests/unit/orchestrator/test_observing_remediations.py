"""Events, metrics, audit records and conditions of remediations."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, Stage

from controller.api.conditions import condition
from controller.api.resources import EVENTS, REMEDIATION_REQUESTS
from controller.executor.audit import AuditBuffer
from controller.orchestrator.settings import Settings
from sim.apiserver.identity import ADMIN

Make = Callable[..., Stage]
PREFIX = "kubernaut_remediationorchestrator_"
NAMESPACE = {"namespace": SYSTEM}


def count(stage: Stage, name: str, **labels: str) -> float:
    return stage.registry.get_sample_value(PREFIX + name, labels) or 0.0


def fails(stage: Stage, **details: Any) -> Stage:
    return stage.signal().run(1).answer().run(1).execution_ends(phase="Failed", **details).run(1)


# metrics


def test_the_names_and_labels_of_the_metrics(stage: Stage) -> None:
    stage.remedied()
    found = {
        metric.name.removeprefix(PREFIX): tuple(metric.samples[0].labels) if metric.samples else None
        for metric in stage.registry.collect()
    }
    assert set(found) == {
        "reconcile",
        "reconcile_duration_seconds",
        "phase_transitions",
        "child_crd_creations",
        "manual_review_notifications",
        "approval_notifications",
        "no_action_needed",
        "duplicates_skipped",
        "timeouts",
        "blocked",
        "blocked_cooldown_expired",
        "current_blocked",
        "status_update_conflicts",
    }
    assert found["phase_transitions"] == ("from_phase", "to_phase", "namespace")
    assert found["child_crd_creations"] == ("child_type", "namespace")


def test_a_remediation_is_counted_phase_by_phase(stage: Stage) -> None:
    stage.remedied()
    way = ["Pending", "Processing", "Analyzing", "Executing", "Completed"]
    for before, after in pairwise(way):
        assert count(stage, "phase_transitions_total", from_phase=before, to_phase=after, **NAMESPACE) == 1
    for kind in ("AIAnalysis", "WorkflowExecution"):
        assert count(stage, "child_crd_creations_total", child_type=kind, **NAMESPACE) == 1
    assert count(stage, "reconcile_total", phase="Executing", **NAMESPACE) >= 1
    assert count(stage, "reconcile_duration_seconds_count", phase="Executing", **NAMESPACE) >= 1


def test_what_stands_in_the_way_is_counted_by_reason(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0))
    fails(stage, reason="Forbidden").signal("rr-2").run(1)
    assert count(stage, "blocked_total", reason="ExponentialBackoff", **NAMESPACE) == 1
    assert count(stage, "current_blocked", **NAMESPACE) == 1
    stage.restart()
    assert count(stage.run(1), "current_blocked", **NAMESPACE) == 1, "a restart changes nothing"
    stage.run(70)
    assert stage.phase("rr-2") == "Analyzing"
    assert count(stage, "current_blocked", **NAMESPACE) == 0
    assert count(stage, "blocked_cooldown_expired_total") == 1
    stage.answer("ai-rr-2").run(1).signal("rr-3").run(1)
    assert count(stage, "duplicates_skipped_total", skip_reason="ResourceBusy", **NAMESPACE) == 1


def test_a_block_that_ends_before_its_time_did_not_expire(make_stage: Make) -> None:
    stage = make_stage(Settings(on_busy="wait")).signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    stage.execution_ends("we-rr-1").run(1)
    assert stage.phase("rr-2") == "Analyzing"
    assert count(stage, "blocked_cooldown_expired_total") == 0


def test_reviews_are_counted_by_what_made_them_necessary(stage: Stage) -> None:
    fails(stage, reason="OOMKilled", wasExecutionFailure=True).signal("rr-2").run(1)
    elsewhere = ("", "Node", "n")
    stage.signal("rr-3", elsewhere).run(1)
    nothing = {"phase": "Failed", "reason": "WorkflowResolutionFailed", "subReason": "NoMatchingWorkflows"}
    stage.answer("ai-rr-3", selectedWorkflow=None, **nothing).run(1)
    for source, reason, sub_reason in (
        ("WorkflowExecution", "OOMKilled", ""),
        ("Routing", "PreviousExecutionFailed", ""),
        ("AIAnalysis", "WorkflowResolutionFailed", "NoMatchingWorkflows"),
    ):
        labels = {"source": source, "reason": reason, "sub_reason": sub_reason, **NAMESPACE}
        assert count(stage, "manual_review_notifications_total", **labels) == 1, labels


def test_an_analysts_free_text_makes_no_time_series(stage: Stage) -> None:
    fails(stage, reason="Forbidden")
    odd = {"phase": "Failed", "reason": "I am; not sure #42"}
    stage.answer("rr-1-recovery-1", selectedWorkflow=None, **odd).run(1)
    labels = {"source": "AIAnalysis", "reason": "Other", "sub_reason": "", **NAMESPACE}
    assert count(stage, "manual_review_notifications_total", **labels) == 1


def test_approvals_time_outs_and_idle_analyses_are_counted(stage: Stage) -> None:
    stage.signal().run(1).answer(approvalRequired=True).run(910)
    assert stage.phase() == "TimedOut"
    stage.signal("rr-2").run(1).answer("ai-rr-2", selectedWorkflow=None, reason="WorkflowNotNeeded").run(1)
    assert count(stage, "approval_notifications_total", **NAMESPACE) == 1
    assert count(stage, "timeouts_total", phase="AwaitingApproval", **NAMESPACE) == 1
    assert count(stage, "no_action_needed_total", reason="WorkflowNotNeeded", **NAMESPACE) == 1


def test_conflicts_are_counted(make_stage: Make) -> None:
    stage = make_stage(replicas=2)
    stage.remedied()
    one = stage.registry.get_sample_value(f"{PREFIX}status_update_conflicts_total", NAMESPACE)
    assert one is not None


# events


def test_a_remediation_tells_its_users_what_happened(stage: Stage) -> None:
    stage.remedied()
    stage.signal("rr-2").run(1).answer("ai-rr-2").run(1)
    told = {event["reason"]: (event["type"], event["message"]) for event in stage.server.items(EVENTS, SYSTEM)}
    assert told["WorkflowExecutionCreated"] == ("Normal", "Created WorkflowExecution we-rr-1 for workflow restart")
    assert told["RemediationCompleted"] == ("Normal", "WorkflowExecution we-rr-1 completed")
    assert told["RemediationSkipped"][1].startswith("RecentlyRemediated: Workflow restart completed on ")


@pytest.mark.parametrize(
    ("details", "reason", "type_"),
    [
        ({"wasExecutionFailure": True}, "RemediationFailed", "Warning"),
        ({"reason": "Forbidden"}, "RecoveryStarted", "Normal"),
    ],
)
def test_a_failure_tells_too(stage: Stage, details: Any, reason: str, type_: str) -> None:
    fails(stage, **details)
    [event] = stage.events(reason)
    assert (event["type"], event["involvedObject"]["name"], event.get("count", 1)) == (type_, "rr-1", 1)


# audit


def test_the_trail_of_a_remediation(stage: Stage) -> None:
    stage.remedied()
    uid = stage.request()["metadata"]["uid"]
    trail = stage.audit.take()
    assert [event["event_type"].removeprefix("orchestrator.") for event in trail] == [
        "lifecycle.started",
        "phase.transitioned",
        "phase.transitioned",
        "lifecycle.completed",
    ]
    last: Any = trail[-1]
    assert last["event_timestamp"].endswith("Z")
    assert {key: last[key] for key in last if key not in ("event_timestamp", "event_data")} == {
        "version": "1.0",
        "event_type": "orchestrator.lifecycle.completed",
        "event_category": "orchestration",
        "event_action": "completed",
        "event_outcome": "success",
        "actor_type": "service",
        "actor_id": "remediation-orchestrator",
        "resource_type": "RemediationRequest",
        "resource_id": "rr-1",
        "correlation_id": uid,
        "namespace": SYSTEM,
    }
    assert last["event_data"]["outcome"] == "Remediated"
    assert (last["event_data"]["from_phase"], last["event_data"]["phase"]) == ("Executing", "Completed")


def test_what_routing_says_is_in_the_trail(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0))
    fails(stage, reason="Forbidden")
    stage.audit.take()
    stage.signal("rr-2").run(1)
    [event] = [one for one in stage.audit.take() if one["event_type"] == "orchestrator.routing.blocked"]
    data: Any = event["event_data"]
    status = stage.status("rr-2")
    assert (data["block_reason"], data["blocking_wfe"]) == ("ExponentialBackoff", "we-rr-1")
    assert (data["blocked_until"], data["consecutive_failures"]) == (status["blockedUntil"], 1)
    assert data["block_message"] == status["blockMessage"]


@pytest.mark.parametrize("by_routing", [False, True])
def test_a_persons_review_is_in_the_trail(stage: Stage, by_routing: bool) -> None:
    fails(stage, wasExecutionFailure=True)
    if by_routing:
        stage.audit.take()
        stage.signal("rr-2").run(1)
    trail = stage.audit.take()
    assert [one["event_type"] for one in trail][-2:] == [
        "orchestrator.lifecycle.completed",
        "orchestrator.remediation.manual_review",
    ]
    assert trail[-2]["event_outcome"] == "failure"


def test_a_deletion_is_in_the_trail(stage: Stage) -> None:
    stage.remedied()
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    assert stage.run(1).audited()[-1] == "orchestrator.lifecycle.deleted"


def test_an_audit_that_fails_costs_no_work(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(_self: Any, _event: Any) -> None:
        raise OSError("the database is down\nand more")

    monkeypatch.setattr(AuditBuffer, "record", down)
    stage.remedied()
    assert "the database is down and more" in stage.events("AuditFailed")[0]["message"]


# conditions


def said(stage: Stage, type_: str) -> tuple[Any, Any]:
    found = condition(stage.request(), type_)
    return (found["status"], found["reason"]) if found is not None else (None, None)


def test_the_conditions_of_a_success(stage: Stage) -> None:
    stage.remedied()
    for type_, reason in (
        ("AIAnalysisReady", "AIAnalysisCreated"),
        ("AIAnalysisComplete", "AnalysisSucceeded"),
        ("WorkflowExecutionReady", "WorkflowExecutionCreated"),
        ("WorkflowExecutionComplete", "WorkflowSucceeded"),
        ("RecoveryComplete", "RecoverySucceeded"),
    ):
        assert said(stage, type_) == ("True", reason), type_


def test_the_conditions_of_a_recovery(stage: Stage) -> None:
    fails(stage, reason="Forbidden")
    assert said(stage, "WorkflowExecutionComplete") == ("False", "WorkflowFailed")
    assert said(stage, "AIAnalysisComplete") == ("False", "AnalysisInProgress")
    assert said(stage, "RecoveryComplete") == (None, None)
    stage.answer("rr-1-recovery-1", selectedWorkflow=None, phase="Failed", reason="WorkflowResolutionFailed").run(1)
    assert said(stage, "AIAnalysisComplete") == ("False", "WorkflowResolutionFailed")
    assert said(stage, "RecoveryComplete") == ("False", "RecoveryFailed")
