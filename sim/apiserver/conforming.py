"""Bringing a document into a structural schema's shape, as the API server does before it looks at anything else.

In one pass: fields that the schema does not know go, nulls go where null is not a value, defaults come in. Compiled
once per schema. A document that needs nothing is returned as it is, the same object; what it shares with its
predecessor is not looked at; default values are shared by every document that gets them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sim.apiserver.valuechecks import Path, spelled

Conform = Callable[[Any, Any, Path, list[str]], Any]
"""``conform(value, old, path, unknown)``: the value in shape; paths of unknown fields are appended to ``unknown``.

``old`` is the value before; callers skip what is the same object in both.
"""

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
_NOTHING: Mapping[str, Any] = {}


def compile_conforming(schema: Mapping[str, Any], *, resource: bool = False) -> Conform | None:
    """None where nothing below can change.

    ``resource`` marks the root and embedded resources: their apiVersion, kind and metadata are always known.
    """
    if schema.get("items"):
        inner = compile_conforming(schema["items"])
        return None if inner is None else _list_conforming(inner)
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    keeps_all = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or additional is True
    if not (properties or resource or schema.get("type") == "object"):
        return None
    if isinstance(additional, Mapping):
        return _map_conforming(compile_conforming(additional), drops_nulls=not _keeps_null(additional))
    if keeps_all and not properties and not resource:
        return None
    return _object_conforming(properties, keeps_all=keeps_all, resource=resource)


def _keeps_null(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("nullable"))


def _filled_default(schema: Mapping[str, Any]) -> Any:
    inner = compile_conforming(schema)
    return schema["default"] if inner is None else inner(schema["default"], None, None, [])


def conform_metadata(value: Any, _old: Any, path: Path, unknown: list[str]) -> Any:
    """ObjectMeta without unknown fields."""
    if type(value) is not dict or _OBJECT_META.issuperset(value):
        return value
    unknown.extend(spelled((path, f".{key}")) for key in value if key not in _OBJECT_META)
    return {key: item for key, item in value.items() if key in _OBJECT_META}


def _object_conforming(properties: Mapping[str, Mapping[str, Any]], *, keeps_all: bool, resource: bool) -> Conform:
    children = {key: made for key, child in properties.items() if (made := compile_conforming(child)) is not None}
    names = set(properties)
    if resource:
        names.update(("apiVersion", "kind", "metadata"))
        children["metadata"] = conform_metadata
    knows_all = frozenset(names).issuperset
    defaults = {key: _filled_default(child) for key, child in properties.items() if "default" in child}
    wanted = defaults.keys()
    never_null = frozenset(key for key, child in properties.items() if not _keeps_null(child))
    inner = tuple((key, f".{key}", child) for key, child in children.items())

    def conform(value: Any, old: Any, path: Path, unknown: list[str]) -> Any:
        if type(value) is not dict:
            return value
        before = old if type(old) is dict else _NOTHING
        shaped = value
        if not keeps_all and not knows_all(value):
            unknown.extend(spelled((path, f".{key}")) for key in value if key not in names)
            shaped = {key: item for key, item in value.items() if key in names}
        for item in shaped.values():  # faster than "in", which compares by equality
            if item is None:
                shaped = {key: item for key, item in shaped.items() if item is not None or key not in never_null}
                break
        if wanted and not wanted <= shaped.keys():
            shaped = {**defaults, **shaped}
        for key, part, child in inner:
            item = shaped.get(key)
            if item is None:
                continue
            previous = before.get(key)
            if item is not previous:
                kept = child(item, previous, (path, part), unknown)
                if kept is not item:
                    shaped = dict(shaped) if shaped is value else shaped
                    shaped[key] = kept
        return shaped

    return conform


def _map_conforming(inner: Conform | None, *, drops_nulls: bool) -> Conform:
    def conform(value: Any, old: Any, path: Path, unknown: list[str]) -> Any:
        if type(value) is not dict:
            return value
        if drops_nulls and None in value.values():
            value = {key: item for key, item in value.items() if item is not None}
        if inner is None:
            return value
        before = old if type(old) is dict else _NOTHING
        shaped = {
            key: item if item is before.get(key) else inner(item, before.get(key), (path, f".{key}"), unknown)
            for key, item in value.items()
        }
        return value if all(shaped[key] is item for key, item in value.items()) else shaped

    return conform


def _list_conforming(inner: Conform) -> Conform:
    def conform(value: Any, old: Any, path: Path, unknown: list[str]) -> Any:
        if type(value) is not list:
            return value
        before = old if type(old) is list else ()
        known = len(before)
        shaped = value
        for index, item in enumerate(value):
            previous = before[index] if index < known else None
            if item is not previous:
                kept = inner(item, previous, (path, f"[{index}]"), unknown)
                if kept is not item:
                    shaped = list(value) if shaped is value else shaped
                    shaped[index] = kept
        return shaped

    return conform
