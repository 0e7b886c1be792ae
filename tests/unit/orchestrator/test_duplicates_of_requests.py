"""Requests for the same signal: the oldest stands for all, counts them, and tells people once."""

from collections.abc import Callable

import pytest
from orchestrator_stage import SYSTEM, Stage, fingerprint

from controller.api.resources import REMEDIATION_REQUESTS
from controller.orchestrator import terminal
from sim.apiserver.identity import ADMIN
from sim.workload.distributions import Constant

Make = Callable[..., Stage]
ELSEWHERE = ("payment", "Deployment", "billing")


def test_the_name_decides_between_two_of_the_same_second(stage: Stage) -> None:
    stage.run(1 - stage.loop.time() % 1).signal("rr-b", about="disk").signal("rr-a", about="disk").run(0.5)
    assert stage.phase("rr-b") in ("Analyzing", "Skipped")
    stage.answer("ai-rr-b") if stage.analysis("ai-rr-b") else None
    stage.run(1)
    assert stage.status("rr-b")["duplicateOf"] == "rr-a"
    assert stage.phase("rr-a") == "Analyzing"


def test_the_older_is_the_original_whatever_their_names(stage: Stage) -> None:
    stage.signal("rr-z", about="disk").run(1.5).signal("rr-a", about="disk").run(1)
    assert (stage.phase("rr-z"), stage.status("rr-a")["duplicateOf"]) == ("Analyzing", "rr-z")


def test_another_signal_or_an_ended_original_makes_no_duplicate(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5).signal("rr-2", target=ELSEWHERE, about="memory").run(1)
    assert stage.phase("rr-2") == "Analyzing"
    stage.answer("ai-rr-1", selectedWorkflow=None, reason="WorkflowNotNeeded").run(1)
    stage.signal("rr-3", about="disk").run(1)
    assert stage.phase("rr-3") == "Analyzing"


def test_the_same_signal_about_another_target_is_the_same_signal(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5).signal("rr-2", target=ELSEWHERE, about="disk").run(1)
    assert stage.status("rr-2")["skipReason"] == "DuplicateInProgress"


def test_another_namespace_is_another_story(stage: Stage) -> None:
    stage._create("v1", "Namespace", {"metadata": {"name": "other"}})
    stage.signal("rr-1", about="disk").run(1.5)
    body = {**stage.request(), "metadata": {"name": "rr-2", "namespace": "other"}}
    body["spec"] = {**body["spec"], "targetResource": {"kind": "Node", "name": "n"}}
    stage.server.create(ADMIN, REMEDIATION_REQUESTS, "other", {key: body[key] for key in body if key != "status"})
    stage.run(1)
    assert stage.server.find(REMEDIATION_REQUESTS, "other", "rr-2")["status"]["overallPhase"] == "Analyzing"  # type: ignore[index]


def test_a_withdrawn_original_stands_for_nobody(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5)
    stage.server.patch(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1", {"metadata": {"finalizers": ["x.io/held"]}})
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(1).signal("rr-2", about="disk").run(1)
    assert stage.request("rr-1") is not None
    assert stage.phase("rr-2") == "Analyzing"


def test_duplicates_are_counted_once_over_restarts_and_announced_once(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5)
    for number in range(2, 5):
        stage.signal(f"rr-{number}", about="disk").run(1).restart()
        stage.run(1)
    assert stage.status("rr-1")["duplicateRefs"] == ["rr-2", "rr-3", "rr-4"]
    assert stage.status("rr-1")["duplicateCount"] == 3
    stage.answer().run(1).execution_ends().run(5)
    assert stage.notifications() == [], "others may still come"
    stage.restart()
    stage.run(20)
    spec = stage.notification("nr-bulk-rr-1")["spec"]
    assert (spec["type"], spec["priority"], spec["channels"]) == ("simple", "low", ["slack"])
    assert spec["subject"] == "Remediation Completed with 3 Duplicates"
    assert "Duplicates: rr-2, rr-3, rr-4" in spec["body"]
    stage.restart()
    assert stage.run(60).notifications() == ["nr-bulk-rr-1"]


def test_duplicates_that_are_deleted_stay_counted(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5).signal("rr-2", about="disk").signal("rr-3", about="disk").run(1)
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-2")
    stage.run(1).signal("rr-4", about="disk").run(1)
    assert stage.status("rr-1")["duplicateRefs"] == ["rr-2", "rr-3", "rr-4"]


def test_a_duplicate_that_shows_up_after_the_end_is_still_announced(make_stage: Make) -> None:
    stage = make_stage(watch_lag=Constant(3_000_000))
    stage.signal("rr-1", about="disk").run(8).answer().run(8)
    assert stage.phase() == "Executing"
    stage.execution_ends().run(1).signal("rr-2", about="disk", target=ELSEWHERE).run(40)
    assert stage.status("rr-2")["duplicateOf"] == "rr-1"
    assert stage.status("rr-1")["duplicateCount"] == 1
    assert stage.notifications() == ["nr-bulk-rr-1"]


def test_duplicates_of_a_former_request_of_the_same_name_are_not_counted_again(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").run(1.5).signal("rr-2", about="disk").run(1)
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(2).signal("rr-1", about="memory").run(2)
    assert stage.phase() == "Analyzing"
    assert "duplicateCount" not in stage.status()


def test_a_storm_of_duplicates_does_not_outgrow_the_object(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_NAMED_MAX", 5)
    stage.signal("rr-1", about="disk").run(1.5)
    for number in range(10, 22):
        stage.signal(f"rr-{number}", about="disk")
    stage.run(2)
    status = stage.status("rr-1")
    assert (status["duplicateCount"], status["duplicateRefs"]) == (12, [f"rr-{n}" for n in range(10, 15)])
    version = stage.request("rr-1")["metadata"]["resourceVersion"]
    stage.restart()
    stage.run(5)
    assert stage.request("rr-1")["metadata"]["resourceVersion"] == version
    stage.answer(selectedWorkflow=None, reason="WorkflowNotNeeded").run(20)
    assert stage.notification("nr-bulk-rr-1")["spec"]["subject"] == "Remediation Completed with 12 Duplicates"


def test_requests_are_found_by_their_fingerprint(stage: Stage) -> None:
    stage.signal("rr-1", about="disk").signal("rr-2", target=ELSEWHERE, about="memory").run(1)
    selector = f"spec.signalFingerprint={fingerprint('disk')}"
    found = stage.server.list(ADMIN, REMEDIATION_REQUESTS, SYSTEM, field_selector=selector)
    assert [one["metadata"]["name"] for one in found["items"]] == ["rr-1"]
