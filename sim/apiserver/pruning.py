"""Dropping what a structural schema does not name, as the API server does before it looks at anything else.

Compiled once per schema. A document that has nothing to lose is returned as it is, the same object.
"""

from collections.abc import Callable, Mapping
from typing import Any

Prune = Callable[[Any, Any, str, list[str]], Any]
"""``prune(value, old, path, unknown)``: the pruned value; paths of what went are appended to ``unknown``."""

_OBJECT_META = frozenset(
    (
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    )
)


def compile_pruning(schema: Mapping[str, Any], *, resource: bool = False) -> Prune:
    """``resource`` marks the root and embedded resources: their apiVersion, kind and metadata are always known."""
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    if schema.get("items"):
        return _list_pruning(compile_pruning(schema["items"]))
    known: dict[str, Prune] = {key: compile_pruning(child) for key, child in properties.items()}
    if resource:
        known["apiVersion"] = known["kind"] = _keep
        known["metadata"] = prune_metadata
    if isinstance(additional, Mapping):
        return _object_pruning(known, rest=compile_pruning(additional))
    keeps_all = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or additional is True
    is_object = schema.get("type") == "object" or bool(known)
    if not is_object or (keeps_all and not known):
        return _keep
    return _object_pruning(known, rest=_keep if keeps_all else None)


def _keep(value: Any, _old: Any, _path: str, _unknown: list[str]) -> Any:
    return value


def prune_metadata(value: Any, old: Any, path: str, unknown: list[str]) -> Any:
    if value is old or type(value) is not dict or _OBJECT_META.issuperset(value):
        return value
    unknown.extend(f"{path}.{key}" for key in value if key not in _OBJECT_META)
    return {key: item for key, item in value.items() if key in _OBJECT_META}


def _list_pruning(item_prune: Prune) -> Prune:
    if item_prune is _keep:
        return _keep

    def prune(value: Any, old: Any, path: str, unknown: list[str]) -> Any:
        if value is old or type(value) is not list:
            return value
        before = old if type(old) is list else ()
        pruned = [
            item_prune(item, before[i] if i < len(before) else None, f"{path}[{i}]", unknown)
            for i, item in enumerate(value)
        ]
        return value if all(a is b for a, b in zip(pruned, value, strict=True)) else pruned

    return prune


def _object_pruning(known: dict[str, Prune], *, rest: Prune | None) -> Prune:
    names = frozenset(known)
    known_all = names.issuperset
    inner = tuple((key, child) for key, child in known.items() if child is not _keep)
    others = rest if rest is not _keep else None

    def prune(value: Any, old: Any, path: str, unknown: list[str]) -> Any:
        if value is old or type(value) is not dict:
            return value
        before = old if type(old) is dict else {}
        prefix = f"{path}." if path else ""
        changed: dict[str, Any] | None = None
        if rest is None and not known_all(value):
            unknown.extend(f"{prefix}{key}" for key in value if key not in names)
            value = changed = {key: item for key, item in value.items() if key in names}
        below = inner
        if others is not None:
            below = (*inner, *((key, others) for key in value if key not in names))
        for key, child in below:
            item = value.get(key)
            if item is None or item is before.get(key):
                continue
            kept = child(item, before.get(key), f"{prefix}{key}", unknown)
            if kept is not item:
                changed = dict(value) if changed is None else changed
                changed[key] = kept
                value = changed
        return value

    return prune
