"""Schemas of types: builtin ones from their fields, custom ones from their definitions."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from controller.ports import Resource
from sim.apiserver.openapi.naming import LIST_META, OBJECT_META, custom_name, type_name
from sim.apiserver.schemas.messages import Field, message

Schema = dict[str, Any]
_SCALARS: Mapping[str, Mapping[str, str]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
}
_TIME = {"type": "string", "format": "date-time"}
_SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "meta.v1.Time": _TIME,
    "meta.v1.MicroTime": _TIME,
    "meta.v1.FieldsV1": {"type": "object"},
    "runtime.RawExtension": {"type": "object"},
    "resource.Quantity": {"type": "string"},
    "intstr.IntOrString": {"type": "string", "format": "int-or-string"},
}
"""Types that are no object of fields; whatever else is not described may be anything."""
_SPECIAL_V3: Mapping[str, Mapping[str, Any]] = {
    "resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "intstr.IntOrString": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
}
_UNSAID_IN_V2 = ("default", "nullable", "oneOf", "anyOf", "allOf", "not")
_OPEN = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string")
"""What a schema of v2 cannot say: there, such a value may be anything."""


class Dialect(NamedTuple):
    """``prefix`` leads to definitions; ``v3`` tells the versions apart."""

    prefix: str
    v3: bool

    def reference(self, name: str) -> Schema:
        return {"$ref": f"{self.prefix}{name}"}


V2 = Dialect("#/definitions/", v3=False)
V3 = Dialect("#/components/schemas/", v3=True)


def gvk(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": version, "kind": kind}


class Definitions:
    """Collects schemas by name, each type with all that it refers to."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.schemas: dict[str, Schema] = {}

    def add(self, name: str) -> Schema:
        """A reference to the type ``core.v1.Pod``, which is then defined."""
        called = type_name(name)
        if called not in self.schemas:
            self.schemas[called] = {}  # a type may refer to itself
            self.schemas[called] = self._described(name)
        return self.dialect.reference(called)

    def _described(self, name: str) -> Schema:
        special = _SPECIAL_V3.get(name) if self.dialect.v3 else None
        special = special or _SPECIAL.get(name)
        if special is not None:
            return dict(special)
        found = message(name)
        if found is None:
            return {}
        if found.listed:
            return {"type": "array", "items": {"type": "string"}}
        properties: Schema = {}
        required: list[str] = []
        self._fill(found.fields, properties, required)
        schema: Schema = {"type": "object", "properties": dict(sorted(properties.items()))}
        if required:
            schema["required"] = sorted(required)
        return schema

    def _fill(self, fields: Iterable[Field], properties: Schema, required: list[str]) -> None:
        for field in fields:
            if field.inline:
                inner = message(field.type)
                self._fill(inner.fields if inner is not None else (), properties, required)
                continue
            properties[field.name] = self._field(field)
            if field.required:
                required.append(field.name)

    def _field(self, field: Field) -> Schema:
        known = _SCALARS.get(field.type)
        schema: Schema = dict(known) if known is not None else self.add(field.type)
        if field.mapped:
            schema = {"type": "object", "additionalProperties": schema}
        elif field.repeated:
            schema = {"type": "array", "items": schema}
        if field.list_type:
            schema["x-kubernetes-list-type"] = field.list_type
        if field.list_keys:
            schema["x-kubernetes-list-map-keys"] = list(field.list_keys)
        if field.map_type and "$ref" not in schema:
            schema["x-kubernetes-map-type"] = field.map_type
        if field.merge_key:
            schema["x-kubernetes-patch-merge-key"] = field.merge_key
        if field.strategy:
            schema["x-kubernetes-patch-strategy"] = field.strategy
        return schema

    def add_kind(self, name: str, kinds: Iterable[Mapping[str, str]]) -> Schema:
        """A type that stands on its own: with kind and apiVersion, and told as ``kinds``."""
        reference = self.add(name)
        schema = self.schemas[type_name(name)]
        schema.setdefault("type", "object")
        schema["properties"] = _typed(schema.get("properties") or {})
        told = schema.setdefault("x-kubernetes-group-version-kind", [])
        told.extend(one for one in kinds if one not in told)
        return reference

    def add_custom(self, resource: Resource, declared: Mapping[str, Any], list_kind: str) -> tuple[Schema, Schema]:
        """References to a custom kind and its list."""
        own = dict(declared) if self.dialect.v3 else _in_v2(declared)
        own["type"] = "object"
        properties = {**_typed(own.get("properties") or {}), "metadata": self.add(OBJECT_META)}
        own["properties"] = dict(sorted(properties.items()))
        own["x-kubernetes-group-version-kind"] = [gvk(resource.group, resource.version, resource.kind)]
        name, list_name = custom_name(resource), custom_name(resource, "List")
        self.schemas[name] = own
        reference = self.dialect.reference(name)
        items = {"type": "array", "items": reference}
        self.schemas[list_name] = {
            "type": "object",
            "required": ["items"],
            "properties": _typed({"items": items, "metadata": self.add(LIST_META)}),
            "x-kubernetes-group-version-kind": [gvk(resource.group, resource.version, list_kind)],
        }
        return reference, self.dialect.reference(list_name)


def _typed(properties: Mapping[str, Any]) -> Schema:
    text = {"type": "string"}
    return dict(sorted({**properties, "apiVersion": text, "kind": text}.items()))


def _in_v2(schema: Mapping[str, Any]) -> Schema:
    """A custom kind's schema without what OpenAPI v2 has no words for."""
    found = {key: value for key, value in schema.items() if key not in _UNSAID_IN_V2}
    if any(schema.get(key) for key in _OPEN):
        return {key: value for key, value in found.items() if key not in ("type", "properties", "items", "format")}
    if "properties" in found:
        found["properties"] = {key: _in_v2(child) for key, child in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), Mapping):
            found[key] = _in_v2(found[key])
    return found
