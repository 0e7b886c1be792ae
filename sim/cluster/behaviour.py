"""What a container does once it runs: the part of a scenario that a kubelet plays."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from controller.ports import Document, PatchType, Resource


class OomVariant(StrEnum):
    """What is seen of a container that outgrows its memory limit. All four were observed on real clusters."""

    GROUP = "group"
    """The whole container dies (``memory.oom.group`` of cgroup v2, kubelet >= 1.28): 137, OOMKilled, no termination
    message, so later steps wait for ever."""
    UNREPORTED = "unreported"
    """As GROUP, but the runtime missed the event: 137, Error (tektoncd/pipeline#10371)."""
    CHILD = "child"
    """Only the step's process dies (cgroup v1, ``singleProcessOOMKill``); Tekton's entrypoint survives, says so and
    exits 255, OOMKilled."""
    SURVIVED = "survived"
    """A child of the step dies, the step carries on and ends as it would have: its own exit code, OOMKilled."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request that a step makes as its pod's ServiceAccount. Verbs: get, list, create, patch, delete."""

    verb: str
    resource: Resource
    namespace: str
    name: str = ""
    body: Document | list[Document] | None = None
    patch_type: PatchType = "merge"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one container does, from the moment its own work begins.

    ``log`` is what it prints at once; ``requests`` are made at the end of ``duration_us``, and the first one that the
    API server refuses is printed as kubectl prints it and ends the step with exit code 1. ``memory_peak_bytes``
    counts from the start for the node and is reached after ``peak_after_us`` (None: at the end), where a container
    over its limit is killed; ``oom`` overrides the node's variant. ``hangs``: never ends by itself.
    ``sigterm_exit_code``: with what it ends when told to stop, unless it ignores that and is killed with 137.
    """

    duration_us: int = 0
    exit_code: int = 0
    log: str = ""
    memory_peak_bytes: int = 0
    peak_after_us: int | None = None
    oom: OomVariant | None = None
    hangs: bool = False
    ignores_sigterm: bool = False
    sigterm_exit_code: int = 137
    requests: tuple[ApiRequest, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    """Task results (name, value) that it writes."""


class Performer(Protocol):
    """Supplied by the scenario: who decides what containers do."""

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        """What ``container`` (init containers too) of ``pod`` does. Asked once, when its work begins.

        None: an init container takes the usual time, any other ends at once; both with 0.
        """
        ...


def kubectl_says(request: ApiRequest, answer: Any) -> str:
    """The line that kubectl prints for a request that was carried out."""
    resource = request.resource
    kind = resource.kind.lower()
    qualified = f"{kind}.{resource.group}" if resource.group else kind
    if request.verb == "patch":
        return f"{qualified}/{request.name} patched"
    if request.verb == "create":
        return f"{qualified}/{answer['metadata']['name']} created"
    if request.verb == "delete":
        return f'{qualified} "{request.name}" deleted'
    return ""
