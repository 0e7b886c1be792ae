"""The pod of a TaskRun.

What a kubelet model finds in it, as the real builder writes it:

* init containers ``prepare`` (always), ``working-dir-initializer`` (if a step works under ``/workspace``),
  ``place-scripts`` (if a step has a script; the scripts follow ``-c`` in its ``args``); they run one after another,
  before any step;
* one container ``step-<name>`` per step (``unnamed-<index>`` without a name). All start together; the entrypoint in
  each waits for its turn: the first for the file ``/tekton/downward/ready`` to have content, which the kubelet fills
  from the annotation ``tekton.dev/ready`` (Tekton PATCHes it to ``READY`` once all containers run), step k for
  ``/tekton/run/<k-1>/out``. A failed step writes ``out.err`` and the later ones end with code 1, reason ``Skipped``;
* ``args`` carry the entrypoint's flags: ``-wait_file``, ``-wait_file_content``, ``-post_file``, ``-timeout`` (the
  step's, Go notation), ``-on_error``, and after ``-entrypoint`` and ``--`` the step's own command line;
* ``terminationMessagePath`` ``/tekton/termination``: where the entrypoint leaves JSON, a list of
  ``{"key", "value", "type"}``: ``StartedAt`` (RFC 3339, ms), ``Reason`` (``Skipped``, ``TimeoutExceeded``) and
  ``ExitCode`` (``onError: continue``) of type 3, results of type 1. A killed entrypoint leaves nothing;
* labels ``tekton.dev/pipelineTask``, ``pipelineRun``, ``taskRun`` … and all of the PipelineRun's own;
  ``restartPolicy: Never``; ``activeDeadlineSeconds`` 1.5 times the TaskRun's timeout.

Pods of one task template share one spec, unless variables differ.
"""

from collections.abc import Mapping
from typing import Any

from controller.ports import Document
from sim.tekton.access import TASK_RUNS, controller_reference
from sim.tekton.deadlines import parse_duration_us
from sim.tekton.defaults import MANAGED_BY
from sim.tekton.names import pod_name
from sim.tekton.substitution import Memo

READY_ANNOTATION = "tekton.dev/ready"
RELEASE_ANNOTATION = "pipeline.tekton.dev/release"
TASK_RUN_LABEL = "tekton.dev/taskRun"
TASK_RUN_UID_LABEL = "tekton.dev/taskRunUID"
_ENTRYPOINT_IMAGE = "ghcr.io/tektoncd/pipeline/entrypoint"
_SHELL_IMAGE = "cgr.dev/chainguard/busybox"
_WORKDIR_IMAGE = "ghcr.io/tektoncd/pipeline/workingdirinit"
_ENTRYPOINT = "/tekton/bin/entrypoint"
_NO_DEADLINE_S = 2**31 - 1
_DEADLINE_FACTOR = 1.5
_POD_TEMPLATE_KEYS = (
    "nodeSelector",
    "tolerations",
    "affinity",
    "securityContext",
    "priorityClassName",
    "imagePullSecrets",
    "schedulerName",
    "runtimeClassName",
    "hostNetwork",
    "dnsPolicy",
    "dnsConfig",
    "automountServiceAccountToken",
    "topologySpreadConstraints",
)
_STEP_KEYS = ("env", "envFrom", "imagePullPolicy", "securityContext", "volumeDevices", "workingDir")
_WORKSPACE_SOURCES = ("secret", "configMap", "emptyDir", "persistentVolumeClaim", "projected", "csi")
_VOLUMES: tuple[Document, ...] = (
    {"name": "tekton-internal-workspace", "emptyDir": {}},
    {"name": "tekton-internal-bin", "emptyDir": {}},
    {"name": "tekton-internal-scripts", "emptyDir": {}},
    {
        "name": "tekton-internal-downward",
        "downwardAPI": {
            "items": [{"path": "ready", "fieldRef": {"fieldPath": f"metadata.annotations['{READY_ANNOTATION}']"}}]
        },
    },
)
_templates = Memo()


def step_name(step: Mapping[str, Any], index: int) -> str:
    return step.get("name") or f"unnamed-{index}"


def build_pod(task_run: Document, task_spec: Document, *, retries: int, release: str) -> dict[str, Any]:
    """The Pod of an attempt. ``task_run`` carries this attempt's labels and annotations."""
    metadata = task_run["metadata"]
    name = metadata["name"]
    labels = {
        **(metadata.get("labels") or {}),
        MANAGED_BY: "tekton-pipelines",
        TASK_RUN_LABEL: name,
        TASK_RUN_UID_LABEL: metadata["uid"],
    }
    annotations = {**(metadata.get("annotations") or {}), RELEASE_ANNOTATION: release}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(name, retries),
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [controller_reference(TASK_RUNS, task_run)],
        },
        "spec": _pod_spec(task_run["spec"], task_spec),
    }


