"""The policy ``wait``: requests wait for a busy target, a cooldown or an original, and are woken when it ends."""

from collections.abc import Callable
from typing import Any

from orchestrator_stage import RUNS, SYSTEM, TARGET_RESOURCE, Stage
from troubled_calls import Trouble

from controller.api.lock import lock_name
from controller.api.resources import PIPELINE_RUNS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.api.timestamps import parse_time
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.orchestrator.settings import Settings
from sim.apiserver.identity import ADMIN

Make = Callable[..., Stage]
WAIT = Settings(on_busy="wait", poll_s=3_000)  # no poll: whoever waits has to be woken


def blocked(stage: Stage, name: str) -> tuple[str, str | None]:
    return stage.phase(name), stage.status(name).get("blockReason")


def test_one_after_the_other_busy_then_cooldown_then_the_next(make_stage: Make) -> None:
    stage = make_stage(WAIT).signal("rr-1").run(1).answer("ai-rr-1").run(1)
    stage.signal("rr-2").run(1).signal("rr-3").run(1)
    assert blocked(stage, "rr-2") == blocked(stage, "rr-3") == ("Blocked", "ResourceBusy")
    stage.execution_ends("we-rr-1").run(1)
    assert (stage.phase("rr-2"), stage.phase("rr-3")) == ("Analyzing", "Analyzing")
    stage.answer("ai-rr-2").answer("ai-rr-3", workflow="scale-up").run(1)
    assert blocked(stage, "rr-2") == ("Blocked", "RecentlyRemediated")
    assert stage.phase("rr-3") == "Executing"
    until = parse_time(stage.status("rr-2")["blockedUntil"])
    stage.run((until - stage.clock.utcnow()).total_seconds() + 0.01)
    assert blocked(stage, "rr-2") == ("Blocked", "ResourceBusy"), "the cooldown is over, rr-3 is still at work"
    assert stage.status("rr-2")["blockingWorkflowExecution"] == "we-rr-3"
    assert "blockedUntil" not in stage.status("rr-2")
    stage.execution_ends("we-rr-3").run(1)
    assert stage.phase("rr-2") == "Executing"
    stage.execution_ends("we-rr-2").run(1)
    assert [stage.phase(f"rr-{n}") for n in (1, 2, 3)] == ["Completed"] * 3


def test_a_foreign_run_under_the_lock_is_waited_for(make_stage: Make) -> None:
    stage = make_stage(WAIT)
    body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": lock_name(TARGET_RESOURCE)}}
    stage.server.create(ADMIN, PIPELINE_RUNS, RUNS, {**body, "spec": {}})
    stage.run(1).signal().run(1)
    assert blocked(stage, "rr-1") == ("Blocked", "ResourceBusy")
    done = {"status": {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed"}]}}
    stage.server.patch(ADMIN, PIPELINE_RUNS, RUNS, lock_name(TARGET_RESOURCE), done, subresource="status")
    stage.run(1)
    assert stage.phase() == "Analyzing"


def test_a_run_that_is_deleted_frees_the_target(make_stage: Make) -> None:
    stage = make_stage(WAIT).pipeline_run().run(1).signal().run(1)
    assert stage.phase() == "Blocked"
    stage.server.delete(ADMIN, PIPELINE_RUNS, RUNS, lock_name(TARGET_RESOURCE))
    stage.run(1)
    assert stage.phase() == "Analyzing"


def test_an_execution_that_is_deleted_frees_the_target(make_stage: Make) -> None:
    stage = make_stage(WAIT).signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    stage.server.delete(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-rr-1")
    stage.run(1)
    assert (stage.phase("rr-1"), stage.phase("rr-2")) == ("Failed", "Analyzing")


def test_a_rest_ends_early_when_somebody_clears_the_failure(make_stage: Make) -> None:
    stage = make_stage(Settings(max_recoveries=0, poll_s=3_000)).signal("rr-1").run(1).answer("ai-rr-1").run(1)
    stage.execution_ends("we-rr-1", "Failed", reason="Forbidden").run(1).signal("rr-2").run(1)
    assert blocked(stage, "rr-2") == ("Blocked", "ExponentialBackoff")
    stage.annotate(WORKFLOW_EXECUTIONS, "we-rr-1", CLEAR_BLOCK, "the role is there now").run(1)
    assert stage.phase("rr-2") == "Analyzing"


def test_duplicates_wait_for_the_eldest_and_then_for_the_next(make_stage: Make) -> None:
    stage = make_stage(WAIT)
    for name in ("rr-1", "rr-2", "rr-3"):
        stage.signal(name, about="disk").run(1.1)
    assert [stage.status(name).get("duplicateOf") for name in ("rr-1", "rr-2", "rr-3")] == [None, "rr-1", "rr-1"]
    stage.answer("ai-rr-1", selectedWorkflow=None, reason="WorkflowNotNeeded").run(1)
    assert stage.phase("rr-2") == "Analyzing"
    assert stage.status("rr-3")["duplicateOf"] == "rr-2"
    assert stage.status("rr-1")["duplicateRefs"] == ["rr-2", "rr-3"]
    stage.answer("ai-rr-2", selectedWorkflow=None, reason="WorkflowNotNeeded").run(1)
    assert stage.phase("rr-3") == "Analyzing"


def test_a_duplicate_goes_on_when_its_original_is_withdrawn(make_stage: Make) -> None:
    stage = make_stage(WAIT).signal("rr-1", about="disk").run(1.1).signal("rr-2", about="disk").run(1)
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(2)
    assert (stage.request("rr-1"), stage.phase("rr-2")) == (None, "Analyzing")


def test_a_duplicate_need_not_wait_until_its_original_is_gone(make_stage: Make) -> None:
    stage = make_stage(WAIT).signal("rr-1", about="disk").run(1.1).signal("rr-2", about="disk").run(1)
    stage.server.patch(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1", {"metadata": {"finalizers": ["x.io/held"]}})
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(2)
    assert stage.request("rr-1") is not None
    assert stage.phase("rr-2") == "Analyzing"


def test_waiting_costs_one_write_however_often_it_is_looked_at(make_stage: Make) -> None:
    trouble = Trouble("patch", "nothing")
    stage = make_stage(Settings(on_busy="wait", poll_s=5), wrap=trouble.wrap)
    stage.signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    before = trouble.spoken()
    stage.put_status(WORKFLOW_EXECUTIONS, "we-rr-1", {"phase": "Running"}).run(300)
    assert trouble.spoken() == before
    assert stage.events("RemediationBlocked")[0].get("count", 1) == 1


def test_a_cooldown_with_a_fraction_is_not_waited_for_in_a_busy_loop(make_stage: Make) -> None:
    stage = make_stage(Settings(on_busy="wait", cooldown_s=20.7)).remedied("rr-1")
    stage.signal("rr-2").run(1).answer("ai-rr-2").run(1)
    assert stage.phase("rr-2") == "Blocked"
    events = stage.loop.events
    stage.until(lambda: stage.phase("rr-2") == "Executing", 30)
    assert stage.loop.events - events < 200


def test_a_restart_while_requests_wait_changes_nothing(make_stage: Make) -> None:
    stage = make_stage(WAIT).signal("rr-1").run(1).answer("ai-rr-1").run(1).signal("rr-2").run(1)
    written: Any = stage.request("rr-2")["metadata"]["resourceVersion"]
    stage.restart()
    stage.run(5)
    assert stage.request("rr-2")["metadata"]["resourceVersion"] == written
    stage.execution_ends("we-rr-1").run(1)
    assert stage.phase("rr-2") == "Analyzing"
