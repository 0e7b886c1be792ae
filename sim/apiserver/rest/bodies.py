"""From the bytes of a body to what they say: JSON, YAML or protobuf objects, and patches."""

from collections.abc import Mapping
from typing import Any, cast

from controller.ports import ApiError, PatchType
from sim.apiserver.errors import bad_request
from sim.apiserver.ownership.patch import apply_patch
from sim.apiserver.protobuf.envelope import unpacked
from sim.apiserver.registry import Served
from sim.apiserver.rest.jsontext import read_json
from sim.apiserver.rest.negotiation import JSON, MEDIA_TYPES, PROTOBUF, YAML
from sim.apiserver.rest.options import unsupported_media
from sim.apiserver.rest.yamltext import read_yaml

_TYPED = r"""struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"""
_SHOWN_BYTES = 30
_BODY_LIMIT_BYTES = 3 * 1024 * 1024
_PATCH_TYPES: Mapping[str, str] = {
    "application/merge-patch+json": "merge",
    "application/json-patch+json": "json",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_CUSTOM_PATCH_TYPES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"


def media_type(header: str) -> str:
    return header.partition(";")[0].strip()


def document(body: bytes, content_type: str, kind: str, *, custom: bool) -> dict[str, Any]:
    """The object of a body. Without a type it is read as JSON. Raises ApiError 400, 413, 415."""
    if len(body) > _BODY_LIMIT_BYTES:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_BODY_LIMIT_BYTES}")
    media = media_type(content_type)
    if media == PROTOBUF and not custom:
        return unpacked(body, kind)
    if media not in (JSON, YAML, ""):
        raise unsupported_media(", ".join(MEDIA_TYPES))
    try:
        found = read_yaml(body) if media == YAML else read_json(body)
    except ValueError as error:
        raise _unrecognized(body, kind, str(error)) from None
    if found is None:
        return {}
    if type(found) is not dict:
        raise _unrecognized(body, kind, f"json: cannot unmarshal {_json_type(found)} into Go value of type {_TYPED}")
    return found


def _unrecognized(body: bytes, kind: str, complaint: str) -> ApiError:
    shown = body[:_SHOWN_BYTES].decode("utf-8", "replace") if body[:1] == b"{" else body[:_SHOWN_BYTES].hex()
    shown = f"{shown} ..." if len(body) > _SHOWN_BYTES else shown or "<empty>"
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
        f"json parse error: {complaint} ({shown})"
    )


def _json_type(value: Any) -> str:
    if type(value) is list:
        return "array"
    return {str: "string", bool: "bool"}.get(type(value), "number")


def patch_type(served: Served, content_type: str) -> PatchType:
    """Raises ApiError 415."""
    kind = _PATCH_TYPES.get(media_type(content_type))
    if kind is None or (kind == "strategic" and not served.strategy.strategic_merge):
        if served.custom:
            raise unsupported_media(_CUSTOM_PATCH_TYPES)
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    return cast(PatchType, kind)


def patch(body: bytes, kind: PatchType) -> Any:
    """What a patch says, of one of the types. Raises ApiError 400, 413."""
    if kind == "apply":
        return applied(body, "Warn")
    try:
        return read_json(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None


def applied(body: bytes, field_validation: str) -> dict[str, Any]:
    """What is applied. Raises ApiError 400, 413."""
    if len(body) > _BODY_LIMIT_BYTES:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_BODY_LIMIT_BYTES}")
    return apply_patch(body, field_validation)
