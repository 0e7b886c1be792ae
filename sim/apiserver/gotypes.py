"""JSON into the Go types of a builtin kind: what fits is kept, nulls are nothing, and what does not fit is refused."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from controller.ports import Document
from sim.apiserver.errors import bad_request
from sim.apiserver.registry import Served
from sim.apiserver.schemas.messages import Field, kind_name, message

_INTEGERS = {"int32": 1 << 31, "int64": 1 << 63}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_QUANTITY_TEXT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_TIME = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_FOUND: Mapping[type, str] = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
_ABSENT = object()


class _Misfit(Exception):
    pass


def decoded(served: Served, body: Document) -> Document:
    """The body as Go holds it; ``body`` itself when that is the same. Custom kinds have schemas of their own.

    Metadata is judged elsewhere. Raises ApiError 400.
    """
    resource = served.resource
    name = "" if served.custom else kind_name(resource.api_version, resource.kind)
    if not name or message(name) is None:
        return body
    try:
        found: Document = _struct(name, body, skip="metadata")
    except _Misfit as misfit:
        text = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {misfit}'
        raise bad_request(text) from None
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


def _struct(name: str, value: Mapping[str, Any], skip: str = "") -> Any:
    fields = _fields(name)
    changed: dict[str, Any] = {}
    for key, one in value.items():
        field = fields.get(key)
        if field is not None and key != skip:
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
        items = [_one(field.type, item, path) for item in value]
        return value if all(map(_same, items, value)) else items
    if field.mapped:
        if type(value) is not dict:
            raise _misfit(value, path, f"map[string]{_go_name(field.type)}")
        entries = {key: _one(field.type, one, path) for key, one in value.items()}
        return value if all(map(_same, entries.values(), value.values())) else entries
    return _one(field.type, value, path)


def _same(one: object, other: object) -> bool:
    return one is other


def _one(kind: str, value: Any, path: str) -> Any:
    """One value of a type; null is its zero."""
    told = message(kind)
    if told is not None and not told.listed:
        if value is None:
            return {}
        if type(value) is not dict:
            raise _misfit(value, path, _go_name(kind))
        return _struct(kind, value)
    if told is not None:
        if type(value) is not list or not all(type(one) is str for one in value):
            raise _misfit(value, path, _go_name(kind))
        return value
    check = _CHECKS.get(kind)
    if check is None:
        return value
    if value is None:
        return _ZEROS.get(kind, "")
    check(kind, value, path)
    return value


def _text(_kind: str, value: Any, path: str) -> None:
    if type(value) is not str:
        raise _misfit(value, path, "string")


def _time(kind: str, value: Any, _path: str) -> None:
    if type(value) is not str:
        raise _Misfit(f"json: cannot unmarshal {_found(value)} into Go value of type string")
    if _TIME.fullmatch(value) is None:
        form = "2006-01-02T15:04:05Z07:00" if kind == "meta.v1.Time" else "2006-01-02T15:04:05.000000Z07:00"
        raise _Misfit(f'parsing time "{value:.100}" as "{form}": cannot parse "{value:.100}" as "2006"')


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
    "meta.v1.Time": _time,
    "meta.v1.MicroTime": _time,
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
