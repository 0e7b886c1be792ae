"""Requests that another version of the orchestrator left behind, half way through."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import Stage

from controller.api.resources import REMEDIATION_REQUESTS

Make = Callable[..., Stage]


def without(stage: Stage, **status: Any) -> Stage:
    """The status as an older orchestrator would have left it, and a new process that finds it."""
    stage.processes[-1].kill()
    stage.put_status(REMEDIATION_REQUESTS, "rr-1", status)
    stage.start()
    return stage.run(2)


@pytest.mark.parametrize(
    "reference", [None, {"uid": None, "resourceVersion": "1"}], ids=["no reference", "a name only"]
)
def test_an_analysis_without_its_uid_is_still_found(stage: Stage, reference: Any) -> None:
    without(stage.signal().run(1), aiAnalysisRef=reference, analyzingStartTime=None).answer().run(2)
    assert (stage.phase(), stage.executions()) == ("Executing", ["we-rr-1"])


@pytest.mark.parametrize(
    "reference", [None, {"uid": None, "resourceVersion": "1"}], ids=["no reference", "a name only"]
)
def test_an_execution_without_its_uid_is_still_found(stage: Stage, reference: Any) -> None:
    references = {"workflowExecutionRef": reference, "aiAnalysisRef": reference}
    without(stage.signal().run(1).answer().run(1), **references, executingStartTime=None)
    assert stage.phase() == "Executing"
    stage.execution_ends().run(1)
    assert stage.phase() == "Completed"


def test_a_failure_without_references_is_recovered_with_its_history(stage: Stage) -> None:
    stage.signal().run(1).answer(selected={"parameters": {"A": "1"}}).run(1)
    without(stage, workflowExecutionRef=None, aiAnalysisRef=None)
    stage.execution_ends(phase="Failed", reason="Forbidden").run(1)
    [told] = stage.analysis("rr-1-recovery-1")["spec"]["previousExecutions"]
    assert told["selectedWorkflow"]["parameters"] == {"A": "1"}
    assert told["originalRCA"]["summary"] == "the process runs out of memory"


def test_an_analysis_that_was_never_made_is_a_persons_business(stage: Stage) -> None:
    stage.processes[-1].kill()
    stage.signal().put_status(REMEDIATION_REQUESTS, "rr-1", {"overallPhase": "Analyzing"})
    stage.start()
    stage.run(2)
    assert (stage.phase(), stage.status()["failureReason"]) == ("Failed", "AIAnalysisDeleted")


def test_a_block_without_a_reason_is_routed_again(stage: Stage) -> None:
    stage.processes[-1].kill()
    stage.signal().put_status(REMEDIATION_REQUESTS, "rr-1", {"overallPhase": "Blocked"})
    stage.start()
    stage.run(2)
    assert stage.phase() == "Analyzing"


@pytest.mark.parametrize("phase", ["Pending", "Processing"])
def test_whoever_has_hardly_begun_begins(stage: Stage, phase: str) -> None:
    stage.processes[-1].kill()
    stage.signal().put_status(REMEDIATION_REQUESTS, "rr-1", {"overallPhase": phase})
    stage.start()
    stage.run(2)
    assert stage.phase() == "Analyzing"
