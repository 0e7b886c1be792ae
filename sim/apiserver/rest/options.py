"""Query parameters and DeleteOptions, checked as apimachinery checks them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from controller.ports import ApiError, Document
from sim.apiserver.deletion import Options
from sim.apiserver.errors import Cause, bad_request, invalid, invalid_value, not_supported, required

_META = "meta.k8s.io"
_MANAGER_LIMIT_BYTES = 128
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DIGITS_MAX = 1000  # beyond them Python counts no more
_PROPAGATIONS = ("Foreground", "Background", "Orphan")


def is_true(query: Mapping[str, str], name: str) -> bool:
    """A truth as the API's conversion reads it: whatever is there and is not false."""
    return name in query and query[name].lower() not in ("false", "0")


def write_options(kind: str, query: Mapping[str, str], *, patch_type: str = "") -> tuple[bool, str]:
    """``(dry_run, field_validation)``; ``kind`` is CreateOptions and the like. Raises ApiError 422."""
    causes: list[Cause] = []
    if "force" in query or "fieldManager" in query or patch_type == "apply":
        causes.extend(_manager_causes(query, patch_type))
    dry_run = _dry_run(query.get("dryRun", ""), causes)
    validation = query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        causes.append(not_supported("fieldValidation", validation, _VALIDATIONS))
    if causes:
        raise invalid(_META, kind, "", causes)
    return dry_run, validation or "Warn"


def _manager_causes(query: Mapping[str, str], patch_type: str) -> Iterator[Cause]:
    manager = query.get("fieldManager", "")
    if patch_type == "apply":
        if not manager:
            yield required("fieldManager", "is required for apply patch")
    elif patch_type and "force" in query:
        yield Cause("FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch")
    if len(manager.encode()) > _MANAGER_LIMIT_BYTES:
        text = f"Too long: may not be more than {_MANAGER_LIMIT_BYTES} bytes"
        yield Cause("FieldValueTooLong", "fieldManager", text)
    position = 0
    for letter in manager:
        if not letter.isprintable():
            yield invalid_value(
                "fieldManager", manager, f"invalid character U+{ord(letter):04X} (at position {position})"
            )
        position += len(letter.encode())


def _dry_run(value: str, causes: list[Cause]) -> bool:
    if value and value != "All":
        message = f'Unsupported value: ["{value}"]: supported values: "All"'
        causes.append(Cause("FieldValueNotSupported", "dryRun", message))
    return value == "All"


def delete_options(query: Mapping[str, str], body: Document) -> Options:
    """DeleteOptions from the body, or from the query where there is none. Raises ApiError 400, 422."""
    asked: dict[str, Any] = dict(body)
    if not asked:
        for field in ("propagationPolicy", "dryRun"):
            if field in query:
                asked[field] = query[field] if field != "dryRun" else [query[field]]
        if "gracePeriodSeconds" in query:
            asked["gracePeriodSeconds"] = integer(query["gracePeriodSeconds"])
        if "orphanDependents" in query:
            asked["orphanDependents"] = is_true(query, "orphanDependents")
    causes: list[Cause] = []
    policy, orphan = asked.get("propagationPolicy"), asked.get("orphanDependents")
    if policy is not None and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(invalid_value("propagationPolicy", policy, text))
    elif policy is not None and policy not in _PROPAGATIONS:
        causes.append(not_supported("propagationPolicy", policy, (*_PROPAGATIONS, "nil")))
    dry_run = _dry_run((asked.get("dryRun") or [""])[0], causes)
    if causes:
        raise invalid(_META, "DeleteOptions", "", causes)
    if policy is None and orphan is not None:
        policy = "Orphan" if orphan else "Background"
    conditions = asked.get("preconditions") or {}
    return Options(
        policy, conditions.get("uid"), conditions.get("resourceVersion"), asked.get("gracePeriodSeconds"), dry_run
    )


def integer(text: str) -> int:
    """An int64 as Go reads one. Raises ApiError 400."""
    if not _INTEGER.fullmatch(text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    found = int(text) if len(text) <= _DIGITS_MAX else 1 << 63
    if not -(1 << 63) <= found < 1 << 63:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return found


def unsupported_media(accepted: str) -> ApiError:
    text = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(415, "UnsupportedMediaType", text)
