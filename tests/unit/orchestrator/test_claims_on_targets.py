"""What one process is about to create is seen by its other workers at once, and given back when nothing comes of it."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, TARGET_RESOURCE, Stage
from troubled_calls import Trouble, refusal

from controller.api.resources import REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.settings import Settings, Timeouts
from sim.apiserver.identity import ADMIN
from sim.workload.distributions import Constant

Make = Callable[..., Stage]
_SLOW_WATCHES = Constant(2_000_000)


def somebodys_execution(stage: Stage, name: str = "by-hand") -> None:
    body = {
        "apiVersion": WORKFLOW_EXECUTIONS.api_version,
        "kind": WORKFLOW_EXECUTIONS.kind,
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {
            "remediationRequestRef": {"name": "nobody"},
            "workflowRef": {"workflowId": "restart", "version": "1", "containerImage": "i"},
            "targetResource": TARGET_RESOURCE,
        },
    }
    stage.server.create(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, body)


def test_two_workers_with_late_caches_do_not_both_create(make_stage: Make) -> None:
    stage = make_stage(watch_lag=_SLOW_WATCHES)
    stage.signal("rr-1").signal("rr-2").run(6)
    stage.answer("ai-rr-1").answer("ai-rr-2").run(20)
    assert len(stage.executions()) == 1
    assert {stage.phase("rr-1"), stage.phase("rr-2")} == {"Executing", "Skipped"}


def test_a_lost_creation_that_never_arrived_claims_nothing_for_ever(make_stage: Make) -> None:
    """The target is taken by hand meanwhile, so the request gives up; later ones find the target free again."""
    trouble = Trouble("create", "workflowexecutions", "never arrived", name="we-rr-1")
    stage = make_stage(wrap=trouble.wrap)
    stage.signal("rr-1").run(1)
    trouble.then = lambda: somebodys_execution(stage)
    stage.answer("ai-rr-1").run(1)
    assert (stage.phase("rr-1"), trouble.fates) == ("Skipped", [])
    stage.execution_ends("by-hand").run(1)
    stage.signal("rr-2").run(1)
    assert stage.phase("rr-2") == "Analyzing", stage.status("rr-2")


def test_a_lost_creation_claims_nothing_while_its_request_waits(make_stage: Make) -> None:
    trouble = Trouble("create", "workflowexecutions", "never arrived", name="we-rr-1")
    trouble.then = lambda: somebodys_execution(stage)
    stage = make_stage(Settings(on_busy="wait"), wrap=trouble.wrap)
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(1).execution_ends("by-hand").run(1)
    assert stage.status("rr-1")["blockReason"] == "RecentlyRemediated"
    stage.signal("rr-2").run(1).answer("ai-rr-2", workflow="scale-up").run(1)
    assert stage.phase("rr-2") == "Executing", stage.status("rr-2")


def test_a_request_that_times_out_while_its_creation_fails_leaves_the_target_free(make_stage: Make) -> None:
    trouble = Trouble("create", "workflowexecutions", *[refusal(503, "ServiceUnavailable")] * 40, name="we-rr-1")
    settings = Settings(timeouts=Timeouts(analyzing_s=30))
    stage = make_stage(settings, wrap=trouble.wrap)
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(80)
    assert stage.phase("rr-1") == "TimedOut"
    stage.signal("rr-2").run(1)
    assert stage.phase("rr-2") == "Analyzing", stage.status("rr-2")


def test_a_request_that_is_gone_at_once_leaves_the_target_free(make_stage: Make) -> None:
    trouble = Trouble("create", "workflowexecutions", *["never arrived"] * 12, name="we-rr-1")
    stage = make_stage(wrap=trouble.wrap)
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(1)
    bare: dict[str, Any] = {"metadata": {"finalizers": None}}
    stage.server.patch(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1", bare)
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(60).signal("rr-2").run(1)
    assert stage.phase("rr-2") == "Analyzing", stage.status("rr-2")


def test_a_foreign_object_under_the_name_of_the_execution_claims_nothing(make_stage: Make) -> None:
    stage = make_stage()
    stage.signal("rr-1").run(1)
    other = {"spec": {"targetResource": "elsewhere/Deployment/x"}}
    body = {
        "apiVersion": WORKFLOW_EXECUTIONS.api_version,
        "kind": WORKFLOW_EXECUTIONS.kind,
        "metadata": {"name": "we-rr-1", "namespace": SYSTEM},
        "spec": {
            "remediationRequestRef": {"name": "nobody"},
            "workflowRef": {"workflowId": "w", "version": "1", "containerImage": "i"},
            **other["spec"],
        },
    }
    stage.server.create(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, body)
    stage.answer("ai-rr-1").run(1)
    assert stage.phase("rr-1") == "Analyzing"
    stage.signal("rr-2").run(1)
    assert stage.phase("rr-2") == "Analyzing", stage.status("rr-2")


def test_whoever_waits_for_a_claim_goes_on_at_once_when_nothing_comes_of_it(make_stage: Make) -> None:
    refused = refusal(403, "Forbidden", "exceeded quota")
    trouble = Trouble("create", "workflowexecutions", "never arrived", *[refused] * 3, name="we-rr-1")
    stage = make_stage(Settings(on_busy="wait"), wrap=trouble.wrap)
    stage.signal("rr-1").signal("rr-2").run(1)
    stage.answer("ai-rr-1").answer("ai-rr-2").run(2)
    assert "Executing" in (stage.phase("rr-2"), stage.phase("rr-1"))


@pytest.mark.parametrize("fate", ["lost", "never arrived"])
def test_a_lost_reply_leads_to_exactly_one_execution(make_stage: Make, fate: Any) -> None:
    trouble = Trouble("create", "workflowexecutions", fate)
    stage = make_stage(wrap=trouble.wrap, watch_lag=_SLOW_WATCHES)
    stage.signal("rr-1").run(6).answer("ai-rr-1").run(10)
    assert (stage.phase("rr-1"), stage.executions()) == ("Executing", ["we-rr-1"])
    created = stage.events("WorkflowExecutionCreated")
    assert [event.get("count", 1) for event in created] == [1]