def _pod_spec(spec: Document, task_spec: Document) -> Document:
    account, timeout = spec.get("serviceAccountName", ""), spec.get("timeout", "1h0m0s")
    template, workspaces = spec.get("podTemplate") or {}, spec.get("workspaces") or ()
    shared = not template and not workspaces
    known: tuple[str, str, Document] | None = _templates.get(task_spec) if shared else None
    if known is not None and known[0] == account and known[1] == timeout:
        return known[2]
    deadline_s = int(parse_duration_us(timeout) * _DEADLINE_FACTOR / 1_000_000) or _NO_DEADLINE_S
    mounts = _workspace_mounts(workspaces)
    pod_spec: dict[str, Any] = {
        "activeDeadlineSeconds": deadline_s,
        "containers": _containers(task_spec, mounts),
        "initContainers": _init_containers(task_spec),
        "restartPolicy": "Never",
        "serviceAccountName": account,
        "volumes": [*_VOLUMES, *(task_spec.get("volumes") or ()), *_workspace_volumes(workspaces)],
        **{key: template[key] for key in _POD_TEMPLATE_KEYS if key in template},
    }
    if shared:
        _templates.put(task_spec, (account, timeout, pod_spec))
    return pod_spec


def _init_containers(task_spec: Document) -> list[dict[str, Any]]:
    steps = task_spec["steps"]
    names = [step_name(step, index) for index, step in enumerate(steps)]
    prepare: dict[str, Any] = {
        "name": "prepare",
        "image": _ENTRYPOINT_IMAGE,
        "command": ["/ko-app/entrypoint", "init", "/ko-app/entrypoint", _ENTRYPOINT, *(f"step-{one}" for one in names)],
        "workingDir": "/",
    }
    containers = [prepare]
    if any(str(step.get("workingDir", "")).startswith("/workspace") for step in steps):
        containers.append({"name": "working-dir-initializer", "image": _WORKDIR_IMAGE})
    if any(step.get("script") for step in steps):
        scripts = [step["script"] for step in steps if step.get("script")]
        containers.append({"name": "place-scripts", "image": _SHELL_IMAGE, "command": ["sh"], "args": ["-c", *scripts]})
    return containers


def _containers(task_spec: Document, workspace_mounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    defaults = task_spec.get("stepTemplate") or {}
    containers = []
    for index, own in enumerate(task_spec["steps"]):
        step = {**defaults, **own}
        container: dict[str, Any] = {
            "name": f"step-{step_name(own, index)}",
            "image": step.get("image", ""),
            "command": [_ENTRYPOINT],
            "args": _entrypoint_args(step, index),
            "terminationMessagePath": "/tekton/termination",
            **{key: step[key] for key in _STEP_KEYS if key in step},
        }
        if step.get("computeResources"):
            container["resources"] = step["computeResources"]
        if workspace_mounts or step.get("volumeMounts"):
            container["volumeMounts"] = [*(step.get("volumeMounts") or ()), *workspace_mounts]
        containers.append(container)
    for sidecar in task_spec.get("sidecars") or ():
        kept = {key: value for key, value in sidecar.items() if key not in ("script", "computeResources", "workspaces")}
        containers.append(
            {**kept, "name": f"sidecar-{sidecar['name']}", "resources": sidecar.get("computeResources", {})}
        )
    return containers


def _entrypoint_args(step: Mapping[str, Any], index: int) -> list[str]:
    if index == 0:
        args = ["-wait_file", "/tekton/downward/ready", "-wait_file_content"]
    else:
        args = ["-wait_file", f"/tekton/run/{index - 1}/out"]
    args += ["-post_file", f"/tekton/run/{index}/out", "-termination_path", "/tekton/termination"]
    args += ["-step_metadata_dir", f"/tekton/run/{index}/status"]
    if step.get("timeout"):
        args += ["-timeout", str(step["timeout"])]
    if step.get("onError"):
        args += ["-on_error", str(step["onError"])]
    if step.get("script"):
        command, rest = f"/tekton/scripts/script-{index}", list(step.get("args") or ())
    else:
        words = [*(step.get("command") or ()), *(step.get("args") or ())]
        command, rest = (words[0] if words else ""), words[1:]
    return [*args, "-entrypoint", command, "--", *rest]


def _workspace_volumes(workspaces: Any) -> list[dict[str, Any]]:
    return [
        {"name": f"ws-{index}", **{key: one[key] for key in _WORKSPACE_SOURCES if key in one}}
        for index, one in enumerate(workspaces)
    ]


def _workspace_mounts(workspaces: Any) -> list[dict[str, Any]]:
    mounts = []
    for index, one in enumerate(workspaces):
        mount: dict[str, Any] = {"name": f"ws-{index}", "mountPath": f"/workspace/{one['name']}"}
        if one.get("subPath"):
            mount["subPath"] = one["subPath"]
        mounts.append(mount)
    return mounts
