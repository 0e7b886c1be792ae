"""What a pod asks of a node: resources, tolerations and a node selector, as one comparable value."""

from dataclasses import dataclass
from functools import lru_cache

from controller.ports import Document
from sim.cluster.quantities import cpu_milli, memory_bytes

_SCORE_CPU_M = 100  # what a container without requests weighs when nodes are compared
_SCORE_MEMORY = 200 * 1024**2


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
        if container.get("resources"):
            one_cpu, one_memory = _container(container)
            cpu_m += one_cpu
            memory += one_memory
    for container in spec.get("initContainers", ()):
        if container.get("resources"):
            one_cpu, one_memory = _container(container)
            cpu_m = max(cpu_m, one_cpu)
            memory = max(memory, one_memory)
    selector = spec.get("nodeSelector")
    tolerations = spec.get("tolerations")
    return _request(
        cpu_m,
        memory,
        tuple(sorted(selector.items())) if selector else (),
        tuple([_toleration(one) for one in tolerations]) if tolerations else (),
    )


@lru_cache(maxsize=4096)
def _request(
    cpu_m: int,
    memory: int,
    selector: tuple[tuple[str, str], ...],
    tolerations: tuple[tuple[str, str, str, str], ...],
) -> PodRequest:
    return PodRequest(cpu_m, memory, cpu_m or _SCORE_CPU_M, memory or _SCORE_MEMORY, selector, tolerations)


def _toleration(one: Document) -> tuple[str, str, str, str]:
    return (one.get("key", ""), one.get("operator", "Equal"), one.get("value", ""), one.get("effect", ""))


def _container(container: Document) -> tuple[int, int]:
    resources = container["resources"]
    requests = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    cpu, memory = requests.get("cpu"), requests.get("memory")
    return cpu_milli(cpu) if cpu else 0, memory_bytes(memory) if memory else 0
