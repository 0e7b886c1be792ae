"""Sets of fields of an object, in the form in which ``managedFields`` carry them (FieldsV1).

A set is a nested mapping. Its keys are path elements: ``f:name`` of a field, ``k:{"name":"a"}`` of an item of a list
that is merged by key, ``v:"x"`` of an item of a set. A path is in the set when its node is empty or holds ``.``.
Sets are immutable documents and share what they have in common.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

FieldSet = Mapping[str, Any]

EMPTY: Final[FieldSet] = {}
_SELF: Final = "."


def field(name: str) -> str:
    return f"f:{name}"


def keyed(item: Mapping[str, Any], keys: Sequence[str], defaults: Mapping[str, Any]) -> str:
    """The path element of an item of a list that is merged by ``keys``, which are sorted.

    An item that is no mapping, which the schema will refuse, is told by its value.
    """
    if not isinstance(item, Mapping):
        return valued(item)
    values = {key: item.get(key, defaults.get(key)) for key in keys if key in item or key in defaults}
    return f"k:{json.dumps(values, separators=(',', ':'), ensure_ascii=False)}"


def valued(item: Any) -> str:
    return f"v:{json.dumps(item, separators=(',', ':'), ensure_ascii=False)}"


def member(children: dict[str, Any]) -> FieldSet:
    """The node of a path that is in the set itself, beside ``children``."""
    return {_SELF: EMPTY, **children} if children else EMPTY


def holds(node: FieldSet) -> bool:
    """Whether the path of a node is in the set itself."""
    return not node or _SELF in node


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
    mine = holds(node)
    stays = mine and not holds(taken)
    if not node:
        return node if stays else None
    children = {key: child for key, child in node.items() if key != _SELF}
    rest = without(children, taken) if taken else children
    if rest is children and stays == mine:
        return node
    if not rest:
        return EMPTY if stays else None
    return {_SELF: EMPTY, **rest} if stays else rest


def common(one: FieldSet, other: FieldSet) -> FieldSet:
    """What two sets both have."""
    shared: dict[str, Any] = {}
    for key, node in one.items():
        counterpart = other.get(key)
        if counterpart is not None:
            both = _both(node, counterpart)
            if both is not None:
                shared[key] = both
    return shared


def _both(node: FieldSet, other: FieldSet) -> FieldSet | None:
    mine = holds(node) and holds(other)
    children = {key: child for key, child in common(node, other).items() if key != _SELF} if node and other else None
    if not children:
        return EMPTY if mine else None
    return {_SELF: EMPTY, **children} if mine else children


def paths(fields: FieldSet, prefix: str = "") -> Iterator[str]:
    """The paths of a set as people read them: ``.spec.ports[port=80].name``; those that end here come first."""
    order = sorted((key for key in fields if key != _SELF), key=_rank)
    yield from (prefix + spelled(key) for key in order if holds(fields[key]))
    for key in order:
        yield from paths(fields[key], prefix + spelled(key))


def _rank(key: str) -> tuple[int, Any]:
    kind, text = key[0], key[2:]
    if kind == "f":
        return 0, text
    value = json.loads(text)
    if kind == "k":
        return 1, [(name, _weight(one)) for name, one in sorted(value.items())]
    return 2, _weight(value)


def _weight(value: Any) -> tuple[int, Any]:
    """Numbers come before texts, texts before truths, and those before the rest."""
    if type(value) in (int, float):
        return 0, value
    return (1, value) if type(value) is str else (2, value) if type(value) is bool else (3, json.dumps(value))


def spelled(key: str) -> str:
    """A path element as people read it."""
    kind, text = key[0], key[2:]
    if kind == "f":
        return f".{text}"
    if kind == "k":
        named = sorted(json.loads(text).items())
        return f"[{','.join(f'{name}={json.dumps(one, ensure_ascii=False)}' for name, one in named)}]"
    return f"[={text}]"


_DEPTH_MAX = 100


def well_formed_set(fields: Any, depth: int = 0) -> bool:
    """Whether a client's FieldsV1 can be read."""
    if type(fields) is not dict or depth > _DEPTH_MAX:
        return False
    return all((key == _SELF or _is_element(key)) and well_formed_set(node, depth + 1) for key, node in fields.items())


def _is_element(key: str) -> bool:
    kind, text = key[:2], key[2:]
    if kind == "f:":
        return True
    if kind not in ("k:", "v:", "i:"):
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return kind == "v:" or type(value) is (dict if kind == "k:" else int)
