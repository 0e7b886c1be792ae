"""From a client's body to a document of the kind: type, shape and unknown fields."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from controller.ports import ApiError, Document, Resource
from sim.apiserver.errors import bad_request, invalid, invalid_value, shown
from sim.apiserver.registry import Served
from sim.apiserver.shapes import undecodable, well_shaped

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_NONE: Document = {}
_SCHEME = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"


def well_formed(served: Served, body: Document, old: Document | None) -> Document:
    """The body with its kind and the shape of its metadata checked, and metadata in any case a mapping.

    What is ``old``'s own needs no look. Raises ApiError 400, 422.
    """
    if body.get("kind") != served.resource.kind or body.get("apiVersion") != served.api_version:
        check_type(served, body)
    metadata = body.get("metadata")
    if old is not None and metadata is old["metadata"]:
        return body
    shaped = well_shaped(
        served.resource.kind, served.resource.version, metadata, _NONE if old is None else old["metadata"]
    )
    return body if shaped is metadata else {**body, "metadata": shaped}


def check_type(served: Served, body: Document) -> None:
    """Refuse a body of another kind or version. Builtin kinds may leave both out. Raises ApiError 400, 422."""
    resource = served.resource
    kind, api_version = body.get("kind"), body.get("apiVersion")
    for field, value in (("apiVersion", api_version), ("kind", kind)):
        if value is not None and not isinstance(value, str):
            raise undecodable(resource.kind, resource.version, f".{field}", value, "string")
    if served.custom:
        _check_custom_type(served, body, kind, api_version)
        return
    kind = kind or resource.kind
    api_version = api_version or resource.api_version
    if (kind, api_version) != (resource.kind, resource.api_version):
        raise wrong_type(resource, kind, api_version)


def wrong_type(resource: Resource, kind: str, api_version: str) -> ApiError:
    """400 for a body that says it is of another builtin kind or version."""
    version = api_version.rpartition("/")[2]
    if api_version != resource.api_version:
        reason = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
    else:
        package = "core" if not resource.group else resource.group.partition(".")[0]
        reason = f"converting ({version}.{kind}) to ({package}.{resource.kind}): unknown conversion"
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {reason}')


def _check_custom_type(served: Served, body: Document, kind: object, api_version: object) -> None:
    resource = served.resource
    if not kind or not api_version:
        missing = "Kind" if not kind else "apiVersion"
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): Object '{missing}' is missing in "
            "'the request'"
        )
    if api_version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    name = (body.get("metadata") or {}).get("name", "")
    raise invalid(resource.group, str(kind), name, [invalid_value("kind", kind, f"must be {resource.kind}")])


def report_unknown(
    server: "ApiServer",
    served: Served,
    unknown: Sequence[str],
    field_validation: str,
    *,
    patched: Document | None = None,
) -> None:
    """Say or refuse what was pruned from a body, or from what a patch made. Raises ApiError 400, 422 under Strict."""
    resource = served.resource
    if field_validation == "Strict":
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        if patched is not None:
            made = json.dumps(patched, separators=(",", ":"), sort_keys=True)
            text = f"Invalid value: {shown(made)}: strict decoding error: {listed}"
            causes = [{"reason": "FieldValueInvalid", "message": text, "field": "patch"}]
            raise ApiError(422, "Invalid", f' "" is invalid: patch: {text}', {"causes": causes})
        raise ApiError(
            400,
            "BadRequest",
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {listed}",
        )
    if server.warn is not None and field_validation != "Ignore":
        for path in unknown:
            server.warn(f'unknown field "{path}"')
