"""What a TaskRun's status says of its pod (texts: recordings; rules: ``pkg/pod/status.go``)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.conditions import is_done, renew_condition, set_condition
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
_OOM = "OOMKilled"
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
    containers = pod_status.get("containerStatuses") or ()
    if len(containers) > 1:
        containers = _in_spec_order(containers, pod)
    phase = pod_status.get("phase", "")
    steps, sidecars, over, failed = _glance(containers)
    completed = phase in ("Succeeded", "Failed") or over is None or (over and phase == "Running")
    if completed:
        if failed or phase == "Failed":
            reason, text = failure_of(pod_status, containers, classified=version.classified_failures)
            set_condition(status, "False", "FailureIgnored" if ignore_failure else reason, text, now)
        else:
            set_condition(status, "True", "Succeeded", "All Steps have completed executing", now)
        status["completionTime"] = now
    elif phase == "Pending":
        _pend(status, pod_status, containers, version=version, now=now)
    elif phase == "Running" or not is_done(status):
        set_condition(status, "Unknown", "Running", RUNNING_MESSAGE, now)
    status["podName"] = pod["metadata"]["name"]
    _write_steps(status, steps, results)
    if sidecars:
        status["sidecars"] = [_container_state(one, SIDECAR) for one in sidecars]
    else:
        status.pop("sidecars", None)
    return completed


def _glance(containers: Iterable[Document]) -> tuple[list[Document], list[Document], bool | None, bool]:
    """Steps, sidecars, whether all steps are over, and whether one failed.

    None instead of the third where a step was OOM-killed: that counts as the end, although the pod may linger, for
    the entrypoint that died never lets the later steps go.
    """
    steps: list[Document] = []
    sidecars: list[Document] = []
    over, failed, killed = True, False, False
    for one in containers:
        name = one["name"]
        if name.startswith(STEP):
            steps.append(one)
            terminated = (one.get("state") or _EMPTY).get("terminated")
            if terminated is None:
                over = False
            elif terminated["exitCode"] != 0 or terminated.get("reason") == _OOM:
                failed = True
                killed = killed or terminated.get("reason") == _OOM
        elif name.startswith(SIDECAR):
            sidecars.append(one)
    if killed:
        return steps, sidecars, None, failed
    return steps, sidecars, over and bool(steps or sidecars), failed


def did_fail(pod: Document) -> bool:
    """Whether a pod counts as a failed attempt."""
    pod_status = pod.get("status") or _EMPTY
    return pod_status.get("phase") == "Failed" or _glance(pod_status.get("containerStatuses") or ())[3]


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
    for one in pod_status.get("conditions") or ():
        if one.get("reason") == "Unschedulable" and "Insufficient" in one.get("message", ""):
            return True
    return False


def _in_spec_order(statuses: Iterable[Document], pod: Document) -> list[Document]:
    order = {one["name"]: index for index, one in enumerate(pod["spec"]["containers"])}
    return sorted(statuses, key=lambda one: order.get(one["name"], len(order)))


def _pend(
    status: dict[str, Any], pod_status: Mapping[str, Any], containers: Sequence[Document], *, version: Version, now: str
) -> None:
    pulling = configured = subpath = False
    inspected: Iterable[Document] = containers
    if version.init_containers_inspected:
        inspected = (*(pod_status.get("initContainerStatuses") or ()), *containers)
    for one in inspected:
        wait = (one.get("state") or _EMPTY).get("waiting")
        if wait is None:
            continue
        reason = wait.get("reason")
        if reason == _CONFIG_ERROR:
            configured = True
            subpath = subpath or _SUBPATH in wait.get("message", "")
        elif reason in _PULL_ERRORS:
            pulling = True
    if exceeds_nodes(pod_status):
        renew_condition(status, "Unknown", "ExceededNodeResources", "TaskRun Pod exceeded available resources", now)
    elif subpath:
        renew_condition(status, "Unknown", "Pending", "Waiting for subPath directory creation to complete", now)
    elif configured:
        set_condition(status, "False", _CONFIG_ERROR, "Failed to create pod due to config error", now)
    else:
        reason = "PullImageFailed" if pulling else "Pending"
        renew_condition(status, "Unknown", reason, _waiting_message(pod_status, containers), now)


def _waiting_message(pod_status: Mapping[str, Any], containers: Iterable[Document]) -> str:
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
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
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
