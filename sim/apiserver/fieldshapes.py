"""How maps and lists of a kind are owned: item by item, or as a whole.

Source: the list and map types in the schemas of kube-apiserver 1.36. A custom resource brings its own; where it tells
nothing, maps are owned by field and lists as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, eq=False)
class Shape:
    """One place in a document.

    ``atomic`` maps are owned as a whole, like lists that have neither ``keys`` nor are ``unique`` (sets). ``fields``
    and ``others`` are the places below, ``item`` those of the items of a keyed list. ``given`` are fields that Go
    writes even when nothing is in them: they are there before anybody sets them.
    """

    atomic: bool = False
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    others: "Shape | None" = None
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: bool = False
    item: "Shape | None" = None
    given: Mapping[str, Any] = field(default_factory=dict)

    def at(self, name: str) -> "Shape":
        return self.fields.get(name) or self._rest

    @cached_property
    def _rest(self) -> "Shape":
        return self.others or (self if not self.keys and not self.atomic else PLAIN)


PLAIN = Shape()
WHOLE = Shape(atomic=True)


def _by(*keys: str, item: Shape | None = None, **defaults: Any) -> Shape:
    return Shape(keys=tuple(sorted(keys)), item=item, defaults=defaults)


METADATA = Shape(
    fields={"ownerReferences": _by("uid", item=WHOLE), "finalizers": Shape(unique=True)},
    others=PLAIN,
)

_WHOLE_MAPS = (
    "configMapKeyRef",
    "fieldRef",
    "involvedObject",
    "labelSelector",
    "nodeSelector",
    "resourceFieldRef",
    "roleRef",
    "scopeSelector",
    "secretKeyRef",
    "selector",
)
_INNER: dict[str, Shape] = dict.fromkeys(_WHOLE_MAPS, WHOLE)
_BUILTIN = Shape(fields=_INNER)
_CONTAINER = Shape(
    fields={
        **_INNER,
        "ports": _by("containerPort", "protocol", item=_BUILTIN, protocol="TCP"),
        "env": _by("name", item=_BUILTIN),
        "volumeMounts": _by("mountPath", item=_BUILTIN),
        "volumeDevices": _by("devicePath", item=_BUILTIN),
    },
    others=_BUILTIN,
    given={"resources": {}},
)
_TEMPLATE = Shape(fields={"metadata": METADATA}, others=_BUILTIN, given={"metadata": {}, "spec": {"containers": None}})
_INNER |= {
    "metadata": METADATA,
    "template": _TEMPLATE,
    "conditions": _by("type", item=_BUILTIN),
    "addresses": _by("type", item=_BUILTIN),
    "containers": _by("name", item=_CONTAINER),
    "initContainers": _by("name", item=_CONTAINER),
    "ephemeralContainers": _by("name", item=_CONTAINER),
    "volumes": _by("name", item=_BUILTIN),
    "ports": _by("port", "protocol", item=_BUILTIN, protocol="TCP"),
    "imagePullSecrets": _by("name", item=WHOLE),
    "secrets": _by("name", item=WHOLE),
    "claims": _by("name", item=_BUILTIN),
    "resourceClaims": _by("name", item=_BUILTIN),
    "schedulingGates": _by("name", item=_BUILTIN),
    "hostAliases": _by("ip", item=_BUILTIN),
    "podIPs": _by("ip", item=_BUILTIN),
    "topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable", item=_BUILTIN),
}
_PARTS: Mapping[str, Any] = {"metadata": {}, "spec": {}, "status": {}}
_GIVEN: Mapping[str, Mapping[str, Any]] = {
    "Pod": {**_PARTS, "spec": {"containers": None}},
    "Deployment": {**_PARTS, "spec": {"selector": None, "strategy": {}, "template": _TEMPLATE.given}},
}


def builtin_shape(kind: str) -> Shape:
    return Shape(fields=_BUILTIN.fields, others=_BUILTIN, given=_GIVEN.get(kind, _PARTS))


def custom_shape(openapi: Mapping[str, Any]) -> Shape:
    """The places of a custom resource, from its schema."""
    below = _custom(openapi)
    return Shape(fields={**below.fields, "metadata": METADATA}, others=below.others, given={"metadata": {}})


def _custom(schema: Mapping[str, Any]) -> Shape:
    kind = schema.get("type")
    if kind == "array":
        listed = schema.get("x-kubernetes-list-type")
        if listed == "map":
            keys = tuple(sorted(schema.get("x-kubernetes-list-map-keys") or ()))
            item = schema.get("items") or {}
            defaults = {key: one["default"] for key, one in (item.get("properties") or {}).items() if "default" in one}
            return Shape(keys=keys, item=_custom(item), defaults=defaults)
        return Shape(unique=listed == "set")
    if kind == "object" and schema.get("x-kubernetes-map-type") == "atomic":
        return WHOLE
    properties = schema.get("properties") or {}
    values = schema.get("additionalProperties")
    if not properties and not isinstance(values, dict):
        return PLAIN
    others = _custom(values) if isinstance(values, dict) else PLAIN
    return Shape(fields={name: _custom(one) for name, one in properties.items()}, others=others)
