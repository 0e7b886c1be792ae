"""What becomes of a remediation whose calls the API server refuses, loses or answers late."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, Stage
from troubled_calls import Trouble, refusal

from controller.api.resources import AI_ANALYSES, NOTIFICATION_REQUESTS, REMEDIATION_REQUESTS
from controller.orchestrator.settings import Settings, Timeouts
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.workload.distributions import Constant

Make = Callable[..., Stage]


@pytest.mark.parametrize("code", [400, 404, 413, 422])
def test_an_analysis_that_is_refused_for_good_fails_the_request_and_says_why(make_stage: Make, code: int) -> None:
    trouble = Trouble("create", "aianalyses", refusal(code, "Invalid", "spec.x: Invalid value"))
    stage = make_stage(wrap=trouble.wrap).signal().run(2)
    status = stage.status()
    assert (status["overallPhase"], status["failureReason"]) == ("Failed", "AIAnalysisRefused")
    assert status["message"] == "AIAnalysis ai-rr-1 was refused: spec.x: Invalid value"
    assert stage.notifications() == ["nr-manual-review-rr-1"]


@pytest.mark.parametrize("code", [400, 404, 413, 422])
def test_an_execution_that_is_refused_for_good_fails_the_request(make_stage: Make, code: int) -> None:
    trouble = Trouble("create", "workflowexecutions", refusal(code, "Invalid"))
    stage = make_stage(wrap=trouble.wrap).signal().run(1).answer().run(1)
    assert (stage.phase(), stage.status()["failureReason"]) == ("Failed", "WorkflowExecutionRefused")


def test_a_recovery_that_is_refused_for_good_fails_the_request(make_stage: Make) -> None:
    trouble = Trouble("create", "aianalyses", refusal(422, "Invalid"), name="rr-1-recovery-1")
    stage = make_stage(wrap=trouble.wrap).signal().run(1).answer().run(1)
    stage.execution_ends(phase="Failed", reason="Forbidden").run(1)
    assert (stage.phase(), stage.status()["failureReason"]) == ("Failed", "AIAnalysisRefused")


@pytest.mark.parametrize(
    "fate",
    [
        refusal(403, "Forbidden", "exceeded quota: objects"),
        refusal(429, "TooManyRequests", retry_after_s=3),
        refusal(500, "InternalError"),
        refusal(503, "ServiceUnavailable"),
        refusal(409, "Conflict"),
        "lost",
        "never arrived",
    ],
    ids=str,
)
@pytest.mark.parametrize("plural", ["aianalyses", "workflowexecutions"])
def test_what_may_pass_is_tried_again(make_stage: Make, fate: Any, plural: str) -> None:
    trouble = Trouble("create", plural, *[fate] * (1 if fate == "lost" else 2))
    stage = make_stage(wrap=trouble.wrap).signal().run(10).answer().run(10)
    assert (stage.phase(), stage.executions(), trouble.fates) == ("Executing", ["we-rr-1"], [])


def test_retry_after_is_waited_for(make_stage: Make) -> None:
    trouble = Trouble("create", "aianalyses", refusal(429, "TooManyRequests", retry_after_s=7))
    stage = make_stage(wrap=trouble.wrap, watch_lag=Constant(5_000), latency=Latency(Constant(2_000), {}))
    stage.signal().run(6.9)
    assert stage.analysis() is None
    stage.run(0.2)
    assert stage.analysis() is not None


@pytest.mark.parametrize("fate", ["lost", "never arrived", refusal(409, "Conflict"), refusal(500, "InternalError")])
@pytest.mark.parametrize("call", range(12))
def test_any_status_write_may_fail_and_everything_is_told_once(make_stage: Make, call: int, fate: Any) -> None:
    """The ``call``-th patch of the request fails; nobody sees a difference."""
    fates: list[Any] = [fate]
    trouble = Trouble("patch", "remediationrequests")
    stage = make_stage(wrap=trouble.wrap)

    def arm() -> None:
        if trouble.count("patch", "remediationrequests") >= call and fates:
            trouble.fates.append(fates.pop())

    stage.server.observe(lambda *_: arm())
    arm()
    stage.signal().run(2).answer().run(2).execution_ends(phase="Failed", wasExecutionFailure=True).run(5)
    assert stage.phases["rr-1"] == ["Processing", "Analyzing", "Executing", "Failed"]
    assert stage.notifications() == ["nr-manual-review-rr-1"]
    for reason in ("WorkflowExecutionCreated", "RemediationFailed"):
        assert [event.get("count", 1) for event in stage.events(reason)] == [1], reason
    told = stage.audited()
    assert [told.count(f"orchestrator.{each}") for each in ("lifecycle.started", "lifecycle.completed")] == [1, 1]


def test_a_conflict_that_does_not_pass_is_not_tried_in_a_busy_loop(make_stage: Make) -> None:
    trouble = Trouble("create", "aianalyses", *[refusal(409, "Conflict", "quota is being changed")] * 10_000)
    stage = make_stage(wrap=trouble.wrap).signal().run(200)
    assert 5 < trouble.count("create", "aianalyses") < 30
    trouble.fates.clear()
    assert stage.run(31).phase() == "Analyzing"


def test_an_outage_is_not_followed_by_a_long_sleep(make_stage: Make) -> None:
    down = refusal(503, "ServiceUnavailable")
    trouble = Trouble("create", "aianalyses", *[down] * 30)
    stage = make_stage(wrap=trouble.wrap).signal().run(240)
    left = len(trouble.fates)
    trouble.fates.clear()
    assert left < 30
    stage.run(31)
    assert stage.analysis() is not None


def test_a_message_that_is_refused_is_tried_again_and_holds_nothing_up(make_stage: Make) -> None:
    trouble = Trouble("create", "notificationrequests", refusal(422, "Invalid", "subject: too good"))
    stage = make_stage(wrap=trouble.wrap).signal().run(1).answer().run(1)
    stage.execution_ends(phase="Failed", wasExecutionFailure=True).run(1)
    assert (stage.phase(), stage.notifications()) == ("Failed", [])
    assert "subject: too good" in stage.events("ChildRefused")[0]["message"]
    stage.run(600)
    assert stage.notifications() == ["nr-manual-review-rr-1"]


# names that are taken


def foreign(stage: Stage, resource: Any, name: str, spec: dict[str, Any]) -> None:
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, "spec": spec}
    stage.server.create(ADMIN, resource, SYSTEM, body)


ANALYSIS = {
    "remediationRequestRef": {"name": "somebody"},
    "signalContext": {
        "fingerprint": "f",
        "signalName": "s",
        "severity": "info",
        "signalType": "t",
        "targetResource": {"kind": "Node", "name": "n"},
    },
}


def test_a_foreign_analysis_under_our_name_is_not_taken_for_ours(make_stage: Make) -> None:
    stage = make_stage(Settings(timeouts=Timeouts(processing_s=60)))
    foreign(stage, AI_ANALYSES, "ai-rr-1", ANALYSIS)
    stage.signal().run(1).answer().run(10)
    assert (stage.phase(), stage.executions()) == ("Processing", [])
    assert stage.events("NameTaken")[0]["message"] == ("AIAnalysis ai-rr-1 exists already and is not of this request")
    stage.run(60)
    assert stage.status()["timeoutPhase"] == "Processing"
    assert stage.status()["message"].endswith("AIAnalysis ai-rr-1 exists already and is not of this request")


def test_it_goes_on_as_soon_as_the_name_is_free(make_stage: Make) -> None:
    stage = make_stage()
    foreign(stage, AI_ANALYSES, "ai-rr-1", ANALYSIS)
    stage.signal().run(7)
    stage.server.delete(ADMIN, AI_ANALYSES, SYSTEM, "ai-rr-1")
    stage.run(6)
    assert stage.phase() == "Analyzing"


def test_a_foreign_message_under_our_name_is_not_taken_for_ours(make_stage: Make) -> None:
    stage = make_stage()
    spec = {"type": "simple", "priority": "low", "channels": ["slack"], "subject": "x", "body": "x"}
    foreign(stage, NOTIFICATION_REQUESTS, "nr-manual-review-rr-1", spec)
    stage.signal().run(1).answer().run(1).execution_ends(phase="Failed", wasExecutionFailure=True).run(20)
    assert stage.notification("nr-manual-review-rr-1")["spec"]["type"] == "simple"
    stage.server.delete(ADMIN, NOTIFICATION_REQUESTS, SYSTEM, "nr-manual-review-rr-1")
    stage.run(10)
    assert stage.notification("nr-manual-review-rr-1")["spec"]["type"] == "manual-review"


# the same name again


def test_a_request_made_anew_under_the_same_name_is_a_new_story(make_stage: Make) -> None:
    stage = make_stage(Settings(on_busy="wait"), watch_lag=Constant(300_000))
    stage.signal(about="one").run(3).answer().run(3)
    assert stage.phase() == "Executing"
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.until(lambda: stage.request() is None, 30)
    stage.signal(about="two").run(20)
    first = stage.request()["metadata"]["uid"]
    assert stage.phase() == "Analyzing"
    assert stage.analysis()["metadata"]["ownerReferences"][0]["uid"] == first
    stage.answer().run(5)
    assert stage.execution()["metadata"]["ownerReferences"][0]["uid"] == first
