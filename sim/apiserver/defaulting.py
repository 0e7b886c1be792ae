"""Filling in a structural schema's defaults, and dropping nulls where null is not a value.

Compiled once per schema. A document that needs nothing is returned as it is, the same object; default values
themselves are shared by every document that gets them.
"""

from collections.abc import Callable, Mapping
from typing import Any

Default = Callable[[Any, Any], Any]
"""``default(value, old)``: the value with its defaults; what is the same object in ``old`` is left alone."""


def compile_defaulting(schema: Mapping[str, Any]) -> Default | None:
    """None where nothing below can change: no defaults, and no property that could lose a null."""
    items = schema.get("items")
    if items:
        inner = compile_defaulting(items)
        return None if inner is None else _list_defaulting(inner)
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    if properties:
        return _object_defaulting(properties)
    if isinstance(additional, Mapping):
        inner = compile_defaulting(additional)
        drop_nulls = "default" not in additional and not additional.get("nullable")
        if inner is not None or drop_nulls:
            return _map_defaulting(inner, drop_nulls)
    return None


def _filled_default(schema: Mapping[str, Any]) -> Any:
    inner = compile_defaulting(schema)
    return schema["default"] if inner is None else inner(schema["default"], None)


def _object_defaulting(properties: Mapping[str, Mapping[str, Any]]) -> Default:
    defaults = {key: _filled_default(child) for key, child in properties.items() if "default" in child}
    inner = {key: made for key, child in properties.items() if (made := compile_defaulting(child)) is not None}
    not_null = frozenset(key for key, child in properties.items() if not child.get("nullable"))
    wanted = defaults.keys()

    def fill_object(value: Any, old: Any) -> Any:
        if value is old or type(value) is not dict:
            return value
        before = old if type(old) is dict else {}
        changed: dict[str, Any] | None = None
        if None in value.values():
            changed = {key: item for key, item in value.items() if item is not None or key not in not_null}
            value = changed
        if wanted and not wanted <= value.keys():
            changed = {**defaults, **value}
            value = changed
        for key, child in inner.items():
            item = value.get(key)
            if item is None or item is before.get(key):
                continue
            filled = child(item, before.get(key))
            if filled is not item:
                changed = dict(value) if changed is None else changed
                changed[key] = filled
                value = changed
        return value

    return fill_object


def _map_defaulting(inner: Default | None, drop_nulls: bool) -> Default:
    def fill(value: Any, old: Any) -> Any:
        if value is old or type(value) is not dict:
            return value
        if drop_nulls and None in value.values():
            value = {key: item for key, item in value.items() if item is not None}
        if inner is None:
            return value
        filled = {key: inner(item, None) for key, item in value.items()}
        return value if all(filled[key] is value[key] for key in value) else filled

    return fill


def _list_defaulting(inner: Default) -> Default:
    def fill(value: Any, old: Any) -> Any:
        if value is old or type(value) is not list:
            return value
        before = old if type(old) is list else ()
        filled = [inner(item, before[i] if i < len(before) else None) for i, item in enumerate(value)]
        return value if all(a is b for a, b in zip(filled, value, strict=True)) else filled

    return fill
