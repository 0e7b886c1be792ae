"""Sets of fields of an object, in the form in which ``managedFields`` carry them (FieldsV1).

A set is a nested mapping. Its keys are path elements: ``f:name`` of a field, ``k:{"name":"a"}`` of an item of a list
that is merged by key, ``v:"x"`` of an item of a set. A path is in the set when its node is empty or holds ``.``.
Sets are immutable documents and share what they have in common.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

FieldSet = Mapping[str, Any]

EMPTY: Final[FieldSet] = {}
_SELF: Final = "."


def field(name: str) -> str:
    return f"f:{name}"


def keyed(item: Mapping[str, Any], keys: Sequence[str], defaults: Mapping[str, Any]) -> str:
    """The path element of an item of a list that is merged by ``keys``, which are sorted."""
    values = {key: item.get(key, defaults.get(key)) for key in keys if key in item or key in defaults}
    return f"k:{json.dumps(values, separators=(',', ':'), ensure_ascii=False)}"


def valued(item: Any) -> str:
    return f"v:{json.dumps(item, separators=(',', ':'), ensure_ascii=False)}"


def member(children: dict[str, Any]) -> FieldSet:
    """The node of a path that is in the set itself, beside ``children``."""
    return {_SELF: EMPTY, **children} if children else EMPTY


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """Of two sets, not of two nodes: an empty set adds nothing."""
    if not one or not other:
        return one or other
    joined = dict(one)
    for key, node in other.items():
        joined[key] = _joined(one[key], node) if key in one else node
    return joined


def _joined(one: FieldSet, other: FieldSet) -> FieldSet:
    if one is other:
        return one
    if not one or not other:
        return {_SELF: EMPTY, **(one or other)} if one or other else EMPTY
    return union(one, other)


def without(one: FieldSet, other: FieldSet) -> FieldSet:
    """What of a set is not in another one; the same object when they have nothing in common."""
    if not one or not other:
        return one
    left: dict[str, Any] = {}
    same = True
    for key, node in one.items():
        taken = other.get(key)
        if taken is None:
            left[key] = node
            continue
        rest = _left(node, taken)
        same = same and rest is node
        if rest is not None:
            left[key] = rest
    return one if same else left


def _left(node: FieldSet, taken: FieldSet) -> FieldSet | None:
    """A node without what is taken; None when nothing is left of it."""
    mine = not node or _SELF in node
    stays = mine and not (not taken or _SELF in taken)
    if not node:
        return node if stays else None
    children = {key: child for key, child in node.items() if key != _SELF}
    rest = without(children, taken) if taken else children
    if rest is children and stays == mine:
        return node
    if not rest:
        return EMPTY if stays else None
    return {_SELF: EMPTY, **rest} if stays else rest
