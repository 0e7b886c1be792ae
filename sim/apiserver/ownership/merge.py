"""Merging what a client applies into what there is, and taking out what it applies no more.

Source: structured-merge-diff v6 (typed/merge, typed/remove, typed/tofieldset). Documents are shared: what a merge does
not change is the same object afterwards.
"""

from collections.abc import Mapping
from typing import Any

from sim.apiserver.ownership.sets import EMPTY, FieldSet, field, holds, keyed, member, valued
from sim.apiserver.ownership.shapes import PLAIN, Shape

_ABSENT = object()


def element(item: Any, shape: Shape) -> str:
    """The path element of an item of a list that is owned item by item."""
    return valued(item) if shape.unique else keyed(item, shape.keys, shape.defaults)


def by_item(value: Any, shape: Shape) -> bool:
    """Whether a value is a list that is owned item by item."""
    return type(value) is list and bool(shape.keys or shape.unique)


def leaves(value: Mapping[str, Any], shape: Shape) -> FieldSet:
    """The fields that a document mentions: what ends there, items of lists, and keys that no schema names."""
    found = {}
    for name, one in value.items():
        below = shape.at(name)
        node = _leaves_below(one, below, is_member=name not in shape.fields or one is None or one == {})
        if node is not None:
            found[field(name)] = node
    return found


def _leaves_below(value: Any, shape: Shape, *, is_member: bool) -> FieldSet | None:
    children: dict[str, Any]
    if type(value) is dict and not shape.atomic:
        children = dict(leaves(value, shape))
    elif by_item(value, shape):
        below = shape.item or PLAIN
        children = {}
        for item in value:
            key = element(item, shape)
            node = EMPTY if key in children else _leaves_below(item, below, is_member=True)
            children[key] = EMPTY if node is None else node
    else:
        return EMPTY if value is not None or is_member else None
    if is_member:
        return member(children)
    return children or None


def named(fields: FieldSet, shape: Shape) -> FieldSet:
    """A set with the fields that a schema names and that have something below: they count as members, too."""
    found = {}
    for key, node in fields.items():
        if key == ".":
            continue
        below = shape.at(key[2:]) if key[0] == "f" else shape.item or PLAIN if key[0] == "k" else PLAIN
        children = dict(named(node, below)) if node else {}
        declared = bool(children) and key[0] == "f" and key[2:] in shape.fields
        found[key] = member(children) if holds(node) or declared else children
    return found


def merged(live: Any, config: Any, shape: Shape) -> Any:
    """``live`` with what ``config`` says; nothing is taken out. Both are there, and as their schema wants them."""
    if type(live) is dict and type(config) in (dict, type(None)) and not shape.atomic:
        return _merged_map(live, config, shape)
    if by_item(live, shape) and type(config) in (list, type(None)):
        return _merged_list(live, config, shape)
    return live if type(live) is type(config) and live == config else config


def _merged_map(live: dict[str, Any], config: Mapping[str, Any] | None, shape: Shape) -> Any:
    if not config:
        return live or config
    found = None
    for name, value in config.items():
        before = live.get(name, _ABSENT)
        after = value if before is _ABSENT else merged(before, value, shape.at(name))
        if after is not before:
            found = dict(live) if found is None else found
            found[name] = after
    return live if found is None else found


def _merged_list(live: list[Any], config: list[Any] | None, shape: Shape) -> Any:
    if not config:
        return live or config
    below = shape.item or PLAIN
    theirs = [element(item, shape) for item in live]
    ours = [element(item, shape) for item in config]
    before: dict[str, Any] = {}
    for key, item in zip(theirs, live, strict=True):
        before[key] = None if key in before else item  # of items that are there twice, none is merged with
    wanted = dict(zip(ours, config, strict=True))
    items: list[Any] = []
    for key, at in _order(theirs, ours):
        if key in wanted:
            one, other = before.get(key), wanted[key]
            items.append(other if one is None else merged(one, other, below))
        else:
            items.append(live[at])
    same = len(items) == len(live) and all(one is other for one, other in zip(items, live, strict=True))
    return live if same else items


def _order(theirs: list[str], ours: list[str]) -> list[tuple[str, int]]:
    """Keys of both lists in the order of ``ours``; what only ``theirs`` has keeps its place before what follows it."""
    known, wanted = set(theirs), set(ours)
    shared = [key for key in ours if key in known]
    merged_keys: set[str] = set()
    found: list[tuple[str, int]] = []
    at_shared = left = right = 0
    while left < len(theirs) or right < len(ours):
        following = shared[at_shared] if at_shared < len(shared) else None
        if left < len(theirs) and right < len(ours):
            if theirs[left] == ours[right]:
                found.append((ours[right], left))
                merged_keys.add(ours[right])
                left, right, at_shared = left + 1, right + 1, at_shared + 1
                continue
            if theirs[left] in wanted and following is not None and following != theirs[left]:
                left += 1  # shared, but its turn comes later
                continue
        if left < len(theirs):
            if theirs[left] not in wanted:
                found.append((theirs[left], left))
                left += 1
                continue
            if theirs[left] in merged_keys:
                left += 1
        if right < len(ours):
            found.append((ours[right], left))
            merged_keys.add(ours[right])
            at_shared += following == ours[right]
            right += 1
    return found


def without_items(value: Any, fields: FieldSet, shape: Shape) -> Any:
    """A value without what ``fields`` name; of which nothing is left, None."""
    if type(value) is dict:
        if not value or shape.atomic:
            return None
        kept = {}
        for name, one in value.items():
            node = fields.get(field(name))
            if node is None:
                kept[name] = one
            elif not holds(node):
                kept[name] = without_items(one, node, shape.at(name))
        return kept or None
    if type(value) is list:
        if not value or not by_item(value, shape):
            return None
        items = []
        for item in value:
            node = fields.get(element(item, shape))
            if node is None:
                items.append(item)
            elif not holds(node):
                items.append(without_items(item, node, shape.item or PLAIN))
        return items or None
    return value
