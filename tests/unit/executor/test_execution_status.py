"""Phases, conditions and times of the status."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controller.api.conditions import Fact, condition, merged
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import status
from controller.executor.evidence import Cause

NOW = datetime(2026, 1, 5, 8, 10, 0, 900_000, tzinfo=UTC)


def execution(**fields: Any) -> dict[str, Any]:
    metadata = {"name": "we-1", "namespace": "ns", "uid": "u", "resourceVersion": "7", "generation": 1}
    spec = {"workflowRef": {"workflowId": "w", "version": "1", "containerImage": "i"}, "targetResource": "node/n"}
    return {"metadata": metadata, "spec": spec, "status": fields}


@pytest.mark.parametrize("before", ["", *Phase])
@pytest.mark.parametrize("after", list(Phase))
def test_only_the_drawn_transitions_are_written(before: str, after: Phase) -> None:
    allowed = {
        ("Pending", "Running"),
        ("Pending", "Failed"),
        ("Running", "Completed"),
        ("Running", "Failed"),
    }
    present = before or "Pending"
    if present == after or (present, str(after)) in allowed:
        status.patch(execution(phase=before), after, "t")
    else:
        with pytest.raises(status.TransitionError, match=f"invalid phase transition {present} to {after}"):
            status.patch(execution(phase=before), after, "t")


def test_a_patch_holds_only_what_changes_and_the_version_it_was_made_for() -> None:
    made = status.patch(execution(phase="Running", observedGeneration=1), Phase.RUNNING, "t", duration="1s")
    assert made == {"metadata": {"resourceVersion": "7"}, "status": {"duration": "1s"}}


def test_transition_time_moves_with_the_status_only() -> None:
    first = merged(execution(), [Fact("A", "False", "X", "x")], "t1")
    again = merged(execution(conditions=first), [Fact("A", "False", "Y", "y")], "t2")
    assert (again[0]["lastTransitionTime"], again[0]["reason"]) == ("t1", "Y")
    flipped = merged(execution(conditions=again), [Fact("A", "True", "Z", "z")], "t3")
    assert flipped[0]["lastTransitionTime"] == "t3"


def test_conditions_of_others_are_kept() -> None:
    theirs = {"type": "Theirs", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "t0"}
    after = merged(execution(conditions=[theirs]), [Fact("A", "True", "X", "x")], "t1")
    assert after[0] is theirs
    assert condition(execution(conditions=after), "A") is not None


def test_an_end_before_the_start_is_the_start() -> None:
    started = execution(startTime="2026-01-05T08:10:00Z")
    assert status.end(started, "2026-01-05T08:09:57Z", NOW) == ("2026-01-05T08:10:00Z", "0s")
    assert status.end(started, None, NOW) == ("2026-01-05T08:10:00Z", "0s")


def test_a_failure_before_the_start_has_no_duration_and_no_task() -> None:
    cause = Cause(reason=FailureReason.CONFIGURATION_ERROR, message="bad", started=False)
    fields = status.failure_fields(execution(), cause, None, NOW, "sa")
    details = fields["failureDetails"]
    assert "duration" not in fields
    assert (details["failedTaskIndex"], details["failedTaskName"]) == (0, "")
    assert (details["executionTimeBeforeFailure"], details["wasExecutionFailure"]) == ("0s", False)
    assert "exitCode" not in details
