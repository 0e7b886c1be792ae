"""Decoding of single values: Go's basic kinds, and the types that read their own JSON.

A decoder takes a JSON value, where it stands, and the problems so far, and answers what writing the Go value again
gives. It answers the very value it got where nothing changes.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from sim.apiserver.quantity import MUST_MATCH, canonical_text
from sim.tekton.gotypes.durations import format_ns, parse_ns

Path = tuple[Any, ...] | None
"""``(parent path, key)``; None is the document itself."""


class Problems:
    """What went wrong in one document, in the order it was met."""

    __slots__ = ("root", "texts", "valueless")

    def __init__(self, root: str) -> None:
        self.root = root
        """Name of the Go type of the whole document."""
        self.texts: list[str] = []
        self.valueless = False
        """Whether a parameter has no value at all: it decodes, but cannot be written again."""

    def mismatch(self, value: Any, type_name: str, path: Path, number: bool = False) -> None:
        """A value of a JSON type that ``type_name`` does not take; ``number``: right type, but not such a number."""
        word = f"number {value}" if number else json_word(value)
        keys: list[str] = []
        while path is not None:
            path, key = path
            keys.append(str(key).replace("~", "~0").replace("/", "~1"))
        where = "" if keys and keys[0].isdigit() else "Go struct field "
        field = ".".join(reversed(keys))
        self.texts.append(f"json: cannot unmarshal {word} into {where}{self.root}.{field} of type {type_name}")


Decode = Callable[[Any, Path, Problems, bool], Any]
"""``(value, path, problems, strict)``; strict refuses unknown fields, otherwise they are dropped."""

VALUELESS: Final = object()
"""The zero value of a type that cannot be written."""


def json_word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def string_decoder(type_name: str) -> Decode:
    def decode(value: Any, path: Path, problems: Problems, _strict: bool) -> Any:
        if type(value) is str:
            return value
        if value is not None:
            problems.mismatch(value, type_name, path)
        return ""

    return decode


def bool_decoder(type_name: str) -> Decode:
    def decode(value: Any, path: Path, problems: Problems, _strict: bool) -> Any:
        if type(value) is bool:
            return value
        if value is not None:
            problems.mismatch(value, type_name, path)
        return False

    return decode


def integer_decoder(type_name: str, bits: int) -> Decode:
    most = 2 ** (bits - 1)

    def decode(value: Any, path: Path, problems: Problems, _strict: bool) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # the API server writes 2.0 as 2
        if type(value) is int:
            if -most <= value < most:
                return value
            problems.mismatch(value, type_name, path, number=True)
        elif value is not None:
            problems.mismatch(value, type_name, path, number=isinstance(value, float))
        return 0

    return decode


def opaque(value: Any, _path: Path, _problems: Problems, _strict: bool) -> Any:
    return value


def duration(value: Any, _path: Path, problems: Problems, _strict: bool) -> Any:
    if value is not None and type(value) is not str:
        problems.texts.append(f"json: cannot unmarshal {json_word(value)} into Go value of type string")
        return "0s"
    try:
        spelled = format_ns(parse_ns(value or ""))
    except ValueError as error:
        problems.texts.append(str(error))
        return "0s"
    return value if spelled == value else spelled


def quantity(value: Any, _path: Path, problems: Problems, _strict: bool) -> Any:
    if value is None:
        return "0"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problems.texts.append(MUST_MATCH)
        return "0"
    try:
        spelled = canonical_text(value)
    except ValueError as error:
        problems.texts.append(str(error))
        return "0"
    return value if spelled == value else spelled


def int_or_string(value: Any, _path: Path, problems: Problems, _strict: bool) -> Any:
    if value is None:
        return 0
    if type(value) is str or type(value) is int:
        return value
    problems.texts.append(f"json: cannot unmarshal {json_word(value)} into Go value of type int32")
    return 0


def param_value(value: Any, _path: Path, _problems: Problems, _strict: bool) -> Any:
    """A string, an array or a map of strings; whatever else it is becomes the string that spells it."""
    if type(value) is str:
        return value
    if type(value) is list:
        items = value
    elif type(value) is dict:
        items = list(value.values())
    else:
        return "" if value is None else _spelled(value)
    if not all(item is None or type(item) is str for item in items):
        return _spelled(value)
    if None not in items:
        return value
    return [item or "" for item in value] if type(value) is list else {key: item or "" for key, item in value.items()}


def _spelled(value: Any) -> str:
    """JSON as Go's encoder writes it: sorted, compact, with ``<``, ``>`` and ``&`` escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


CUSTOM: dict[str, tuple[Decode, Any]] = {
    "v1.Duration": (duration, "0s"),
    "resource.Quantity": (quantity, "0"),
    "intstr.IntOrString": (int_or_string, 0),
    "v1.ParamValue": (param_value, VALUELESS),
    "v1.Time": (opaque, None),
    "v1.FieldsV1": (opaque, None),
    "runtime.RawExtension": (opaque, None),
}
"""Types with their own decoding, and what their zero value is written as."""
