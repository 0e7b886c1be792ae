"""What a pod asks for: requests and limits summed over its containers as scheduler and quota count them."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.ports import Document
from sim.apiserver.quantity import thousandths

Amounts = dict[str, int]
"""Thousandths by resource name (``cpu``, ``memory``)."""


def pod_amounts(spec: Document, side: str) -> Amounts:
    """``side`` is ``requests`` or ``limits``.

    Containers and restartable init containers add up; an ordinary init container counts if it alone needs more.
    """
    total = _sum(container_amounts(one, side) for one in spec.get("containers") or ())
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = container_amounts(container, side)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, own))
            own = {}
        peak = _most(peak, _sum((sidecars, own)))
    total = _most(_sum((total, sidecars)), peak)
    overhead = spec.get("overhead")
    return _sum((total, {key: thousandths(value) for key, value in overhead.items()})) if overhead else total


def container_amounts(container: Mapping[str, Any], side: str) -> Amounts:
    wanted = (container.get("resources") or {}).get(side)
    return {key: thousandths(value) for key, value in wanted.items()} if wanted else {}


def is_finished(pod: Document) -> bool:
    """Whether the pod has reached a phase it never leaves."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _sum(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for key, amount in part.items():
            total[key] = total.get(key, 0) + amount
    return total


def _most(first: Amounts, second: Amounts) -> Amounts:
    return {key: max(first.get(key, 0), second.get(key, 0)) for key in (*first, *second)}
