"""Sidecars of a finished TaskRun: their image becomes one that ends at once (``pkg/pod/entrypoint.go``)."""

from collections.abc import Mapping
from typing import Any

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import PermanentError
from sim.tekton.access import PODS, Access
from sim.tekton.attempt import Attempt, RequeueAfter, message_of
from sim.tekton.conditions import condition_of, set_condition
from sim.tekton.containerview import SIDECAR, STEP, told_of

NOP_IMAGE = "ghcr.io/tektoncd/pipeline/nop"
_SILENT_ENDS = ("TaskRunCancelled", "TaskRunTimeout")
_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
_SECOND_US = 1_000_000
_EMPTY: Mapping[str, Any] = {}


async def stop_sidecars(access: Access, attempt: Attempt) -> None:
    """Read the pod of a finished TaskRun, stop what still runs in it beside the steps, and tell their states.

    A TaskRun whose pod was deleted for it is left alone. Raises PermanentError if the pod is gone, RequeueAfter after
    a conflict; any other error makes the TaskRun a failed one.
    """
    status = attempt.status
    name = status.get("podName")
    condition = condition_of(status)
    if not name or (condition is not None and condition.get("reason") in _SILENT_ENDS):
        return
    doing, gone = f'error getting Pod "{name}" when stopping sidecars: ', ""
    try:
        pod = await access.core.get(PODS, attempt.namespace, name)
        patch = _patch(pod)
        if patch:
            doing = gone = f'error stopping sidecars of Pod "{name}": '
            pod = await access.core.patch(PODS, attempt.namespace, name, patch, patch_type="json")
    except (ApiError, ConnectionLost) as error:
        if isinstance(error, ApiError):
            if error.code == 404:
                raise PermanentError(gone + message_of(error)) from error
            if error.reason == "Conflict" and _MODIFIED in error.message:
                raise RequeueAfter(_SECOND_US) from error
        now = access.time.timestamp()
        set_condition(status, "False", "TaskRunStopSidecarFailed", doing + message_of(error), now)
        status["completionTime"] = now
        attempt.precise = True
        return
    if any("terminated" not in one for one in status.get("sidecars") or ()):
        _tell(status, pod)


def _patch(pod: Document) -> list[Document]:
    pod_status = pod.get("status") or _EMPTY
    if pod_status.get("phase") != "Running":
        return []
    running = {
        one["name"]
        for one in pod_status.get("containerStatuses") or ()
        if "running" in (one.get("state") or _EMPTY) and not one["name"].startswith(STEP)
    }
    if not running:
        return []
    return [
        {"op": "replace", "path": f"/spec/containers/{index}/image", "value": NOP_IMAGE}
        for index, one in enumerate(pod["spec"]["containers"])
        if one["name"] in running and one["image"] != NOP_IMAGE
    ]


def _tell(status: dict[str, Any], pod: Document) -> None:
    told = []
    for one in (pod.get("status") or _EMPTY).get("containerStatuses") or ():
        name = one["name"]
        if not name.startswith(SIDECAR):
            continue
        state = one.get("state") or _EMPTY
        before = (one.get("lastState") or _EMPTY).get("terminated")
        if before is not None:
            kept = {key: before[key] for key in ("exitCode", "startedAt", "finishedAt", "containerID") if key in before}
            text = "Sidecar container successfully stopped by nop image"
            state = {"terminated": {**kept, "reason": "Completed", "message": text}}
        told.append(told_of(name, state, one))
    if told:
        status["sidecars"] = told
    else:
        status.pop("sidecars", None)
