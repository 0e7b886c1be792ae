"""Fields that a builtin kind does not have, wherever in the object they stand: found, and left out."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from controller.ports import Document
from sim.apiserver.registry import Served
from sim.apiserver.schemas.messages import Field, kind_name, message

_TYPE = frozenset(("kind", "apiVersion"))


def pruned(served: Served, body: Document, old: Document | None = None) -> tuple[Document, list[str]]:
    """``body`` without what its kind does not have, and the paths of what went, in the order in which they stand.

    What is ``old``'s own needs no look. Custom kinds, and builtin ones that nobody describes, are left as they are.
    """
    name = kind_name(served.resource.api_version, served.resource.kind)
    if served.custom or message(name) is None:
        return body, []
    unknown: list[str] = []
    kept = _struct(name, body, "", unknown, old)
    return kept, unknown


@cache
def _fields(name: str) -> Mapping[str, Field | None]:
    """By their JSON names; None where nothing below can be unknown."""
    found: dict[str, Field | None] = {}
    told = message(name)
    for field in () if told is None else told.fields:
        if field.inline:
            found |= _fields(field.type)
        else:
            inner = message(field.type)
            found[field.name] = field if inner is not None and not inner.listed else None
    return found


def _struct(name: str, value: Mapping[str, Any], path: str, unknown: list[str], old: Document | None = None) -> Any:
    fields = _fields(name)
    changed: dict[str, Any] = {}
    gone: list[str] = []
    for key, one in value.items():
        if key not in fields:
            if path or key not in _TYPE:
                gone.append(key)
                unknown.append(f"{path}{key}")
            continue
        field = fields[key]
        if field is None or (old is not None and old.get(key) is one):
            continue
        kept = _value(field, one, f"{path}{key}", unknown)
        if kept is not one:
            changed[key] = kept
    if not changed and not gone:
        return value
    return {key: one for key, one in {**value, **changed}.items() if key not in gone}


def _value(field: Field, value: Any, path: str, unknown: list[str]) -> Any:
    kind = field.type
    found = len(unknown)
    kept: Any = value
    if field.repeated:
        if type(value) is list:
            kept = [_one(kind, item, f"{path}[{at}].", unknown) for at, item in enumerate(value)]
    elif field.mapped:
        if type(value) is dict:
            kept = {key: _one(kind, item, f"{path}.{key}.", unknown) for key, item in value.items()}
    else:
        return _one(kind, value, f"{path}.", unknown)
    return kept if len(unknown) > found else value


def _one(kind: str, value: Any, path: str, unknown: list[str]) -> Any:
    return _struct(kind, value, path, unknown) if type(value) is dict else value
