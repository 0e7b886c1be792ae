"""What a TaskRun's status says of its pod (texts: recordings; rules: ``pkg/pod/status.go``)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.conditions import condition_of, is_done, renew_condition, set_condition
from sim.tekton.failure import failure_of
from sim.tekton.substitution import Memo
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
_shown = Memo(2048)  # most versions of a pod have the container statuses of the version before


def observe(
    status: dict[str, Any],
    pod: Document,
    *,
    results: Mapping[str, str],
    ignore_failure: bool,
    version: Version,
    now: str,
) -> Document | None:
    """Write into a TaskRun status being built what the pod shows: condition, podName, steps, results.

    ``results`` are the Task's declared results with their types. Answers the condition.
    """
    pod_status = pod.get("status") or _EMPTY
    containers = pod_status.get("containerStatuses") or ()
    if len(containers) > 1:
        containers = _in_spec_order(containers, pod)
    phase = pod_status.get("phase", "")
    steps, sidecars, over, failed = _glance(containers)
    condition: Document | None
    if phase in ("Succeeded", "Failed") or over is None or (over and phase == "Running"):
        if failed or phase == "Failed":
            reason, text = failure_of(pod_status, containers, classified=version.classified_failures)
            condition = set_condition(status, "False", "FailureIgnored" if ignore_failure else reason, text, now)
        else:
            condition = set_condition(status, "True", "Succeeded", "All Steps have completed executing", now)
        status["completionTime"] = now
    elif phase == "Pending":
        condition = _pend(status, pod_status, containers, version, now)
    elif phase == "Running" or not is_done(status):
        condition = set_condition(status, "Unknown", "Running", RUNNING_MESSAGE, now)
    else:
        condition = condition_of(status)
    status["podName"] = pod["metadata"]["name"]
    _write_steps(status, steps, results, condition is not None and condition["status"] != "Unknown")
    if sidecars:
        status["sidecars"] = [_container_state(one, SIDECAR) for one in sidecars]
    elif "sidecars" in status:
        del status["sidecars"]
    return condition


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
            state = one.get("state")
            terminated = state.get("terminated") if state else None
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


def _write_steps(status: dict[str, Any], steps: list[Document], declared: Mapping[str, str], done: bool) -> None:
    if done:
        status["artifacts"] = {}
    found: dict[str, Any] = {}
    states = []
    for one in steps:
        shown: tuple[Document, tuple[tuple[str, Any], ...]] | None = _shown.get(one)
        if shown is None:
            shown = _step(one)
            _shown.put(one, shown)
        states.append(shown[0])
        if shown[1]:
            found.update(shown[1])
    if states and states != status.get("steps"):  # else the very same list stays, and nobody looks into it again
        status["steps"] = states
    if done and declared:
        emitted = [
            {"name": name, "type": declared[name], "value": value} for name, value in found.items() if name in declared
        ]
        if emitted:
            status["results"] = emitted


def _step(one: Document) -> tuple[Document, tuple[tuple[str, Any], ...]]:
    """A step as the TaskRun shows it, and its results."""
    state = _container_state(one, STEP)
    terminated = state.get("terminated")
    results: tuple[tuple[str, Any], ...] = ()
    if terminated is not None and terminated.get("message"):
        results = _read_termination(state, terminated)
    state["provenance"] = {}
    return state, results


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
