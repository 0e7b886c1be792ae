"""The arithmetic of rollouts: how many pods a Deployment's ReplicaSets may have next.

Source: kube-controller-manager's pkg/controller/deployment/util and rolling.go.
"""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from controller.ports import Document

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_FNV_OFFSET, _FNV_PRIME, _WORD = 2_166_136_261, 16_777_619, 1 << 32
HASH = "pod-template-hash"


class Bounds(NamedTuple):
    """Pods more than wanted, and fewer available than wanted, while a rollout lasts."""

    surge: int
    unavailable: int


def bounds_of(spec: Document) -> Bounds:
    strategy = spec.get("strategy") or {}
    replicas = spec.get("replicas", 1)
    if strategy.get("type") == "Recreate":
        return Bounds(0, replicas)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _resolved(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _resolved(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return Bounds(surge, min(unavailable, replicas) if surge or unavailable else 1)


def _resolved(value: Any, replicas: int, *, up: bool) -> int:
    if type(value) is int:
        return value
    share = int(str(value).rstrip("%") or 0) * replicas / 100
    return math.ceil(share) if up else math.floor(share)


def template_hash(template: Document) -> str:
    """A name for a pod template, in the letters that the real controller uses."""
    value = _FNV_OFFSET
    for byte in json.dumps(template, sort_keys=True).encode():
        value = (value ^ byte) * _FNV_PRIME % _WORD
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(value))


def same_template(template: Document, other: Document) -> bool:
    """Whether two pod templates are the same but for the label that tells them apart."""
    return _bare(template) == _bare(other)


def _bare(template: Document) -> Document:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def grown(spec: Document, newest: int, total: int) -> int:
    """The size of the newest ReplicaSet, which has ``newest`` of ``total`` pods."""
    replicas = spec.get("replicas", 1)
    if newest >= replicas:
        return int(replicas)
    room = replicas + bounds_of(spec).surge - total
    return int(min(newest + max(room, 0), replicas))


def shrunk(spec: Document, newest: Document, olds: Sequence[Document]) -> dict[str, int]:
    """The new sizes of older ReplicaSets, by name, of those that may go down now: first pods that are not available."""
    replicas = spec.get("replicas", 1)
    least = replicas - bounds_of(spec).unavailable
    sizes = {one["metadata"]["name"]: size(one) for one in olds}
    spare = size(newest) + sum(sizes.values()) - least - (size(newest) - available(newest))
    found: dict[str, int] = {}
    for one in olds:
        name = one["metadata"]["name"]
        down = min(spare, sizes[name] - min(available(one), sizes[name]))
        if down > 0:
            found[name] = sizes[name] = sizes[name] - down
            spare -= down
    spare = available(newest) + sum(min(available(one), sizes[one["metadata"]["name"]]) for one in olds) - least
    for one in olds:
        name = one["metadata"]["name"]
        down = min(spare, sizes[name])
        if down > 0:
            found[name] = sizes[name] = sizes[name] - down
            spare -= down
    return found


def size(replica_set: Document) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def available(replica_set: Document) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))
