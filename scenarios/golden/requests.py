"""The requests of which a recording keeps the answers, by the recorder's words for them."""

from collections.abc import Callable, Mapping
from typing import Any

_STEP = {"name": "a", "image": "reg.local/tool:1", "script": "#!/bin/sh\necho hi\n"}
_TASK = {"name": "run", "taskSpec": {"steps": [_STEP]}}
_TEN = [{"name": "bundle", "value": "x"}, {"name": "bundle", "value": "y"}]


def _patch(body: Mapping[str, Any], *, task: bool = False) -> Callable[[str], dict[str, Any]]:
    def build(run: str) -> dict[str, Any]:
        resource, name = ("taskruns", f"{run}-run") if task else ("pipelineruns", run)
        return {"do": "patch", "resource": resource, "name": name, "body": body}

    return build


def _create(spec: Mapping[str, Any], *, name: str = "", namespace: str = "") -> Callable[[str], dict[str, Any]]:
    """``spec`` changes that of the recorded run; None takes a field away."""

    def build(run: str) -> dict[str, Any]:
        deed: dict[str, Any] = {"do": "create", "name": name or f"{run}-x", "spec": spec}
        return {**deed, "namespace": namespace} if namespace else deed

    return build


_REQUESTS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "create duplicate": lambda _run: {"do": "recreate"},
    "running: change spec.params": _patch({"spec": {"params": [{"name": "x", "value": "y"}]}}),
    "running: change spec.timeouts": _patch({"spec": {"timeouts": {"pipeline": "2h0m0s"}}}),
    "running: add label": _patch({"metadata": {"labels": {"x": "y"}}}),
    "running: bogus spec.status": _patch({"spec": {"status": "Bogus"}}),
    "done: cancel": _patch({"spec": {"status": "Cancelled"}}),
    "done: cancel TaskRun": _patch({"spec": {"status": "TaskRunCancelled"}}, task=True),
    "done: add label": _patch({"metadata": {"labels": {"x": "z"}}}),
    "get absent": lambda run: {"do": "get", "name": f"{run}-absent"},
    "delete absent": lambda run: {"do": "delete", "resource": "pipelineruns", "name": f"{run}-absent"},
    "create in absent namespace": _create({}, namespace="absent-ns"),
    "create: tasks timeout > pipeline timeout": _create({"timeouts": {"pipeline": "1m0s", "tasks": "2m0s"}}),
    "create: unknown spec field": _create({"bogusField": True}),
    "create: bad name": _create({}, name="Bad_Name"),
    "create: no pipelineRef/pipelineSpec": _create({"pipelineSpec": None}),
    "create: wrong type (int SA)": _create({"taskRunTemplate": {"serviceAccountName": 5}}),
    "create: duplicate resolver param": _create(
        {"pipelineSpec": None, "pipelineRef": {"resolver": "bundles", "params": _TEN}}
    ),
    "create: duplicate task name": _create({"pipelineSpec": {"tasks": [_TASK, _TASK]}}),
}


def request_of(text: str, run: str) -> dict[str, Any] | None:
    """The deed that these words of the recorder mean; None for any others."""
    build = _REQUESTS.get(text)
    return build(run) if build is not None else None
