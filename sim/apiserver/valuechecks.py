"""Checks of single values against a structural schema: types, ranges, lengths, patterns, formats, enumerations.

Messages are kube-openapi's, as the API server of 1.36 prints them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sim.apiserver.causes import bad_type, bad_value, too_long, unsupported
from sim.apiserver.errors import Cause
from sim.apiserver.formats import FORMATS

Path = tuple[Any, str] | None
"""A field's place: its parent's path and ``.name`` or ``[index]``; spelled out only when something is wrong."""

Check = Callable[[Any, Any, Path, list[Cause]], None]
"""``check(value, old, path, causes)``: appends what is wrong with ``value``; ``old`` is ABSENT where there is none."""

ABSENT: Any = type("Absent", (), {})()


def spelled(path: Path) -> str:
    parts: list[str] = []
    while path is not None:
        path, part = path
        parts.append(part)
    return "".join(reversed(parts)).lstrip(".")


def type_name(value: Any) -> str:
    """The JSON type of a value, as type errors name it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def wrong_type(path: Path, value: Any, wanted: str) -> Cause:
    field, found = spelled(path), type_name(value)
    return bad_type(field, found, f'{field} in body must be of type {wanted}: "{found}"')


def string_check(schema: Mapping[str, Any]) -> Check:
    limits = _string_limits(schema)
    is_format = FORMATS.get(schema.get("format", ""))
    format_name = schema.get("format", "")
    allowed = schema.get("enum")
    choices = frozenset(item for item in allowed if isinstance(item, str)) if allowed else None

    def check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
        if type(value) is not str:
            causes.append(wrong_type(path, value, "string"))
            return
        if limits is not None and (found := limits(value, path)) is not None:
            causes.append(found)
        if is_format is not None and not is_format(value):
            field = spelled(path)
            causes.append(bad_type(field, value, f'{field} in body must be of type {format_name}: "{value}"'))
        if choices is not None and value not in choices:
            causes.append(unsupported(spelled(path), value, allowed or ()))

    return check


def _string_limits(schema: Mapping[str, Any]) -> Callable[[str, Path], Cause | None] | None:
    most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if most is None and least is None and pattern is None:
        return None
    matches = re.compile(go_pattern(pattern)).search if pattern is not None else None

    def limits(value: str, path: Path) -> Cause | None:
        if most is not None and len(value) > most:
            return too_long(spelled(path), most)
        if least is not None and len(value) < least:
            field = spelled(path)
            return bad_value(field, value, f"{field} in body should be at least {least} chars long")
        if matches is not None and matches(value) is None:
            field = spelled(path)
            return bad_value(field, value, f"{field} in body should match '{pattern}'")
        return None

    return limits


def go_pattern(pattern: str) -> str:
    """RE2's ``$`` means the end of the text; Python's would also accept a newline before it."""
    return re.sub(r"(?<!\\)\$$", r"\\Z", pattern)


def number_check(schema: Mapping[str, Any]) -> Check:
    whole = schema["type"] == "integer"
    ranges = _ranges(schema)
    allowed = schema.get("enum")

    def check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
        kind = type(value)
        if kind is not int and (kind is not float or (whole and not value.is_integer())):
            causes.append(wrong_type(path, value, "integer" if whole else "number"))
            return
        for holds, complaint in ranges:
            if not holds(value):
                field = spelled(path)
                causes.append(bad_value(field, value, f"{field} in body should be {complaint}"))
        if allowed is not None and value not in allowed:
            causes.append(unsupported(spelled(path), value, allowed))

    return check


def _ranges(schema: Mapping[str, Any]) -> list[tuple[Callable[[Any], bool], str]]:
    ranges: list[tuple[Callable[[Any], bool], str]] = []
    factor, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
    if factor is not None:
        ranges.append((lambda value: value % factor == 0, f"a multiple of {_number(factor)}"))
    if most is not None and schema.get("exclusiveMaximum"):
        ranges.append((lambda value: value < most, f"less than {_number(most)}"))
    elif most is not None:
        ranges.append((lambda value: value <= most, f"less than or equal to {_number(most)}"))
    if least is not None and schema.get("exclusiveMinimum"):
        ranges.append((lambda value: value > least, f"greater than {_number(least)}"))
    elif least is not None:
        ranges.append((lambda value: value >= least, f"greater than or equal to {_number(least)}"))
    return ranges


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def boolean_check(schema: Mapping[str, Any]) -> Check:
    allowed = schema.get("enum")

    def check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
        if type(value) is not bool:
            causes.append(wrong_type(path, value, "boolean"))
        elif allowed is not None and value not in allowed:
            causes.append(unsupported(spelled(path), value, allowed))

    return check


def int_or_string_check(schema: Mapping[str, Any]) -> Check:
    limits = _string_limits(schema)

    def check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
        kind = type(value)
        if kind is not int and kind is not str:
            causes.append(wrong_type(path, value, "integer,string"))
        elif kind is str and limits is not None and (found := limits(value, path)) is not None:
            causes.append(found)

    return check
