"""From a protobuf message to the JSON document that says the same."""

import base64
import struct
from typing import Any

from sim.apiserver.protobuf.special import READERS, text
from sim.apiserver.protobuf.wire import Malformed, fields, signed
from sim.apiserver.schemas.messages import Field, message

_DEPTH_MAX = 100
_ONE_OF = {
    "apiextensions.v1.JSONSchemaPropsOrArray": ("schema", "jSONSchemas"),
    "apiextensions.v1.JSONSchemaPropsOrBool": ("schema", "allows"),
    "apiextensions.v1.JSONSchemaPropsOrStringArray": ("schema", "property"),
}
_PROPS = "apiextensions.v1.JSONSchemaProps"


def decoded(data: memoryview, name: str, depth: int = 0) -> Any:
    """The document of the type ``name``; fields that nobody describes are left out. Raises Malformed."""
    if depth > _DEPTH_MAX:
        raise Malformed("the message is nested too deeply")
    reader = READERS.get(name)
    if reader is not None:
        return reader(data)
    if name in _ONE_OF:
        return _one_of(data, name, depth)
    found = message(name)
    if found is None:
        raise Malformed(f"the fields of {name} are not known")
    if found.listed:
        return [text(value) for number, _, value in fields(data) if number == 1]
    known = {field.number: field for field in found.fields}
    document: dict[str, Any] = {}
    for number, _, value in fields(data):
        field = known.get(number)
        if field is not None:
            _put(document, field, value, depth)
    return {field.name: document[field.name] for field in found.fields if field.name in document} | document


def _put(document: dict[str, Any], field: Field, value: int | memoryview, depth: int) -> None:
    """Empty values are kept where Go's JSON would: pointers, and fields without ``omitempty``."""
    if field.mapped:
        key, item = _entry(value, field.type, depth)
        document.setdefault(field.name, {})[key] = item
        return
    item = _value(value, field.type, depth)
    if field.inline:
        document.update(item)
    elif field.repeated:
        document.setdefault(field.name, []).append(item)
    elif item is not None and (item or isinstance(item, dict) or field.required or field.pointer):
        document[field.name] = item


def _entry(value: int | memoryview, kind: str, depth: int) -> tuple[str, Any]:
    if isinstance(value, int):
        raise Malformed("wrong wireType = 0 for a map")
    key, item = "", _value(memoryview(b""), kind, depth) if kind in ("string", "bytes") else None
    for number, _, part in fields(value):
        if number == 1:
            key = text(part)
        elif number == 2:
            item = _value(part, kind, depth)
    return key, item


def _value(value: int | memoryview, kind: str, depth: int) -> Any:
    if kind == "string":
        return text(value)
    if isinstance(value, int):
        return bool(value) if kind == "bool" else signed(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "double":
        return float(struct.unpack("<d", value)[0]) if len(value) == 8 else 0.0
    if kind in ("bool", "int32", "int64"):
        raise Malformed(f"wrong wireType = 2 for a field of type {kind}")
    return decoded(value, kind, depth + 1)


def _one_of(data: memoryview, name: str, depth: int) -> Any:
    """A schema, or what may stand in its place: a list of schemas, a boolean, a list of names."""
    found: list[Any] = []
    for number, _, value in fields(data):
        if number == (2 if name.endswith("OrBool") else 1):
            return _value(value, _PROPS, depth)
        found.append(
            _value(value, {"Bool": "bool", "StringArray": "string"}.get(name.rpartition("Or")[2], _PROPS), depth)
        )
    if name.endswith("OrBool"):
        return bool(found and found[-1])
    return found
