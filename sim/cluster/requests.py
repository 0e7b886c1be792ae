"""What a pod asks of a node: resources, tolerations and a node selector, as one comparable value."""

from dataclasses import dataclass
from functools import lru_cache

from controller.ports import Document
from sim.cluster.quantities import cpu_milli, memory_bytes

_SCORE_CPU_M = 100  # what a container without requests weighs when nodes are compared
_SCORE_MEMORY = 200 * 1024**2
_NOTHING: Document = {}


@dataclass(frozen=True, slots=True)
class PodRequest:
    """CPU in milli-cores, memory in bytes. ``score_*`` are never 0, so that pods without requests spread too."""

    cpu_m: int
    memory: int
    score_cpu_m: int
    score_memory: int
    selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[tuple[str, str, str, str], ...] = ()
    """(key, operator, value, effect)"""

    def tolerates(self, key: str, value: str, effect: str) -> bool:
        for wanted, operator, wanted_value, wanted_effect in self.tolerations:
            if wanted_effect and wanted_effect != effect:
                continue
            if wanted and wanted != key:
                continue
            if operator == "Exists" or wanted_value == value:
                return True
        return False


def request_of(pod: Document) -> PodRequest:
    """The effective request: all containers together, or the largest init container where that is more."""
    spec = pod["spec"]
    cpu_m = memory = 0
    for container in spec["containers"]:
        resources = container.get("resources")
        if resources:
            one_cpu, one_memory = _amounts(resources)
            cpu_m += one_cpu
            memory += one_memory
    for container in spec.get("initContainers", ()):
        resources = container.get("resources")
        if resources:
            one_cpu, one_memory = _amounts(resources)
            cpu_m = max(cpu_m, one_cpu)
            memory = max(memory, one_memory)
    selector = spec.get("nodeSelector")
    tolerations = spec.get("tolerations")
    return _request(
        cpu_m,
        memory,
        tuple(sorted(selector.items())) if selector else (),
        _tolerations(tolerations) if tolerations else (),
    )


@lru_cache(maxsize=4096)
def _request(
    cpu_m: int,
    memory: int,
    selector: tuple[tuple[str, str], ...],
    tolerations: tuple[tuple[str, str, str, str], ...],
) -> PodRequest:
    return PodRequest(cpu_m, memory, cpu_m or _SCORE_CPU_M, memory or _SCORE_MEMORY, selector, tolerations)


_Tolerations = tuple[tuple[str, str, str, str], ...]
_KNOWN_MAX = 64
_known: dict[int, tuple[list[Document], _Tolerations]] = {}  # by identity: admission gives most pods the same list


def _tolerations(listed: list[Document]) -> _Tolerations:
    known = _known.get(id(listed))
    if known is not None:
        return known[1]
    if len(_known) >= _KNOWN_MAX:
        del _known[next(iter(_known))]
    read = tuple(
        [
            (one.get("key", ""), one.get("operator", "Equal"), one.get("value", ""), one.get("effect", ""))
            for one in listed
        ]
    )
    _known[id(listed)] = (listed, read)
    return read


def _amounts(resources: Document) -> tuple[int, int]:
    """CPU and memory of one container; a limit stands in for a request that is missing."""
    limits, requests = resources.get("limits") or _NOTHING, resources.get("requests") or _NOTHING
    cpu = requests["cpu"] if "cpu" in requests else limits.get("cpu")
    memory = requests["memory"] if "memory" in requests else limits.get("memory")
    return cpu_milli(cpu) if cpu else 0, memory_bytes(memory) if memory else 0
