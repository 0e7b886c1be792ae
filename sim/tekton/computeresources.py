"""What the steps of a pod ask of a node (``pkg/internal/computeresources``).

A pod's demand is the sum over its containers, but steps work one after another: so a TaskRun's own demand, and the
default requests of the namespace's LimitRanges, are divided among them. Amounts are Kubernetes quantities as text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.quantity import canonical, is_binary, thousandths

_DIVIDED = ("cpu", "memory", "ephemeral-storage")
_WHOLE = frozenset({"memory", "ephemeral-storage"})
_NOTHING: Mapping[str, Any] = {}


def merged(base: Document | None, over: Document | None) -> Document:
    """Requirements with those of ``over`` in place of the base's, resource by resource."""
    if not base or not over:
        return over or base or _NOTHING
    both = {**base, **over}
    for side in ("limits", "requests"):
        if base.get(side) and over.get(side):
            both[side] = {**base[side], **over[side]}
    return both


def share_of(demand: Document, own: Document, steps: int) -> Document:
    """A step's requirements where its TaskRun has a ``demand`` of its own: an equal share, and all of the limits."""
    requests, limits = demand.get("requests"), demand.get("limits")
    if not requests and not limits:
        return own
    shared = _divided(limits if not own.get("requests") and not requests else requests, steps)
    requirements = {key: value for key, value in own.items() if key not in ("limits", "requests")}
    if shared:
        requirements["requests"] = shared
    if limits:
        requirements["limits"] = limits
    return requirements


def default_requests(ranges: Sequence[Document], steps: int) -> Mapping[str, str]:
    """What each of ``steps`` step containers requests at least, under the LimitRanges of a namespace.

    Several ranges count as one: the largest minimum, the smallest default. Raises ValueError for bad quantities.
    """
    items = [item for one in ranges for item in one["spec"].get("limits") or () if item.get("type") == "Container"]
    if len(ranges) > 1:
        items = _as_one(items)
    found: dict[str, str] = {}
    for item in items:
        defaults, minima = item.get("defaultRequest") or _NOTHING, item.get("min") or _NOTHING
        for name in _DIVIDED:
            candidates = [found.get(name), _part(name, defaults.get(name), steps), minima.get(name)]
            best = max((one for one in candidates if one is not None), key=thousandths, default=None)
            if best is not None and thousandths(best):
                found[name] = best
    return found


def with_default_requests(container: dict[str, Any], defaults: Mapping[str, str]) -> dict[str, Any]:
    """The step's container with what it does not request itself."""
    requirements = container.get("resources") or _NOTHING
    requests = requirements.get("requests") or _NOTHING
    lacking = {name: amount for name, amount in defaults.items() if not thousandths(requests.get(name, "0"))}
    if not lacking:
        return container
    return {**container, "resources": {**requirements, "requests": {**requests, **lacking}}}


def _divided(amounts: Document | None, steps: int) -> dict[str, str]:
    shares = {name: _part(name, amount, steps) for name, amount in (amounts or _NOTHING).items()}
    return {name: share for name, share in shares.items() if share is not None}


def _part(name: str, amount: str | None, steps: int) -> str | None:
    if amount is None:
        return None
    total = thousandths(amount)
    part = -(-total // 1000) // steps * 1000 if name in _WHOLE else total // steps
    return canonical(part, binary=is_binary(amount))


def _as_one(items: Iterable[Document]) -> list[Document]:
    minima: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for item in items:
        for name in _DIVIDED:
            minimum = (item.get("min") or _NOTHING).get(name, "0")
            if thousandths(minimum) > thousandths(minima.get(name, "0")):
                minima[name] = minimum
            default, known = (item.get("defaultRequest") or _NOTHING).get(name, "0"), defaults.get(name, "0")
            if not thousandths(known) or thousandths(known) > thousandths(default):
                defaults[name] = default
    return [{"min": minima, "defaultRequest": defaults}]
