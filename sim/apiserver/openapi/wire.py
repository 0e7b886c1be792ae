"""OpenAPI v2 as protobuf, message by message (gnostic ``OpenAPIv2.proto``): kubectl up to 1.28 reads nothing else."""

import json
import struct
from collections.abc import Mapping
from typing import Any

from sim.apiserver.protobuf.wire import FIXED64, VARINT, chunk, tagged, varint

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_NUMBERS = {"multipleOf": 6, "maximum": 7, "minimum": 9}
_COUNTS = {
    "exclusiveMaximum": 8,
    "exclusiveMinimum": 10,
    "maxLength": 11,
    "minLength": 12,
    "maxItems": 14,
    "minItems": 15,
    "uniqueItems": 16,
    "maxProperties": 17,
    "minProperties": 18,
}


def packed(document: Mapping[str, Any]) -> bytes:
    """The Document message of an OpenAPI v2 document."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(_named(2, path, _path_item(item)) for path, item in document["paths"].items())
    schemas = b"".join(_named(1, name, _schema(schema)) for name, schema in document["definitions"].items())
    return _text(1, document["swagger"]) + chunk(2, info) + chunk(8, paths) + chunk(9, schemas)


def _text(number: int, value: str) -> bytes:
    return chunk(number, value.encode()) if value else b""


def _named(number: int, name: str, value: bytes) -> bytes:
    return chunk(number, _text(1, name) + chunk(2, value))


def _any(value: Any) -> bytes:
    """A value of any type, as the YAML that JSON is."""
    return _text(2, json.dumps(value, separators=(",", ":")))


def _extensions(number: int, found: Mapping[str, Any]) -> bytes:
    return b"".join(_named(number, key, _any(value)) for key, value in found.items() if key.startswith("x-"))


def _path_item(item: Mapping[str, Any]) -> bytes:
    operations = b"".join(
        chunk(number, _operation(item[method])) for method, number in _METHODS.items() if method in item
    )
    return operations + b"".join(chunk(9, _parameter(one)) for one in item["parameters"])


def _operation(found: Mapping[str, Any]) -> bytes:
    texts = _text(5, found["operationId"])
    texts += b"".join(_text(6, one) for one in found["produces"]) + b"".join(_text(7, one) for one in found["consumes"])
    parameters = b"".join(chunk(8, _parameter(one)) for one in found["parameters"])
    responses = b"".join(_named(1, code, chunk(1, _response(one))) for code, one in found["responses"].items())
    return texts + parameters + chunk(9, responses) + _extensions(13, found)


def _response(found: Mapping[str, Any]) -> bytes:
    return _text(1, found["description"]) + chunk(2, chunk(1, _schema(found["schema"])))


def _parameter(found: Mapping[str, Any]) -> bytes:
    """A ParametersItem that holds a Parameter of a body, the query or the path."""
    required = _flag(found.get("required"))
    if found["in"] == "body":
        body = _text(2, "body") + _text(3, "body") + required(4) + chunk(5, _schema(found["schema"]))
        return chunk(1, chunk(1, body))
    of_query = found["in"] == "query"
    said = required(1) + _text(2, found["in"]) + _text(4, found["name"])
    said += _text(6 if of_query else 5, found["type"])
    return chunk(1, chunk(2, chunk(3 if of_query else 4, said)))


def _flag(value: Any) -> Any:
    return lambda number: tagged(number, VARINT) + b"\x01" if value else b""


def _schema(found: Mapping[str, Any]) -> bytes:
    out = b"".join(_text(number, str(found[key])) for key, number in _TEXTS.items() if key in found)
    for key, number in _NUMBERS.items():
        if key in found:
            out += tagged(number, FIXED64) + struct.pack("<d", float(found[key]))
    for key, number in _COUNTS.items():
        if found.get(key):
            out += tagged(number, VARINT) + varint(int(found[key]))
    out += b"".join(_text(19, one) for one in found.get("required") or ())
    out += b"".join(chunk(20, _any(one)) for one in found.get("enum") or ())
    additional = found.get("additionalProperties")
    if isinstance(additional, Mapping):
        out += chunk(21, chunk(1, _schema(additional)))
    elif additional is not None:
        out += chunk(21, tagged(2, VARINT) + varint(int(additional)))
    if found.get("type"):
        out += chunk(22, _text(1, found["type"]))
    if isinstance(found.get("items"), Mapping):
        out += chunk(23, chunk(1, _schema(found["items"])))
    if found.get("properties"):
        out += chunk(25, b"".join(_named(1, name, _schema(one)) for name, one in found["properties"].items()))
    return out + _extensions(31, found)
