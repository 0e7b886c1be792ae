"""The pod of a TaskRun.

What a kubelet model finds in it, as the real builder writes it:

* init containers ``prepare`` (always), ``place-scripts`` (if a step or sidecar has a script; the scripts follow
  ``-c`` in its ``args``), ``working-dir-initializer`` (if a step works under ``/workspace`` or in a relative
  directory); they run one after another, before any step;
* one container ``step-<name>`` per step (``unnamed-<index>`` without a name). All start together; the entrypoint in
  each waits for its turn: the first for the file ``/tekton/downward/ready`` to have content, which the kubelet fills
  from the annotation ``tekton.dev/ready`` (Tekton PATCHes it to ``READY`` once all containers run), step k for
  ``/tekton/run/<k-1>/out``. A failed step writes ``out.err`` and the later ones end with code 1, reason ``Skipped``;
* ``args`` carry the entrypoint's flags: ``-wait_file``, ``-wait_file_content``, ``-post_file``, ``-on_error``,
  ``-timeout`` (the step's, Go notation), ``-results``; after ``-entrypoint`` and ``--`` the step's own command line;
* ``terminationMessagePath`` ``/tekton/termination``: where the entrypoint leaves JSON, a list of
  ``{"key", "value", "type"}``: ``StartedAt`` (RFC 3339, ms), ``Reason`` (``Skipped``, ``TimeoutExceeded``) and
  ``ExitCode`` (``onError: continue``) of type 3, results of type 1. A killed entrypoint leaves nothing;
* labels ``tekton.dev/pipelineTask``, ``pipelineRun``, ``taskRun`` … and all of the PipelineRun's own;
  ``restartPolicy: Never``; ``activeDeadlineSeconds`` 1.5 times the TaskRun's timeout.

Pods of one task template share one spec, unless variables differ.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.access import TASK_RUNS, controller_reference
from sim.tekton.computeresources import default_requests, with_default_requests
from sim.tekton.credentials import NO_CREDENTIALS, Credentials
from sim.tekton.deadlines import parse_duration_us
from sim.tekton.defaults import MANAGED_BY
from sim.tekton.names import pod_name
from sim.tekton.podcontainers import init_containers, merged_steps, sidecar_containers, step_containers, step_name
from sim.tekton.substitution import Memo
from sim.tekton.workspaces import workspaces_of

__all__ = ["READY_ANNOTATION", "RELEASE_ANNOTATION", "TASK_RUN_LABEL", "build_pod", "step_name"]

READY_ANNOTATION = "tekton.dev/ready"
RELEASE_ANNOTATION = "pipeline.tekton.dev/release"
TASK_RUN_LABEL = "tekton.dev/taskRun"
TASK_RUN_UID_LABEL = "tekton.dev/taskRunUID"
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
    "hostAliases",
    "hostUsers",
    "dnsPolicy",
    "dnsConfig",
    "enableServiceLinks",
    "automountServiceAccountToken",
    "topologySpreadConstraints",
)
_OWN_DEMANDS = ("podTemplate", "workspaces", "stepSpecs", "sidecarSpecs", "computeResources")
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


def build_pod(
    task_run: Document,
    task_spec: Document,
    *,
    retries: int,
    release: str,
    credentials: Credentials = NO_CREDENTIALS,
    limit_ranges: Sequence[Document] = (),
) -> dict[str, Any]:
    """The Pod of an attempt. ``task_run`` carries this attempt's labels and annotations; ``credentials`` are those of
    its service account, ``limit_ranges`` those of its namespace."""
    metadata = task_run["metadata"]
    name = metadata["name"]
    labels = {
        **(metadata.get("labels") or {}),
        MANAGED_BY: "tekton-pipelines",
        TASK_RUN_LABEL: name,
        TASK_RUN_UID_LABEL: metadata["uid"],
    }
    annotations = {**(metadata.get("annotations") or {}), RELEASE_ANNOTATION: release}
    annotations.pop(MANAGED_BY, None)
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
        "spec": _pod_spec(task_run["spec"], task_spec, credentials, limit_ranges),
    }


def _pod_spec(
    spec: Document, task_spec: Document, credentials: Credentials, limit_ranges: Sequence[Document]
) -> Document:
    account, timeout = spec.get("serviceAccountName", ""), spec.get("timeout", "1h0m0s")
    shared = not limit_ranges and not credentials.arguments and not any(spec.get(key) for key in _OWN_DEMANDS)
    known: tuple[str, str, Document] | None = _templates.get(task_spec) if shared else None
    if known is not None and known[0] == account and known[1] == timeout:
        return known[2]
    deadline_s = int(parse_duration_us(timeout) * _DEADLINE_FACTOR / 1_000_000) or _NO_DEADLINE_S
    template: Mapping[str, Any] = spec.get("podTemplate") or {}
    workspaces = workspaces_of(task_spec, spec.get("workspaces") or ())
    steps = merged_steps(task_spec, spec)
    containers = step_containers(task_spec, steps, workspaces, credentials, template.get("env") or ())
    if limit_ranges:
        requests = default_requests(limit_ranges, len(containers))
        containers = [with_default_requests(one, requests) for one in containers]
    pod_spec: dict[str, Any] = {
        "activeDeadlineSeconds": deadline_s,
        "containers": [*containers, *sidecar_containers(task_spec, spec, workspaces)],
        "initContainers": init_containers(steps, task_spec.get("sidecars") or ()),
        "restartPolicy": "Never",
        "serviceAccountName": account,
        "volumes": [
            *_VOLUMES,
            *credentials.volumes,
            *(task_spec.get("volumes") or ()),
            *workspaces.volumes,
            *(template.get("volumes") or ()),
        ],
        **{key: template[key] for key in _POD_TEMPLATE_KEYS if key in template},
    }
    if shared:
        _templates.put(task_spec, (account, timeout, pod_spec))
    return pod_spec
