"""What a TaskRun's status says of its pod (texts: recordings; rules: ``pkg/pod/status.go``)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.tekton.conditions import condition_of, renew_condition, set_condition
from sim.tekton.containerview import STEP, view_of
from sim.tekton.failure import failure_of
from sim.tekton.version import Version

RUNNING_MESSAGE = "Not all Steps in the Task have finished executing"
_PULL_ERRORS = frozenset(
    {
        "ImagePullBackOff",
        "ImageInspectError",
        "ErrImagePull",
        "ErrImageNeverPull",
        "RegistryUnavailable",
        "InvalidImageName",
    }
)
_CONFIG_ERROR = "CreateContainerConfigError"
_SUBPATH = "failed to create subPath directory"
_ENDED = ("Succeeded", "Failed")
_EMPTY: Mapping[str, Any] = {}


def observe(
    status: dict[str, Any],
    pod: Document,
    results: Mapping[str, str],
    ignore_failure: bool,
    version: Version,
    now: str,
) -> Document:
    """Write into a TaskRun status being built what the pod shows: condition, podName, steps, results.

    ``results`` are the Task's declared results with their types. Answers the condition.
    """
    pod_status = pod.get("status") or _EMPTY
    containers = pod_status.get("containerStatuses") or ()
    if len(containers) > 1:
        containers = _in_spec_order(containers, pod)
    steps: list[Document] = []
    sidecars: list[Document] = []
    found: tuple[tuple[str, Any], ...] = ()
    over, failed, killed = True, False, False
    for one in containers:
        view = view_of(one)
        if view.step:
            steps.append(view.told)
            over = over and view.over
            failed = failed or view.failed
            killed = killed or view.killed
            found += view.results
        elif view.sidecar:
            sidecars.append(view.told)
    phase = pod_status.get("phase", "")
    # A step that was OOM-killed is the end, although the pod may linger: its entrypoint never lets later steps go.
    if killed or phase in _ENDED or (over and phase == "Running" and (steps or sidecars)):
        if failed or phase == "Failed":
            reason, text = failure_of(pod_status, containers, classified=version.classified_failures)
            condition = set_condition(status, "False", "FailureIgnored" if ignore_failure else reason, text, now)
        else:
            condition = set_condition(status, "True", "Succeeded", "All Steps have completed executing", now)
        status["completionTime"] = now
    else:
        condition = _underway(status, pod_status, containers, version, now)
    status["podName"] = pod["metadata"]["name"]
    if condition["status"] != "Unknown":
        _emit(status, dict(found), results)
    if steps and steps != status.get("steps"):  # else the very same list stays, and nobody looks into it again
        status["steps"] = steps
    if sidecars:
        status["sidecars"] = sidecars
    else:
        status.pop("sidecars", None)
    return condition


def _emit(status: dict[str, Any], found: Mapping[str, Any], declared: Mapping[str, str]) -> None:
    """Write what the TaskRun leaves behind now that it is over."""
    status["artifacts"] = {}
    emitted = [
        {"name": name, "type": declared[name], "value": value} for name, value in found.items() if name in declared
    ]
    if emitted:
        status["results"] = emitted


def did_fail(pod: Document) -> bool:
    """Whether a pod counts as a failed attempt."""
    pod_status = pod.get("status") or _EMPTY
    if pod_status.get("phase") == "Failed":
        return True
    for one in pod_status.get("containerStatuses") or ():
        view = view_of(one)
        if view.step and view.failed:
            return True
    return False


def sidecars_ready(pod_status: Document) -> bool:
    """Whether the first step of a pod that runs may start: all that is not a step is ready or over."""
    for one in pod_status.get("containerStatuses") or ():
        if one["name"].startswith(STEP):
            continue
        state = one.get("state") or _EMPTY
        if not ("terminated" in state or ("running" in state and one.get("ready"))):
            return False
    return True


def _in_spec_order(statuses: Iterable[Document], pod: Document) -> list[Document]:
    order = {one["name"]: index for index, one in enumerate(pod["spec"]["containers"])}
    return sorted(statuses, key=lambda one: order.get(one["name"], len(order)))


def _underway(
    status: dict[str, Any], pod_status: Mapping[str, Any], containers: Sequence[Document], version: Version, now: str
) -> Document:
    """The condition while the pod has not ended."""
    phase = pod_status.get("phase", "")
    if phase == "Pending":
        return _pend(status, pod_status, containers, version, now)
    present = condition_of(status)
    if phase == "Running" or present is None or present["status"] == "Unknown":
        return set_condition(status, "Unknown", "Running", RUNNING_MESSAGE, now)
    return present


def _pend(
    status: dict[str, Any], pod_status: Mapping[str, Any], containers: Sequence[Document], version: Version, now: str
) -> Document:
    pulling = configured = subpath = False
    inits = pod_status.get("initContainerStatuses")
    inspected = (*inits, *containers) if inits and version.init_containers_inspected else containers
    for one in inspected:
        state = one.get("state")
        if not state or "waiting" not in state:
            continue
        wait = state["waiting"]
        reason = wait.get("reason")
        if reason == _CONFIG_ERROR:
            configured = True
            subpath = subpath or _SUBPATH in wait.get("message", "")
        elif reason in _PULL_ERRORS:
            pulling = True
    unmet: Document | None = None
    for one in pod_status.get("conditions") or ():
        if one["status"] != "True":
            if one.get("reason") == "Unschedulable" and "Insufficient" in one.get("message", ""):
                text = "TaskRun Pod exceeded available resources"
                return renew_condition(status, "Unknown", "ExceededNodeResources", text, now)
            unmet = unmet or one
    if subpath:
        text = "Waiting for subPath directory creation to complete"
        return renew_condition(status, "Unknown", "Pending", text, now)
    if configured:
        return set_condition(status, "False", _CONFIG_ERROR, "Failed to create pod due to config error", now)
    text = _waiting_message(pod_status, containers, unmet)
    return renew_condition(status, "Unknown", "PullImageFailed" if pulling else "Pending", text, now)


def _waiting_message(pod_status: Mapping[str, Any], containers: Iterable[Document], unmet: Document | None) -> str:
    """``unmet`` is the first condition of the pod that does not hold."""
    for one in containers:
        state = one.get("state")
        if state and "waiting" in state and state["waiting"].get("message"):
            return f'build step "{one["name"]}" is pending with reason {quoted(state["waiting"]["message"])}'
    if unmet is not None:
        return f'pod status "{unmet["type"]}":"{unmet["status"]}"; message: {quoted(unmet.get("message", ""))}'
    return pod_status.get("message") or "Pending"


@lru_cache(maxsize=1024)
def quoted(text: str) -> str:
    """``text`` as Go's ``%q`` writes it."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'
