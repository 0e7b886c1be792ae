"""What a TaskRun's status says of its pod (texts: recordings; rules: ``pkg/pod/status.go``)."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.conditions import condition_of, is_done, set_condition
from sim.tekton.failure import failure_of
from sim.tekton.version import Version

STEP = "step-"
SIDECAR = "sidecar-"
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
_EMPTY: Mapping[str, Any] = {}


def observe(
    status: dict[str, Any],
    pod: Document,
    *,
    results: Mapping[str, str],
    ignore_failure: bool,
    version: Version,
    now: str,
) -> bool:
    """Write into a TaskRun status being built what the pod shows: condition, podName, steps, results.

    ``results`` are the Task's declared results with their types. Returns whether a completion time was taken.
    """
    pod_status = pod.get("status") or _EMPTY
    containers = _in_spec_order(pod_status.get("containerStatuses") or (), pod)
    steps = [one for one in containers if one["name"].startswith(STEP)]
    condition = condition_of(status)
    if condition is None or condition["status"] == "Unknown":
        set_condition(status, "Unknown", "Running", RUNNING_MESSAGE, now)
    completed = _completed(pod_status.get("phase", ""), steps, bool(containers))
    if completed:
        _conclude(status, pod_status, containers, ignore_failure=ignore_failure, version=version, now=now)
    else:
        _progress(status, pod_status, containers, version=version, now=now)
    status["podName"] = pod["metadata"]["name"]
    _write_steps(status, steps, results)
    sidecars = [_container_state(one, SIDECAR) for one in containers if one["name"].startswith(SIDECAR)]
    if sidecars:
        status["sidecars"] = sidecars
    else:
        status.pop("sidecars", None)
    return completed


def did_fail(pod: Document) -> bool:
    """Whether a pod counts as a failed attempt."""
    pod_status = pod.get("status") or _EMPTY
    if pod_status.get("phase") == "Failed":
        return True
    return any(_step_failed(one) for one in pod_status.get("containerStatuses") or () if one["name"].startswith(STEP))


def sidecars_ready(pod: Document) -> bool:
    """Whether the first step may start: the pod runs and all that is not a step is ready or over."""
    pod_status = pod.get("status") or _EMPTY
    if pod_status.get("phase") != "Running":
        return False
    for one in pod_status.get("containerStatuses") or ():
        if one["name"].startswith(STEP):
            continue
        state = one.get("state") or _EMPTY
        if not ("terminated" in state or ("running" in state and one.get("ready"))):
            return False
    return True


def exceeds_nodes(pod_status: Mapping[str, Any]) -> bool:
    return any(
        one.get("reason") == "Unschedulable" and "Insufficient" in one.get("message", "")
        for one in pod_status.get("conditions") or ()
    )


def _in_spec_order(statuses: Iterable[Document], pod: Document) -> list[Document]:
    listed = list(statuses)
    if len(listed) < 2:
        return listed
    order = {one["name"]: index for index, one in enumerate(pod["spec"]["containers"])}
    listed.sort(key=lambda one: order.get(one["name"], len(order)))
    return listed


def _step_failed(one: Document) -> bool:
    terminated = (one.get("state") or _EMPTY).get("terminated")
    return terminated is not None and (terminated["exitCode"] != 0 or terminated.get("reason") == "OOMKilled")


def _completed(phase: str, steps: list[Document], any_status: bool) -> bool:
    if phase in ("Succeeded", "Failed"):
        return True
    open_steps = False
    for one in steps:
        terminated = (one.get("state") or _EMPTY).get("terminated")
        if terminated is None:
            open_steps = True
        elif terminated.get("reason") == "OOMKilled":
            return True  # the pod may linger: the entrypoint that died never lets the later steps go
    return phase == "Running" and any_status and not open_steps


def _conclude(
    status: dict[str, Any],
    pod_status: Mapping[str, Any],
    containers: list[Document],
    *,
    ignore_failure: bool,
    version: Version,
    now: str,
) -> None:
    if pod_status.get("phase") == "Failed" or any(
        _step_failed(one) for one in containers if one["name"].startswith(STEP)
    ):
        reason, message = failure_of(pod_status, containers, classified=version.classified_failures)
        set_condition(status, "False", "FailureIgnored" if ignore_failure else reason, message, now)
    else:
        set_condition(status, "True", "Succeeded", "All Steps have completed executing", now)
    status["completionTime"] = now


def _progress(
    status: dict[str, Any], pod_status: Mapping[str, Any], containers: list[Document], *, version: Version, now: str
) -> None:
    phase = pod_status.get("phase", "")
    if phase == "Running":
        set_condition(status, "Unknown", "Running", RUNNING_MESSAGE, now)
        return
    if phase != "Pending":
        return
    inspected = containers
    if version.init_containers_inspected:
        inspected = [*(pod_status.get("initContainerStatuses") or ()), *containers]
    waits = [wait for one in inspected if (wait := (one.get("state") or _EMPTY).get("waiting")) is not None]
    if exceeds_nodes(pod_status):
        set_condition(status, "Unknown", "ExceededNodeResources", "TaskRun Pod exceeded available resources", now)
    elif any(wait.get("reason") == _CONFIG_ERROR and _SUBPATH in wait.get("message", "") for wait in waits):
        set_condition(status, "Unknown", "Pending", "Waiting for subPath directory creation to complete", now)
    elif any(wait.get("reason") == _CONFIG_ERROR for wait in waits):
        set_condition(status, "False", _CONFIG_ERROR, "Failed to create pod due to config error", now)
    else:
        reason = "PullImageFailed" if any(wait.get("reason") in _PULL_ERRORS for wait in waits) else "Pending"
        set_condition(status, "Unknown", reason, _waiting_message(pod_status, containers), now)


def _waiting_message(pod_status: Mapping[str, Any], containers: list[Document]) -> str:
    for one in containers:
        wait = (one.get("state") or _EMPTY).get("waiting")
        if wait is not None and wait.get("message"):
            return f'build step "{one["name"]}" is pending with reason {quoted(wait["message"])}'
    for one in pod_status.get("conditions") or ():
        if one["status"] != "True":
            return f'pod status "{one["type"]}":"{one["status"]}"; message: {quoted(one.get("message", ""))}'
    return pod_status.get("message") or "Pending"


def quoted(text: str) -> str:
    """``text`` as Go's ``%q`` writes it."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'


