"""How a PipelineRun comes to its end in the status: the condition, and the completion time with it."""

from controller.runtime.controller import PermanentError
from sim.tekton.attempt import Attempt
from sim.tekton.conditions import set_condition


def end(attempt: Attempt, now: str, state: str, reason: str, message: str) -> None:
    """Set the condition, and the completion time with it where it ends the run."""
    set_condition(attempt.status, state, reason, message, now)
    if state != "Unknown":
        attempt.status["completionTime"] = now
        attempt.precise = True


def failed(attempt: Attempt, now: str, reason: str, message: str, cause: str) -> PermanentError:
    """End the run as failed, for good; ``cause`` is the text of the error that the Event tells."""
    end(attempt, now, "False", reason, message)
    return PermanentError(cause)
