"""The containers of a TaskRun's pod: what prepares it, its steps behind the entrypoint, and its sidecars."""

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.computeresources import merged, share_of
from sim.tekton.credentials import Credentials
from sim.tekton.workspaces import Workspaces

_ENTRYPOINT_IMAGE = "ghcr.io/tektoncd/pipeline/entrypoint"
_SHELL_IMAGE = "cgr.dev/chainguard/busybox"
_WORKDIR_IMAGE = "ghcr.io/tektoncd/pipeline/workingdirinit"
_ENTRYPOINT = "/tekton/bin/entrypoint"
_STEP_KEYS = ("env", "envFrom", "imagePullPolicy", "securityContext", "volumeDevices", "workingDir")
_SIDECAR_ONLY = ("script", "computeResources", "workspaces")
_MERGED_BY = (("env", "name"), ("volumeMounts", "mountPath"), ("volumeDevices", "devicePath"))


def step_name(step: Mapping[str, Any], index: int) -> str:
    return step.get("name") or f"unnamed-{index}"


def merged_steps(task_spec: Document, run_spec: Document) -> list[Document]:
    """The steps with what the Task's stepTemplate and the TaskRun's own settings add to them."""
    template = task_spec.get("stepTemplate")
    steps: list[Document] = task_spec["steps"]
    if template:
        steps = [_with_template(template, step) for step in steps]
    settings = {one["name"]: one for one in run_spec.get("stepSpecs") or ()}
    if settings:
        steps = [_with_resources(step, settings.get(step.get("name") or "")) for step in steps]
    demand = run_spec.get("computeResources")
    if not demand:
        return steps
    return [
        {**step, "computeResources": share_of(demand, step.get("computeResources") or {}, len(steps))} for step in steps
    ]


def _with_resources(one: Document, setting: Document | None) -> Document:
    if setting is None:
        return one
    return {**one, "computeResources": merged(one.get("computeResources"), setting.get("computeResources"))}


def _with_template(template: Document, step: Document) -> Document:
    both = {**template, **step}
    for field, key in _MERGED_BY:
        if template.get(field) and step.get(field):
            by_key = {one[key]: one for one in template[field]}
            by_key.update({one[key]: one for one in step[field]})
            both[field] = list(by_key.values())
    if template.get("securityContext") and step.get("securityContext"):
        both["securityContext"] = {**template["securityContext"], **step["securityContext"]}
    if template.get("computeResources"):
        both["computeResources"] = merged(template["computeResources"], step.get("computeResources"))
    return both


def init_containers(steps: Sequence[Document], sidecars: Iterable[Document]) -> list[dict[str, Any]]:
    names = [step_name(step, index) for index, step in enumerate(steps)]
    prepare: dict[str, Any] = {
        "name": "prepare",
        "image": _ENTRYPOINT_IMAGE,
        "command": ["/ko-app/entrypoint", "init", "/ko-app/entrypoint", _ENTRYPOINT, *(f"step-{one}" for one in names)],
        "workingDir": "/",
    }
    containers = [prepare]
    scripts = [one["script"] for one in (*steps, *sidecars) if one.get("script")]
    if scripts:
        containers.append({"name": "place-scripts", "image": _SHELL_IMAGE, "command": ["sh"], "args": ["-c", *scripts]})
    directories = sorted({posixpath.normpath(step["workingDir"]) for step in steps if step.get("workingDir")})
    directories = [one for one in directories if not one.startswith("/") or one.startswith("/workspace/")]
    if directories:
        containers.append(
            {
                "name": "working-dir-initializer",
                "image": _WORKDIR_IMAGE,
                "command": ["/ko-app/workingdirinit"],
                "args": directories,
                "workingDir": "/workspace",
            }
        )
    return containers


def step_containers(
    task_spec: Document,
    steps: Sequence[Document],
    workspaces: Workspaces,
    credentials: Credentials,
    env: Sequence[Document],
) -> list[dict[str, Any]]:
    """``env`` is what the pod template adds to every step's environment."""
    results = ",".join(one["name"] for one in task_spec.get("results") or () if one.get("value") is None)
    declared = ["-results", results] if task_spec.get("results") else []
    containers = []
    for index, step in enumerate(steps):
        container: dict[str, Any] = {
            "name": f"step-{step_name(step, index)}",
            "image": step.get("image", ""),
            "command": [_ENTRYPOINT],
            "args": _entrypoint_args(step, index, credentials.arguments, declared),
            "terminationMessagePath": "/tekton/termination",
            **{key: step[key] for key in _STEP_KEYS if key in step},
        }
        if env:
            container["env"] = [*(step.get("env") or ()), *env]
        if step.get("computeResources"):
            container["resources"] = step["computeResources"]
        mounts = [*(step.get("volumeMounts") or ()), *workspaces.mounts("steps", index), *credentials.mounts]
        if mounts:
            container["volumeMounts"] = mounts
        containers.append(container)
    return containers


def sidecar_containers(task_spec: Document, run_spec: Document, workspaces: Workspaces) -> list[dict[str, Any]]:
    settings = {one["name"]: one for one in run_spec.get("sidecarSpecs") or ()}
    containers = []
    for index, own in enumerate(task_spec.get("sidecars") or ()):
        sidecar = _with_resources(own, settings.get(own["name"]))
        container = {key: value for key, value in sidecar.items() if key not in _SIDECAR_ONLY}
        container["name"] = f"sidecar-{sidecar['name']}"
        container["resources"] = sidecar.get("computeResources", {})
        if sidecar.get("script"):
            container["command"] = [f"/tekton/scripts/sidecar-script-{index}"]
        taken = {mount["mountPath"] for mount in sidecar.get("volumeMounts") or ()}
        added = [mount for mount in workspaces.mounts("sidecars", index) if mount["mountPath"] not in taken]
        if added:
            container["volumeMounts"] = [*(sidecar.get("volumeMounts") or ()), *added]
        containers.append(container)
    return containers


def _entrypoint_args(step: Document, index: int, credentials: Sequence[str], results: Sequence[str]) -> list[str]:
    if index == 0:
        args = ["-wait_file", "/tekton/downward/ready", "-wait_file_content"]
    else:
        args = ["-wait_file", f"/tekton/run/{index - 1}/out"]
    args += ["-post_file", f"/tekton/run/{index}/out", "-termination_path", "/tekton/termination"]
    args += ["-step_metadata_dir", f"/tekton/run/{index}/status", *credentials]
    if step.get("onError"):
        args += ["-on_error", str(step["onError"])]
    if step.get("timeout"):
        args += ["-timeout", str(step["timeout"])]
    for flag, key in (("-stdout_path", "stdoutConfig"), ("-stderr_path", "stderrConfig")):
        if step.get(key):
            args += [flag, step[key].get("path", "")]
    if step.get("results"):
        args += ["-step_results", ",".join(one["name"] for one in step["results"])]
    if step.get("when"):
        args += ["--when_expressions", json.dumps(step["when"], separators=(",", ":"))]
    args += results
    if step.get("script"):
        command, rest = f"/tekton/scripts/script-{index}", list(step.get("args") or ())
    else:
        words = [*(step.get("command") or ()), *(step.get("args") or ())]
        command, rest = (words[0] if words else ""), words[1:]
    return [*args, "-entrypoint", command, "--", *rest]
