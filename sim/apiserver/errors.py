"""The refusals of an API server, in its own words (texts: apimachinery ``api/errors`` and recordings of 1.36)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from controller.ports import ApiError, Document, Resource


class Cause(NamedTuple):
    """One entry of ``details.causes``: what a validation found wrong and where."""

    reason: str
    field: str
    message: str


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", field, f"Required value: {detail}" if detail else "Required value")


def forbidden_field(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def invalid_value(field: str, value: object, detail: str) -> Cause:
    """``value`` is shown as Go shows it: strings quoted, None as ``null``."""
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown(value)}: {detail}")


def not_supported(field: str, value: object, supported: Sequence[str]) -> Cause:
    listed = ", ".join(f'"{one}"' for one in supported)
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {shown(value)}: supported values: {listed}")


def shown(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _details(resource: Resource, name: str) -> dict[str, Any]:
    details: dict[str, Any] = {"kind": resource.plural}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    return details


def not_found(resource: Resource, name: str) -> ApiError:
    text = f'{resource.group_resource} "{name}" not found'
    return ApiError(404, "NotFound", text, _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    return ApiError(
        409, "AlreadyExists", f'{resource.group_resource} "{name}" already exists', _details(resource, name)
    )


def being_deleted(resource: Resource, name: str) -> ApiError:
    """409 for a create under a name whose object still waits for its finalizers."""
    text = f'object is being deleted: {resource.group_resource} "{name}" already exists'
    return ApiError(409, "AlreadyExists", text, _details(resource, name))


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: Resource, name: str, detail: str = STALE) -> ApiError:
    text = f'Operation cannot be fulfilled on {resource.group_resource} "{name}": {detail}'
    return ApiError(409, "Conflict", text, _details(resource, name))


def forbidden(resource: Resource, name: str, detail: str, causes: Sequence[Cause] = ()) -> ApiError:
    """403 as admission plugins answer it."""
    text = f'{resource.group_resource} "{name}" is forbidden: {detail}'
    details = _details(resource, name)
    if causes:
        details["causes"] = [_cause(cause) for cause in causes]
    return ApiError(403, "Forbidden", text, details)


def _cause(cause: Cause) -> Document:
    return {"reason": cause.reason, "message": cause.message, "field": cause.field}


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422. ``kind`` is the Kind of the object (a few callers of the real server pass the resource)."""
    lines = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))  # the text says a thing once
    listed = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: dict[str, Any] = {"kind": kind, "causes": [_cause(cause) for cause in causes]}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def subresource_refused(verb: str, resource: Resource) -> ApiError:
    """405 for a verb that a subresource does not have."""
    text = f'{verb} is not supported on resources of kind "{resource.group_resource}"'
    return ApiError(405, "MethodNotAllowed", text, _details(resource, ""))


def no_such_endpoint() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_large_version(asked: int, current: int) -> ApiError:
    """504 for a resourceVersion from the future."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1}, retry_after_s=1.0)
