"""The summary: for a person and for a prompt."""

import pytest

from controller.api.workflowexecution import FailureReason
from controller.executor.evidence import Cause
from controller.executor.summary import summarize


def text(cause: Cause) -> str:
    return summarize(
        cause, workflow_id="raise-memory", target="payment/Deployment/api", after="45s", service_account="runner"
    )


def cause(reason: FailureReason = FailureReason.FORBIDDEN) -> Cause:
    return Cause(
        reason=reason,
        message="cannot patch deployments",
        started=True,
        task_index=1,
        task_name="apply",
        task_count=3,
        step_name="kubectl-patch",
        exit_code=1,
    )


def test_it_tells_who_what_where_when_and_why() -> None:
    told = text(cause())
    for part in (
        "'raise-memory'",
        "'payment/Deployment/api'",
        "'apply' (step 2 of 3)",
        "after 45s",
        "Forbidden",
        "'kubectl-patch'",
        "exit code 1",
        "cannot patch deployments",
        "'runner'",
    ):
        assert part in told


@pytest.mark.parametrize("reason", list(FailureReason))
def test_every_reason_has_exactly_one_recommendation(reason: FailureReason) -> None:
    assert text(cause(reason)).count("Recommendation: ") == 1


def test_recommendations_differ_by_reason() -> None:
    assert len({text(cause(reason)).rsplit("Recommendation: ", 1)[1] for reason in FailureReason}) == len(FailureReason)


def test_the_service_account_is_named_for_forbidden_only() -> None:
    assert "'runner'" not in text(cause(FailureReason.OOM_KILLED))


def test_it_says_whether_anything_can_have_changed() -> None:
    before = Cause(reason=FailureReason.CONFIGURATION_ERROR, message="bad", started=False)
    assert "nothing was changed" in text(before)
    assert "No task was reached" in text(before)
    assert "may have been changed" in text(cause())


def test_when_the_controller_itself_was_refused_the_runner_is_not_blamed() -> None:
    told = text(Cause(reason=FailureReason.FORBIDDEN, message="cannot create pipelineruns", started=False))
    assert "The controller lacks a permission" in told
    assert "'runner'" not in told


def test_of_a_run_that_is_gone_it_does_not_claim_that_no_task_was_reached() -> None:
    told = text(Cause(reason=FailureReason.UNKNOWN, message="PipelineRun was deleted externally", started=True))
    assert "No task was reached" not in told
    assert "Which task was at work is not known" in told
    assert "Steps may have started" in told


def test_a_recommendation_of_the_case_takes_the_place_of_that_of_the_reason() -> None:
    told = text(Cause(reason=FailureReason.CONFIGURATION_ERROR, message="bad", started=False, recommendation="Wait."))
    assert told.endswith("Recommendation: Wait.")
    assert told.count("Recommendation: ") == 1


def test_a_task_that_goes_on_after_its_pipeline_is_named() -> None:
    told = text(Cause(reason=FailureReason.UNKNOWN, message="x", started=True, task_name="apply", goes_on="run-apply"))
    assert "TaskRun run-apply had not ended: it may still change the target." in told
    assert "Steps had started" not in told
