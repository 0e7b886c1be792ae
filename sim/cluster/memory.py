"""The memory of a container: when it outgrows its limit, and what is seen of that."""

from dataclasses import dataclass

from controller.ports import Document
from sim.cluster.behaviour import Behaviour, OomVariant
from sim.cluster.quantities import memory_bytes


@dataclass(frozen=True, slots=True)
class OomKill:
    """The end that memory puts to a container's work."""

    after_us: int
    exit_code: int
    entrypoint_dies: bool
    """The whole container was killed: nobody is left to write a message or to tell the next step."""
    reported: bool
    """The runtime noticed: reason OOMKilled; otherwise Error."""


def limit_bytes(container: Document) -> int | None:
    """The container's memory limit; None without one."""
    limits = (container.get("resources") or {}).get("limits")
    if not limits or "memory" not in limits:
        return None
    return memory_bytes(limits["memory"])


def request_bytes(container: Document) -> int:
    """The container's memory request; its limit stands in for it, as the API server defaults it."""
    requests = (container.get("resources") or {}).get("requests")
    if requests and "memory" in requests:
        return memory_bytes(requests["memory"])
    return limit_bytes(container) or 0


def exceeds(behaviour: Behaviour, container: Document) -> bool:
    """Whether the kernel kills it. Without a limit only the node's own shortage can, which ``oom`` then stands for."""
    if not behaviour.memory_peak_bytes:
        return False
    limit = limit_bytes(container)
    return behaviour.oom is not None if limit is None else behaviour.memory_peak_bytes > limit


def kill(behaviour: Behaviour, variant: OomVariant, *, under_entrypoint: bool) -> OomKill | None:
    """How a container that exceeds its limit ends; None where it survives (and is still reported OOMKilled).

    Without an entrypoint above it the killed process is the container itself, whatever the variant of the child.
    """
    if behaviour.oom is not None:
        variant = behaviour.oom
    if variant is OomVariant.SURVIVED:
        return None
    after_us = behaviour.duration_us if behaviour.peak_after_us is None else behaviour.peak_after_us
    if variant is OomVariant.CHILD and under_entrypoint:
        return OomKill(after_us, 255, entrypoint_dies=False, reported=True)
    return OomKill(after_us, 137, entrypoint_dies=True, reported=variant is not OomVariant.UNREPORTED)
