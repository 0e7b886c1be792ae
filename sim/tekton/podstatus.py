"""What a TaskRun's status says of its pod (texts: recordings; rules: ``pkg/pod/status.go``)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.conditions import condition_of, renew_condition, set_condition
from sim.tekton.containerview import STEP, ContainerView, view_of
from sim.tekton.failure import failure_of
from sim.tekton.goformat import quoted
from sim.tekton.taskresults import Declared, emitted, labelled, step_results, unfit
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
_QUOTED_MAX = 256
_ENDED = ("Succeeded", "Failed")
_EMPTY: Mapping[str, Any] = {}


def observe(
    status: dict[str, Any],
    pod: Document,
    declared: Declared,
    ignore_failure: bool,
    version: Version,
    now: str,
) -> tuple[Document, str]:
    """Write into a TaskRun status being built what the pod shows: condition, podName, steps, results.

    Answers the condition, and what of the pod could not be read (``""`` as a rule): an error of the reconcile.
    """
    pod_status = pod.get("status") or _EMPTY
    containers = pod_status.get("containerStatuses") or ()
    if len(containers) > 1:
        containers = _in_spec_order(containers, pod)
    steps: list[Document] = []
    sidecars: list[Document] = []
    views: list[ContainerView] = []
    over, failed, killed, faulty = True, False, False, False
    for one in containers:
        view = view_of(one)
        if view.step:
            steps.append(view.told)
            views.append(view)
            over = over and view.over
            failed = failed or view.failed
            killed = killed or view.killed
            faulty = faulty or bool(view.faults)
        elif view.sidecar:
            sidecars.append(view.told)
    phase = pod_status.get("phase", "")
    # A step that was OOM-killed is the end, although the pod may linger: its entrypoint never lets later steps go.
    if killed or phase in _ENDED or (over and containers and phase == "Running"):
        reason = "Succeeded"
        text = "All Steps have completed executing"
        if failed or phase == "Failed":
            reason, text = failure_of(pod_status, containers, classified=version.classified_failures)
            reason = "FailureIgnored" if ignore_failure else reason
        condition = set_condition(status, "True" if reason == "Succeeded" else "False", reason, text, now)
        status["completionTime"] = now
    else:
        condition = _underway(status, pod_status, containers, version, now)
    status["podName"] = pod["metadata"]["name"]
    fault = _complaints(views, version) if faulty else ""
    if condition["status"] != "Unknown":
        condition, steps, fault = _leave_behind(status, condition, views, declared, fault, now)
    if steps and steps != status.get("steps"):  # else the very same list stays, and nobody looks into it again
        status["steps"] = steps
    if sidecars:
        status["sidecars"] = sidecars
    else:
        status.pop("sidecars", None)
    return condition, fault


def _leave_behind(
    status: dict[str, Any], condition: Document, views: list[ContainerView], declared: Declared, fault: str, now: str
) -> tuple[Document, list[Document], str]:
    """Write what the TaskRun emitted now that it is over. Answers its condition, its steps and what is wrong.

    Results that are not as declared make it a failed one, unless there is a ``fault`` already.
    """
    status["artifacts"] = {}
    results: Sequence[Document] = emitted(views, declared)
    if results and not fault:
        results, fault = unfit(results, declared)
        if fault:
            condition = set_condition(status, "False", "TaskRunValidationFailed", labelled(fault), now)
    if results:
        status["results"] = results
    else:
        status.pop("results", None)
    steps: list[Document] = [
        {**view.told, "results": step_results(view, declared)} if view.step_results else view.told for view in views
    ]
    return condition, steps, fault


def _complaints(views: Iterable[ContainerView], version: Version) -> str:
    """What the steps left that cannot be read, in Tekton's words."""
    texts = []
    for view in views:
        for fault, quoted_text in view.faults:
            cut = version.quoted_messages_cut and len(quoted_text) > _QUOTED_MAX
            texts.append(fault + (f"{quoted_text[:_QUOTED_MAX]}...(truncated)" if cut else quoted_text))
    return "\n".join(texts)


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
            if _SUBPATH not in wait.get("message", ""):
                configured = True
            elif inits is None or one not in inits:
                subpath = True
        elif reason in _PULL_ERRORS:
            pulling = True
    unmet: Document | None = None
    for one in pod_status.get("conditions") or ():
        if one.get("reason") == "Unschedulable" and "Insufficient" in one.get("message", ""):
            text = "TaskRun Pod exceeded available resources"
            return renew_condition(status, "Unknown", "ExceededNodeResources", text, now)
        if unmet is None and one["status"] != "True":
            unmet = one
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
