"""What Tekton's reconcilers reach: three clientsets, the informers' caches, the recorder and the time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol

from controller.ports import Cluster, Document, Resource
from sim.loop import Loop
from sim.tekton.deadlines import Timepiece
from sim.tekton.options import TektonOptions

PIPELINE_RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")
TASK_RUNS = Resource("tekton.dev", "v1", "taskruns", "TaskRun")
PIPELINES = Resource("tekton.dev", "v1", "pipelines", "Pipeline")
TASKS = Resource("tekton.dev", "v1", "tasks", "Task")
RESOLUTION_REQUESTS = Resource("resolution.tekton.dev", "v1beta1", "resolutionrequests", "ResolutionRequest")
PODS = Resource("", "v1", "pods", "Pod")
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")

EventType = Literal["Normal", "Warning"]


class Lister(Protocol):
    """An informer's cache: what the watch has brought so far, so possibly old."""

    def get(self, namespace: str, name: str) -> Document | None: ...


class Ranges(Protocol):
    """An informer's cache of LimitRanges."""

    def list(self, namespace: str = "") -> Sequence[Document]: ...


class DryRun(Protocol):
    async def __call__(self, resource: Resource, namespace: str, body: Document) -> Document:
        """Create without storing, webhooks included. Raises ApiError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """One process's connections. Each clientset has its own rate limit, shared by all workers of the process."""

    loop: Loop
    time: Timepiece
    options: TektonOptions
    tekton: Cluster
    core: Cluster
    resolution: Cluster
    dry_run: DryRun
    event: Callable[[Document, EventType, str, str], None]
    """Tells the users of an object (``controller.ports.Recorder``)."""
    pipeline_runs: Lister
    task_runs: Lister
    pods: Lister
    requests: Lister
    retry_stream: Random
    work_stream: Random
    limit_ranges: Ranges


def controller_reference(resource: Resource, owner: Document) -> dict[str, Any]:
    """The ownerReference of a child that ``owner`` controls."""
    metadata: Mapping[str, Any] = owner["metadata"]
    return {
        "apiVersion": resource.api_version,
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": resource.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def is_controlled_by(document: Document, uid: str) -> bool:
    for reference in document["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference["uid"] == uid  # type: ignore[no-any-return]
    return False
