"""A remediation that nothing stands in the way of."""

from orchestrator_stage import TARGET_RESOURCE, Stage

from controller.api.resources import REMEDIATION_REQUESTS
from sim.apiserver.identity import ADMIN


def test_a_signal_is_analysed_executed_and_remediated(stage: Stage) -> None:
    stage.signal().run(1)
    assert stage.phase() == "Analyzing"
    stage.answer().run(1)
    assert stage.phase() == "Executing"
    stage.execution_ends().run(1)
    assert stage.phases["rr-1"] == ["Processing", "Analyzing", "Executing", "Completed"]
    status = stage.status()
    assert (status["outcome"], status["observedGeneration"]) == ("Remediated", 1)
    assert stage.notifications() == []


def test_the_execution_is_what_the_analyst_selected(stage: Stage) -> None:
    parameters = {"UPPER_SNAKE": "1", "lower_snake": "ÄÖ☃", "Mixed": ""}
    stage.signal().run(1).answer(selected={"parameters": parameters, "containerDigest": "sha256:ab"}).run(1)
    spec = stage.execution()["spec"]
    assert spec["parameters"] == parameters
    assert spec["targetResource"] == TARGET_RESOURCE
    assert spec["workflowRef"] == {
        "workflowId": "restart",
        "version": "1.0.0",
        "containerImage": "reg.local/restart:1",
        "containerDigest": "sha256:ab",
    }
    assert (spec["confidence"], spec["rationale"]) == (0.9, "it has helped before")
    assert spec["remediationRequestRef"]["uid"] == stage.request()["metadata"]["uid"]


def test_children_go_with_their_request(stage: Stage) -> None:
    stage.remedied()
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, "kubernaut-system", "rr-1")
    stage.run(5)
    assert stage.request() is None
    assert stage.analysis() is None
    assert stage.execution() is None
