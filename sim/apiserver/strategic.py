"""Strategic merge patches: like RFC 7386, but lists of builtin kinds merge by key.

Directives: ``$patch: delete | replace``, ``$deleteFromPrimitiveList/<field>``; ``$setElementOrder/<field>`` and
``$retainKeys`` are accepted and change nothing.
"""

from collections.abc import Mapping
from typing import Any

from sim.apiserver.patch import merge

_KEYS: Mapping[str, str] = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""``patchMergeKey`` by field name; the core kinds never use one name with two keys, except ports (below)."""
_SETS = ("finalizers",)
_DELETE_FROM = "$deleteFromPrimitiveList/"


def strategic_merge(target: Any, change: Any) -> Any:
    """The patched document; answers ``target`` itself when nothing changes."""
    if not isinstance(change, dict):
        return change
    if change.get("$patch") == "replace" or not isinstance(target, dict):
        return merge(None, {key: value for key, value in change.items() if not key.startswith("$")})
    merged = dict(target)
    for key, value in change.items():
        if key.startswith(_DELETE_FROM):
            field = key[len(_DELETE_FROM) :]
            merged[field] = [one for one in merged.get(field) or () if one not in value]
        elif key.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(key, None)
        elif isinstance(value, list):
            merged[key] = _list(key, merged.get(key) or [], value)
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    return target if merged == target else merged


def _list(field: str, target: list[Any], change: list[Any]) -> list[Any]:
    if field in _SETS:
        return [*target, *(one for one in change if one not in target)]
    key = _KEYS.get(field)
    if field == "ports":
        key = "containerPort" if any("containerPort" in one for one in change) else "port"
    if key is None or not all(isinstance(one, dict) for one in change):
        return change
    if any(one.get("$patch") == "replace" for one in change):
        return [one for one in change if "$patch" not in one]
    merged = list(target)
    added: list[Any] = []
    for one in change:
        at = next((place for place, old in enumerate(merged) if old.get(key) == one.get(key)), None)
        if one.get("$patch") == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            added.append(strategic_merge(None, one))
        else:
            merged[at] = strategic_merge(merged[at], one)
    return [*added, *merged]
