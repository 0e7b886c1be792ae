"""What is left behind when an execution is deleted: nothing of ours."""

from collections.abc import Callable

from executor_stage import LOCK, RUNS, SYSTEM, Stage

from controller.api.resources import PIPELINE_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.settings import Settings
from sim.apiserver.identity import ADMIN

Make = Callable[..., Stage]


def test_deleting_a_running_execution_deletes_its_run_and_lets_it_go(stage: Make) -> None:
    s = stage().request().run(1).withdraw().run(5)
    assert (s.execution(), s.pipeline_run()) == (None, None)
    assert s.audited()[-1] == "workflowexecution.workflow.deleted"
    assert s.events("WorkflowExecutionDeleted")[0]["message"] == "WorkflowExecution cleanup completed (phase: Running)"


def test_deleting_during_the_cooldown_frees_the_target_for_who_waits(stage: Make) -> None:
    s = stage().request().run(1).succeed().run(1).request("we-2").run(1).withdraw("we-1").run(5)
    assert s.execution("we-1") is None
    assert s.phase("we-2") == "Running"


def test_deleting_a_waiting_execution_leaves_the_holder_alone(stage: Make) -> None:
    s = stage().request().run(1).succeed().run(1).request("we-2").run(1)
    uid = s.pipeline_run()["metadata"]["uid"]
    s.withdraw("we-2").run(5)
    assert s.execution("we-2") is None
    assert s.pipeline_run()["metadata"]["uid"] == uid
    assert "deletionTimestamp" not in s.pipeline_run()["metadata"]


def test_deleting_a_loser_of_the_race_leaves_the_winner_alone(stage: Make) -> None:
    s = stage()
    labels = {"kubernaut.ai/workflow-execution": "we-other", "kubernaut.ai/source-namespace": SYSTEM}
    s.put(PIPELINE_RUNS, LOCK, metadata={"labels": labels})
    s.request().run(1).withdraw().run(5)
    assert s.execution() is None
    assert s.pipeline_run() is not None


def test_deletion_finds_a_run_that_the_status_does_not_name(stage: Make) -> None:
    s = stage().request().run(1)
    s.process.kill()
    wiped = {"status": None}  # as by a restore from a backup
    s.server.patch(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, "we-1", wiped, subresource="status")
    s.withdraw().start()
    s.run(5)
    assert (s.execution(), s.pipeline_run()) == (None, None)


def test_deletion_after_the_release_is_quick(stage: Make) -> None:
    s = stage(Settings(cooldown_s=5)).request().run(1).succeed().run(30).withdraw().run(1)
    assert s.execution() is None


def test_an_execution_of_the_same_name_starts_from_scratch(stage: Make) -> None:
    s = stage().request().run(1).withdraw().run(3).request().run(3)
    assert s.phase() == "Running"
    assert len(s.created) == 2
    assert s.server.find(PIPELINE_RUNS, RUNS, LOCK) is not None