def _write_steps(status: dict[str, Any], steps: list[Document], declared: Mapping[str, str]) -> None:
    done = is_done(status)
    if done:
        status["artifacts"] = {}
    found: dict[str, Any] = {}
    states = []
    for one in steps:
        state = _container_state(one, STEP)
        terminated = state.get("terminated")
        if terminated is not None and terminated.get("message"):
            found.update(_read_termination(state, terminated))
        state["provenance"] = {}
        states.append(state)
    if states:
        status["steps"] = states
    if done and declared:
        emitted = [
            {"name": name, "type": declared[name], "value": value} for name, value in found.items() if name in declared
        ]
        if emitted:
            status["results"] = emitted


def _container_state(one: Document, prefix: str) -> dict[str, Any]:
    name = one["name"]
    state: dict[str, Any] = {"container": name, "name": name[len(prefix) :], **(one.get("state") or _EMPTY)}
    if one.get("imageID"):
        state["imageID"] = one["imageID"]
    return state


def _read_termination(state: dict[str, Any], terminated: Document) -> tuple[tuple[str, Any], ...]:
    read = termination.parse(terminated["message"])
    if read is None:
        return ()
    shown = {key: value for key, value in terminated.items() if key != "message"}
    if read.rest:
        shown["message"] = read.rest
    if read.started_at:
        shown["startedAt"] = read.started_at
    if read.exit_code is not None:
        shown["exitCode"] = read.exit_code
    state["terminated"] = shown
    reason = read.reason or ("Continued" if read.exit_code is not None else terminated.get("reason", ""))
    if reason:
        state["terminationReason"] = reason
    return read.results
