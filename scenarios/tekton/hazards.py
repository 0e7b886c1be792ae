"""What others do to a run: deletions behind the controller's back, children left behind, quotas, restarts of Tekton.

Everything about one target goes through the API server, as it would on a live cluster.
"""

from collections.abc import Mapping
from typing import Any

from controller.api.resources import PIPELINE_RUNS, PODS, TASK_RUNS
from controller.ports import ApiError, Cluster, Document, Propagation, Resource
from scenarios.target import Target

NAMESPACE = "kubernaut-workflows"
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
_QUOTA = "no-room"
_COLLECTOR = "logs.example.com/collect"
COUNTED: Mapping[str, str] = {"pods": "pods", "TaskRuns": "count/taskruns.tekton.dev"}
"""What a quota may leave no room for, and the quota's own word for it."""


async def delete_run(target: Target, propagation: Propagation) -> None:
    """Delete the run under the target's lock and return when its object is gone; children may live on."""
    await target.backstage.cluster.delete(PIPELINE_RUNS, NAMESPACE, target.lock_name, propagation=propagation)
    await target.until(lambda: target.lock.held_by is None, "the deletion of the run")


async def delete_leftovers(target: Target) -> None:
    """Delete every TaskRun of the target, whoever's it is."""
    for task_run in await _children(target, TASK_RUNS):
        await target.backstage.cluster.delete(
            TASK_RUNS, NAMESPACE, task_run["metadata"]["name"], propagation="Background"
        )


async def hold_pods(target: Target) -> None:
    """A log collector puts its finalizer on the target's pods: deleted, they stay as terminating objects."""
    for pod in await _children(target, PODS):
        finalizers = [*(pod["metadata"].get("finalizers") or ()), _COLLECTOR]
        await _set_finalizers(target.backstage.cluster, pod, finalizers)


async def let_pods_go(target: Target) -> None:
    """The log collector has read the logs."""
    for pod in await _children(target, PODS):
        finalizers = [name for name in pod["metadata"].get("finalizers") or () if name != _COLLECTOR]
        await _set_finalizers(target.backstage.cluster, pod, finalizers)


async def _set_finalizers(cluster: Cluster, pod: Document, finalizers: list[str]) -> None:
    name = pod["metadata"]["name"]
    await cluster.patch(PODS, NAMESPACE, name, {"metadata": {"finalizers": finalizers}})


async def force_delete_pod(target: Target) -> None:
    """Remove the object of the pod at work, without waiting for its containers (``kubectl delete --force``)."""
    for pod in await _children(target, PODS):
        if (pod.get("status") or {}).get("phase") == "Running":
            await target.backstage.cluster.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace_period_s=0)
            return
    raise AssertionError("no pod is at work")


async def _children(target: Target, resource: Resource) -> list[Document]:
    selector = f"tekton.dev/pipelineRun={target.lock_name}"
    found = await target.backstage.cluster.list(resource, NAMESPACE, label_selector=selector)
    items: list[Document] = found["items"]
    return items


async def leave_no_room(cluster: Cluster, what: str) -> None:
    """A quota that admits none of ``what``, a key of COUNTED, in the namespace of the runs."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": _QUOTA},
        "spec": {"hard": {COUNTED[what]: "0"}},
    }
    await cluster.create(QUOTAS, NAMESPACE, body)


async def make_room(cluster: Cluster) -> None:
    """Take the quota away. Raises AssertionError where there is none."""
    try:
        await cluster.delete(QUOTAS, NAMESPACE, _QUOTA)
    except ApiError as error:
        raise AssertionError(f"no quota to raise: {error.message}") from None
