"""How a TaskRun ends without its pod ending: a pod refused by the API server, or one that can never start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.ports import ApiError, Document
from controller.runtime.controller import PermanentError
from sim.tekton.attempt import RequeueAfter, message_of
from sim.tekton.version import Version

_MINUTE_US = 60_000_000
_SECOND_US = 1_000_000
_SCC = "security context constraint"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The condition after a pod could not be created; ``error`` is for the queue."""

    state: str
    reason: str
    message: str
    error: Exception
    not_started: bool = False
    """The start time is taken back, so that the TaskRun's own timeout does not run."""


def refusal_of(task_run: Document, error: Exception) -> Refusal:
    """``error`` is what creating the pod of ``task_run`` met."""
    text = message_of(error)
    api = error if isinstance(error, ApiError) else None
    if api is not None and api.reason == "Conflict" and api.details.get("kind") == "resourcequotas":
        message = "tried to create pod, but it failed with ResourceQuotaConflictError"
        return Refusal("Unknown", "Pending", message, RequeueAfter(_SECOND_US), not_started=True)
    if api is not None and api.reason == "Forbidden" and "exceeded quota" in text:
        message = f"TaskRun Pod exceeded available resources: {text}"
        return Refusal("Unknown", "ExceededResourceQuota", message, RequeueAfter(_MINUTE_US), not_started=True)
    if api is not None and api.reason == "AlreadyExists":
        return Refusal("Unknown", "Pending", "tried to create pod, but it already exists", api)
    if api is not None and api.reason == "Forbidden" and ("violates PodSecurity" in text or _SCC in text):
        return Refusal("False", "PodAdmissionFailed", text, api)
    metadata, reference = task_run["metadata"], task_run["spec"].get("taskRef")
    culprit = "invalid TaskSpec"
    if reference:
        culprit = f"missing or invalid Task {metadata['namespace']}/{reference.get('name', '')}"
    message = f'failed to create task run pod "{metadata["name"]}": {text}. Maybe {culprit}'
    return Refusal("False", "PodCreationFailed", message, PermanentError(message))


def hopeless(name: str, status: Mapping[str, Any], version: Version) -> tuple[str, str] | None:
    """Reason and message if the status shows a container that will never start."""
    failing = version.failing_waits
    for one in status.get("steps") or ():
        if "waiting" in one and one["waiting"].get("reason") in failing:
            return _hopeless_one("step", name, one)
    if "sidecars" in status:
        for one in status["sidecars"]:
            if "waiting" in one and one["waiting"].get("reason") in failing:
                return _hopeless_one("sidecar", name, one)
    return None


def _hopeless_one(kind: str, name: str, container: Document) -> tuple[str, str]:
    wait = container["waiting"]
    why = f'The pod errored with the message: "{wait.get("message", "")}."'
    who = f'the {kind} "{container["name"]}" in TaskRun "{name}"'
    if wait["reason"] in ("ImagePullBackOff", "InvalidImageName"):
        return "TaskRunImagePullFailed", f'{who} failed to pull the image "{container.get("imageID", "")}". {why}'
    config = wait["reason"] == "CreateContainerConfigError"
    return "CreateContainerConfigError" if config else "PodCreationFailed", f"{who} failed to start. {why}"


def ended(step: Document, pod: str, reason: str, created: str, now: str) -> Document:
    """A step's state once its TaskRun is ended from outside; a step that had ended, or never began, stays as it is."""
    running = step.get("running")
    if running is None and "waiting" not in step:
        return step
    kept = {key: value for key, value in step.items() if key not in ("running", "waiting")}
    kept["terminated"] = {
        "exitCode": 1,
        "finishedAt": now,
        "message": f"Step {step['name']} terminated as pod {pod} is terminated",
        "reason": reason,
        "startedAt": created if running is None else running.get("startedAt", created),
    }
    kept["terminationReason"] = reason
    return kept
