"""Executions that only tell how far they are: most of what is written of them, and nothing for the orchestrator."""

from orchestrator_stage import SYSTEM, Stage

from controller.api.resources import WORKFLOW_EXECUTIONS


def steps(stage: Stage) -> float:
    labels = {"namespace": SYSTEM, "phase": "Executing"}
    return stage.registry.get_sample_value("kubernaut_remediationorchestrator_reconcile_total", labels) or 0.0


def executing(stage: Stage) -> Stage:
    return stage.signal().run(1).answer().run(1).put_status(WORKFLOW_EXECUTIONS, "we-rr-1", {"phase": "Running"}).run(1)


def test_progress_of_an_execution_wakes_nobody(stage: Stage) -> None:
    before = steps(executing(stage))
    for done in range(1, 4):
        progress = {"status": "Unknown", "reason": "Running", "completedTasks": done, "totalTasks": 5}
        stage.put_status(WORKFLOW_EXECUTIONS, "we-rr-1", {"pipelineRunStatus": progress}).run(1)
    assert steps(stage) == before


def test_a_change_of_phase_is_seen_at_once(stage: Stage) -> None:
    before = steps(executing(stage))
    assert before > 0
    stage.execution_ends().run(0.5)
    assert stage.phase() == "Completed"


def test_a_mark_that_a_person_left_is_looked_at(stage: Stage) -> None:
    before = steps(executing(stage))
    stage.annotate(WORKFLOW_EXECUTIONS, "we-rr-1", "kubernaut.ai/clear-execution-block", "looked at").run(1)
    assert steps(stage) == before + 1
