"""What a write changes, as sets of fields: what it touches (adds or modifies) and what it removes."""

from collections.abc import Mapping
from typing import Any

from sim.apiserver.ownership.sets import EMPTY, FieldSet, field, keyed, member, valued
from sim.apiserver.ownership.shapes import PLAIN, Shape

_ABSENT = object()


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], shape: Shape
) -> tuple[dict[str, FieldSet], dict[str, FieldSet]]:
    """``(touched, removed)`` between two maps that are owned field by field."""
    touched: dict[str, FieldSet] = {}
    removed: dict[str, FieldSet] = {}
    for name, value in new.items():
        before = old.get(name, _ABSENT)
        if before is value:
            continue
        below = shape.at(name)
        if before is _ABSENT and name not in shape.given:
            touched[field(name)] = everything(value, below)
            continue
        _compare(shape.given[name] if before is _ABSENT else before, value, below, field(name), touched, removed)
    for name, value in old.items():
        if name not in new:
            removed[field(name)] = everything(value, shape.at(name))
    return touched, removed


def _compare(
    before: Any, value: Any, shape: Shape, key: str, touched: dict[str, FieldSet], removed: dict[str, FieldSet]
) -> None:
    """Both are there: compared below where the place is owned by parts, otherwise as wholes.

    Null is as good as an empty container, except beside one.
    """
    if (before or value) and not shape.atomic:
        if _fits(dict, before, value):
            _put(differences(before or EMPTY, value or EMPTY, shape), key, touched, removed)
            return
        if (shape.keys or shape.unique) and _fits(list, before, value):
            below = _listed_differences(_listed(before or [], shape), _listed(value or [], shape), shape)
            _put(below, key, touched, removed)
            return
        if type(before) is dict:  # a map that becomes something else
            _put(({}, differences(before, EMPTY, shape)[1]), key, touched, removed)
        if type(value) is dict:
            touched[key] = member(differences(EMPTY, value, shape)[0])
            return
    if before != value or (type(before) is not type(value) and bool in (type(before), type(value))):
        touched[key] = EMPTY


def _fits(container: type, before: Any, value: Any) -> bool:
    kinds = {type(before), type(value)}
    return container in kinds and kinds <= {container, type(None)}


def _put(
    below: tuple[dict[str, FieldSet], dict[str, FieldSet]],
    key: str,
    touched: dict[str, FieldSet],
    removed: dict[str, FieldSet],
) -> None:
    if below[0]:
        touched[key] = below[0]
    if below[1]:
        removed[key] = below[1]


def _listed(items: list[Any], shape: Shape) -> dict[str, Any]:
    if shape.unique:
        return {valued(item): item for item in items}
    return {keyed(item, shape.keys, shape.defaults): item for item in items}


def _listed_differences(
    old: dict[str, Any], new: dict[str, Any], shape: Shape
) -> tuple[dict[str, FieldSet], dict[str, FieldSet]]:
    touched: dict[str, FieldSet] = {}
    removed: dict[str, FieldSet] = {}
    below = shape.item or PLAIN
    for key, item in new.items():
        before = old.get(key, _ABSENT)
        if before is item:
            continue
        if before is _ABSENT:
            touched[key] = everything(item, below)
        else:
            _compare(before, item, below, key, touched, removed)
    for key, item in old.items():
        if key not in new:
            removed[key] = everything(item, below)
    return touched, removed


def everything(value: Any, shape: Shape) -> FieldSet:
    """The node of a value that is there altogether: itself and all places below."""
    if type(value) is dict and value and not shape.atomic:
        return member({field(name): everything(one, shape.at(name)) for name, one in value.items()})
    if type(value) is list and value and (shape.keys or shape.unique):
        below = shape.item or PLAIN
        return member({key: everything(item, below) for key, item in _listed(value, shape).items()})
    return EMPTY
