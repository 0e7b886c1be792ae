"""How maps and lists of a kind are owned: item by item, or as a whole.

Source: the schemas of server-side apply that client-go carries for the builtin kinds (``fieldtypes.json``: ``s n b u``
are scalars, ``@`` names a type, a list has ``keys`` or is a ``set`` or is owned as a whole, ``given`` are fields that
Go writes even when nothing is in them). A custom resource brings its own schema; where it tells nothing, maps are owned
by field and lists as a whole.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from controller.ports import Resource

Scalar = Literal["", "string", "numeric", "boolean", "untyped"]


@dataclass(frozen=True, eq=False)
class Shape:
    """One place in a document.

    ``kind`` is what may stand there; ``any`` is told by the value. ``atomic`` maps are owned as a whole, like lists
    that have neither ``keys`` nor are ``unique`` (sets). ``fields`` and ``others`` are the places below, ``item`` those
    of the items of a list. ``closed`` maps have no field but ``fields``. ``given`` are fields that Go writes even when
    nothing is in them: they are there before anybody sets them. ``defaults`` are those of the keys.
    """

    kind: Literal["any", "map", "list", "scalar"] = "any"
    scalar: Scalar = ""
    atomic: bool = False
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    others: "Shape | None" = None
    closed: bool = False
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: bool = False
    item: "Shape | None" = None
    given: Mapping[str, Any] = field(default_factory=dict)

    def at(self, name: str) -> "Shape":
        return self.fields.get(name) or self.others or PLAIN


PLAIN = Shape()
_LETTERS: Mapping[str, Scalar] = {"s": "string", "n": "numeric", "b": "boolean", "u": "untyped"}
_SCALARS: Mapping[str, Shape] = {letter: Shape(kind="scalar", scalar=name) for letter, name in _LETTERS.items()}
_NIL: Mapping[str, tuple[str, ...]] = {"core.v1.PodSpec": ("containers",), "apps.v1.DeploymentSpec": ("selector",)}
"""Fields that Go writes as null when nothing is in them, which the schemas do not tell."""
_METADATA = "apis.meta.v1.ObjectMeta"
_TYPES: Mapping[str, Scalar] = {"string": "string", "boolean": "boolean", "integer": "numeric", "number": "numeric"}


@cache
def _types() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files("sim.apiserver.ownership").joinpath("fieldtypes.json").read_text())
    return found


@cache
def _named(name: str) -> Shape:
    shape = _built(_types().get(name, "d"))
    absent = dict.fromkeys(_NIL.get(name, ()))
    return replace(shape, given={**absent, **shape.given}) if absent else shape


def _built(node: Any) -> Shape:
    if type(node) is str:
        return _named(node[1:]) if node[0] == "@" else _SCALARS.get(node, PLAIN)
    if "list" in node:
        item = _built(node["list"])
        keys = tuple(node.get("keys", ()))
        defaults = {} if type(node["list"]) is not str else _types().get(node["list"][1:], {})
        known = defaults.get("defaults", {}) if keys else {}
        return Shape(kind="list", keys=keys, defaults=known, unique=node.get("set", False), item=item)
    below = {name: _built(one) for name, one in node.get("fields", {}).items()}
    others = _built(node["values"]) if "values" in node else None
    return Shape(
        kind="map",
        atomic=node.get("atomic", False),
        fields=below,
        others=others,
        closed=others is None,
        given={name: below[name].given for name in node.get("given", ())},
    )


@cache
def _builtin(name: str) -> Shape:
    if name in _types():
        return _named(name)
    return Shape(kind="map", fields=_identity(), given={"metadata": {}, "spec": {}, "status": {}})


def builtin_shape(resource: Resource) -> Shape:
    """The places of a builtin kind; of one without a schema, what the documents themselves tell."""
    return _builtin(f"{resource.group.partition('.')[0] or 'core'}.{resource.version}.{resource.kind}")


def _identity() -> Mapping[str, Shape]:
    return {"apiVersion": _SCALARS["s"], "kind": _SCALARS["s"], "metadata": _named(_METADATA)}


def custom_shape(openapi: Mapping[str, Any]) -> Shape:
    """The places of a custom resource, from its schema."""
    below = _custom(openapi)
    if below.kind != "map":
        below = Shape(kind="map")
    return replace(below, atomic=False, fields={**below.fields, **_identity()}, given={"metadata": {}})


def _custom(schema: Mapping[str, Any]) -> Shape:
    kind = schema.get("type", "")
    if kind == "array":
        listed = schema.get("x-kubernetes-list-type")
        item = schema.get("items") or {}
        if listed == "map":
            keys = tuple(sorted(schema.get("x-kubernetes-list-map-keys") or ()))
            defaults = {key: one["default"] for key, one in (item.get("properties") or {}).items() if "default" in one}
            return Shape(kind="list", keys=keys, item=_custom(item), defaults=defaults)
        return Shape(kind="list", unique=listed == "set", item=_custom(item))
    if kind == "object":
        return _custom_map(schema)
    if kind in _TYPES and not schema.get("x-kubernetes-int-or-string"):
        return Shape(kind="scalar", scalar=_TYPES[kind])
    return PLAIN


def _custom_map(schema: Mapping[str, Any]) -> Shape:
    properties = schema.get("properties") or {}
    values = schema.get("additionalProperties")
    free = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or (values is None and not properties)
    below = {name: _custom(one) for name, one in properties.items()}
    if schema.get("x-kubernetes-embedded-resource"):
        below |= _identity()
    return Shape(
        kind="map",
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
        fields=below,
        others=_custom(values) if isinstance(values, dict) else None,
        closed=not free and not values,
    )
