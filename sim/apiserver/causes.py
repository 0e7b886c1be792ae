"""Field errors beyond the common ones of :mod:`errors`, in the words of apimachinery ``util/validation/field``."""

import json
from collections.abc import Iterable
from typing import Any

from controller.ports import ApiError, Resource
from sim.apiserver.errors import Cause

BLOCKING = frozenset(
    ("FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueNotSupported", "FieldValueTypeInvalid")
)
"""Reasons after which the API server does not evaluate CEL rules."""

UNCHECKED = Cause(
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
"""Added where a schema has CEL rules but blocking errors kept them from being evaluated."""


def literal(value: Any) -> str:
    """A value as field errors print it: JSON, compact, keys in the order they were sent."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def bad_value(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueInvalid", field, f"Invalid value: {literal(value)}: {detail}")


def bad_type(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueTypeInvalid", field, f"Invalid value: {literal(value)}: {detail}")


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {literal(value)}")


def unsupported(field: str, value: Any, supported: Iterable[Any]) -> Cause:
    """``supported`` may hold any JSON values; all are printed quoted, as the real server does."""
    words = ", ".join(literal(item if isinstance(item, str) else literal(item)) for item in supported)
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {literal(value)}: supported values: {words}")


def too_long(field: str, most_bytes: int) -> Cause:
    return Cause("FieldValueTooLong", field, f"Too long: may not be more than {most_bytes} bytes")


def too_many(field: str, actual: int, most: int) -> Cause:
    return Cause("FieldValueTooMany", field, f"Too many: {actual}: must have at most {most} items")


_KINDS = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}


def ruled_out(field: str, reason: str, value: Any, detail: str) -> Cause:
    """What a CEL rule with this ``reason`` reports; values of objects and lists are left out of the text."""
    shows_value = reason in ("FieldValueInvalid", "FieldValueDuplicate") and not isinstance(value, dict | list)
    shown = f"{literal(value)}: " if shows_value else ""
    return Cause(reason, field, f"{_KINDS[reason]}: {shown}{detail}")


def undecodable(resource: Resource, detail: str) -> ApiError:
    """The 400 of a document that does not decode: ``Widget in version "v1" cannot be handled as a Widget: …``."""
    kind = resource.kind
    return ApiError(
        400, "BadRequest", f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {detail}'
    )
