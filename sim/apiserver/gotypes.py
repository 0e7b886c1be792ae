"""JSON into the Go types of a builtin kind: what fits is kept, nulls are nothing, and what does not fit is refused."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from controller.ports import Document
from sim.apiserver.errors import bad_request
from sim.apiserver.gotime import canonical
from sim.apiserver.registry import Served
from sim.apiserver.schemas.messages import Field, kind_name, message

_INTEGERS = {"int32": 1 << 31, "int64": 1 << 63}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_QUANTITY_TEXT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_TIMES = frozenset(("meta.v1.Time", "meta.v1.MicroTime"))
_SCHEMA = "apiextensions.v1.JSONSchemaProps"
_UNIONS: Mapping[str, type] = {f"{_SCHEMA}OrBool": bool, f"{_SCHEMA}OrArray": list, f"{_SCHEMA}OrStringArray": list}
_METADATA = "meta.v1.ObjectMeta"
_FOUND: Mapping[type, str] = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
_ABSENT = object()


class _Misfit(Exception):
    pass


def decoded(served: Served, body: Document) -> Document:
    """The body as Go holds it and writes it; ``body`` itself when that is the same.

    Custom kinds have schemas of their own, but the same metadata. Raises ApiError 400.
    """
    resource = served.resource
    name = "" if served.custom else kind_name(resource.api_version, resource.kind)
    try:
        if name and message(name) is not None:
            found: Document = _struct(name, body)
        else:
            metadata = _struct(_METADATA, body["metadata"])
            found = body if metadata is body["metadata"] else {**body, "metadata": metadata}
    except _Misfit as misfit:
        text = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {misfit}'
        raise bad_request(text) from None
    return found


def fitted(api_version: str, kind: str, body: Document) -> Document:
    """As :func:`decoded`, for a kind that is never stored: options, reviews, evictions. Raises ApiError 400."""
    try:
        found: Document = _struct(kind_name(api_version, kind), body)
    except _Misfit as misfit:
        version = api_version.rpartition("/")[2]
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {misfit}') from None
    return found


@cache
def _fields(name: str) -> Mapping[str, Field]:
    """By their JSON names, those of structs that are inlined among them."""
    found: dict[str, Field] = {}
    told = message(name)
    for field in () if told is None else told.fields:
        if field.inline:
            found |= _fields(field.type)
        else:
            found[field.name] = field
    return found


def _struct(name: str, value: Mapping[str, Any]) -> Any:
    fields = _fields(name)
    changed: dict[str, Any] = {}
    for key, one in value.items():
        field = fields.get(key)
        if field is not None:
            kept = _ABSENT if one is None else _value(field, one, f"{_short(name)}.{key}")
            if kept is not one:
                changed[key] = kept
    if not changed:
        return value
    return {key: one for key, one in {**value, **changed}.items() if one is not _ABSENT}


def _value(field: Field, value: Any, path: str) -> Any:
    if field.repeated:
        if type(value) is not list:
            raise _misfit(value, path, f"[]{_go_name(field.type)}")
        return _kept(value, [_one(field.type, item, path) for item in value])
    if field.mapped:
        if type(value) is not dict:
            raise _misfit(value, path, f"map[string]{_go_name(field.type)}")
        entries = {key: _one(field.type, one, path) for key, one in value.items()}
        return value if all(entries[key] is one for key, one in value.items()) else entries
    return _one(field.type, value, path)


def _kept(before: list[Any], after: list[Any]) -> list[Any]:
    return before if all(one is other for one, other in zip(before, after, strict=True)) else after


def _one(kind: str, value: Any, path: str) -> Any:
    """One value of a type; null is its zero."""
    if kind in _UNIONS:
        return _union(kind, value, path)
    told = message(kind)
    if told is None:
        return _scalar(kind, value, path)
    if value is None:
        return [] if told.listed else {}
    fits = type(value) is dict
    if told.listed:
        fits = type(value) is list and all(type(one) is str for one in value)
    if not fits:
        raise _misfit(value, path, _go_name(kind))
    return value if told.listed else _struct(kind, value)


def _scalar(kind: str, value: Any, path: str) -> Any:
    check = _CHECKS.get(kind)
    if check is None:
        return value
    if value is None:
        return _ZEROS.get(kind, "")
    if kind in _TIMES:
        return _time(kind, value)
    check(kind, value, path)
    return value


def _union(kind: str, value: Any, path: str) -> Any:
    """A schema, or what may stand in its place; Go takes anything else for nothing."""
    other = _UNIONS[kind]
    if type(value) is dict:
        return _struct(_SCHEMA, value)
    if other is bool and type(value) is not bool:
        raise _Misfit("boolean or JSON schema expected")
    if type(value) is not other:
        return {}
    if isinstance(value, list):
        item = "string" if kind.endswith("StringArray") else _SCHEMA
        return _kept(value, [_one(item, one, path) for one in value])
    return value


def _text(_kind: str, value: Any, path: str) -> None:
    if type(value) is not str:
        raise _misfit(value, path, "string")


def _time(kind: str, value: Any) -> str:
    """In UTC and with as many digits as Go writes, however the client spelled it."""
    if type(value) is not str:
        raise _Misfit(f"json: cannot unmarshal {_found(value)} into Go value of type string")
    try:
        written = canonical(value, micro=kind == "meta.v1.MicroTime")
    except ValueError as error:
        raise _Misfit(str(error)) from None
    return value if written == value else written


def _bool(_kind: str, value: Any, path: str) -> None:
    if type(value) is not bool:
        raise _misfit(value, path, "bool")


def _integer(kind: str, value: Any, path: str) -> None:
    limit = _INTEGERS[kind]
    if type(value) is not int or not -limit <= value < limit:
        raise _misfit(value, path, kind)


def _number(_kind: str, value: Any, path: str) -> None:
    if type(value) not in (int, float):
        raise _misfit(value, path, "float64")


def _bytes(_kind: str, value: Any, path: str) -> None:
    if type(value) is not str:
        raise _misfit(value, path, "[]uint8")
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        wrong = re.search(r"[^A-Za-z0-9+/\r\n]", value)
        at = wrong.start() if wrong is not None else len(value) // 4 * 4
        raise _Misfit(f"illegal base64 data at input byte {at}") from None


def _quantity(_kind: str, value: Any, path: str) -> None:  # noqa: ARG001
    if type(value) in (int, float):
        return
    if type(value) is not str or _QUANTITY.fullmatch(value) is None:
        raise _Misfit(_QUANTITY_TEXT)


def _int_or_string(_kind: str, value: Any, path: str) -> None:
    if type(value) is not str:
        _integer("int32", value, path)


_CHECKS: Mapping[str, Callable[[str, Any, str], None]] = {
    "string": _text,
    "bool": _bool,
    "int32": _integer,
    "int64": _integer,
    "double": _number,
    "bytes": _bytes,
    "resource.Quantity": _quantity,
    "intstr.IntOrString": _int_or_string,
    **dict.fromkeys(_TIMES, _text),
}
_ZEROS: Mapping[str, Any] = {"bool": False, "int32": 0, "int64": 0, "double": 0, "resource.Quantity": "0"}


def _misfit(value: Any, path: str, wanted: str) -> _Misfit:
    found = _found(value)
    if found == "number" and wanted.startswith("int"):
        found = f"number {value}"
    return _Misfit(f"json: cannot unmarshal {found} into Go struct field {path} of type {wanted}")


def _found(value: Any) -> str:
    return _FOUND.get(type(value), "object")


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _go_name(kind: str) -> str:
    """As Go prints it: the package's last part and the type."""
    if kind == "bytes":
        return "[]uint8"
    if kind == "double":
        return "float64"
    return ".".join(kind.split(".")[-2:])
