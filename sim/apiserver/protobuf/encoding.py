"""From a JSON document of a builtin kind to its protobuf message."""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from sim.apiserver.protobuf.special import WRITERS
from sim.apiserver.protobuf.wire import FIXED64, VARINT, chunk, tagged, varint
from sim.apiserver.schemas.messages import Field, message

_PROPS = "apiextensions.v1.JSONSchemaProps"


def encoded(document: Any, name: str) -> bytes:
    """The message of the type ``name``. What it does not describe is left out. Raises KeyError for unknown types."""
    writer = WRITERS.get(name)
    if writer is not None:
        return writer(document)
    if name.startswith(f"{_PROPS}Or"):
        return _one_of(document, name)
    found = message(name)
    if found is None:
        raise KeyError(name)
    if found.listed:
        return b"".join(chunk(1, str(one).encode()) for one in document)
    return b"".join(_field(document, field) for field in found.fields)


def _field(document: Mapping[str, Any], field: Field) -> bytes:
    if field.inline:
        return chunk(field.number, encoded(document, field.type))
    value = document.get(field.name)
    if value is None:
        return b""
    if field.mapped:
        return b"".join(
            chunk(field.number, chunk(1, key.encode()) + _value(2, item, field.type)) for key, item in value.items()
        )
    if field.repeated:
        return b"".join(_value(field.number, item, field.type) for item in value)
    return _value(field.number, value, field.type)


def _value(number: int, value: Any, kind: str) -> bytes:
    if kind == "string":
        return chunk(number, str(value).encode())
    if kind in ("bool", "int32", "int64"):
        return tagged(number, VARINT) + varint(int(value))
    if kind == "bytes":
        return chunk(number, base64.b64decode(value))
    if kind == "double":
        return tagged(number, FIXED64) + struct.pack("<d", float(value))
    return chunk(number, encoded(value, kind))


def _one_of(value: Any, name: str) -> bytes:
    """A schema, or what may stand in its place."""
    what = name.rpartition("Or")[2]
    if isinstance(value, Mapping):
        return chunk(2 if what == "Bool" else 1, encoded(value, _PROPS))
    if what == "Bool":
        return tagged(1, VARINT) + varint(int(value))
    assert isinstance(value, Sequence)
    kind = "string" if what == "StringArray" else _PROPS
    return b"".join(_value(2, one, kind) for one in value)
