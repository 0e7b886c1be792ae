"""SubjectAccessReviews: may someone do something, and by which rule? (Kubernetes ``registry/authorization``)"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Resource
from sim.apiserver.errors import Cause, bad_request, invalid, invalid_value
from sim.apiserver.identity import User
from sim.apiserver.policy import Attributes
from sim.apiserver.reviews.kinds import AUTHORIZATION, LOCAL_ACCESS, SELF_ACCESS

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_RESOURCE, _PATH = "resourceAttributes", "nonResourceAttributes"


def access_review(server: "ApiServer", user: User, resource: Resource, namespace: str, body: Document) -> Document:
    """Answers any of the three access reviews. Raises ApiError 400, 422."""
    spec = body.get("spec") or {}
    metadata = _metadata(body, namespace)
    causes = _check(resource, spec, metadata)
    if causes:
        raise nameless(AUTHORIZATION, causes)
    if resource is LOCAL_ACCESS and metadata.get("namespace", "") != namespace:
        raise bad_request(f"spec.resourceAttributes.namespace must match namespace: {namespace}")
    subject = user
    if resource is not SELF_ACCESS:
        subject = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    return {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": metadata,
        "spec": spec,
        "status": decision(server, subject, spec),
    }


def _metadata(body: Document, namespace: str) -> dict[str, Any]:
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if value is not None}
    if namespace:
        metadata.setdefault("namespace", namespace)
    return metadata


def _check(resource: Resource, spec: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[Cause]:
    of_resource, of_path = spec.get(_RESOURCE), spec.get(_PATH)
    causes: list[Cause] = []
    if of_resource is not None and of_path is not None:
        text = "cannot be specified in combination with resourceAttributes"
        causes.append(_bad(f"spec.{_PATH}", _internal(of_path), text))
    if of_resource is None and of_path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(_bad(f"spec.{_RESOURCE}", None, text))
    if resource is not SELF_ACCESS and not spec.get("user") and not spec.get("groups"):
        causes.append(_bad("spec.user", "", "at least one of user or group must be specified"))
    local = resource is LOCAL_ACCESS
    if {key: value for key, value in metadata.items() if not (local and key == "namespace")}:
        rest = "must be empty except for namespace" if local else "must be empty"
        causes.append(_bad("metadata", metadata, rest))
    if local and of_resource is not None:
        asked = of_resource.get("namespace", "")
        if asked != metadata.get("namespace", ""):
            causes.append(_bad("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"))
    if local and of_path is not None:
        causes.append(_bad(f"spec.{_PATH}", _internal(of_path), "disallowed on this kind of request"))
    return causes


def _internal(of_path: Mapping[str, Any]) -> Mapping[str, Any]:
    """Attributes as the real server's own type spells them."""
    return {"Path": of_path.get("path", ""), "Verb": of_path.get("verb", "")}


def _bad(field: str, value: object, text: str) -> Cause:
    if isinstance(value, Mapping):
        shown = json.dumps(value, separators=(",", ":"))
        return Cause("FieldValueInvalid", field, f"Invalid value: {shown}: {text}")
    return invalid_value(field, value, text)


def nameless(group: str, causes: Sequence[Cause]) -> ApiError:
    """422 in the way of kinds whose type the validation does not know."""
    error = invalid(group, "", "", causes)
    details = {key: value for key, value in error.details.items() if key != "kind"}
    return ApiError(error.code, error.reason, error.message, details)


def decision(server: "ApiServer", subject: User, spec: Mapping[str, Any]) -> Document:
    """The status of an access review: what an authoriser decides, and why."""
    authorizer = server.authorizer
    if authorizer is None:
        return {"allowed": True}
    asked = spec.get(_RESOURCE)
    if asked is None:
        wanted = spec[_PATH]
        reason = authorizer.path_reason(subject, wanted.get("verb", ""), wanted.get("path", ""))
        namespace = ""
    else:
        plural, namespace = asked.get("resource", ""), asked.get("namespace", "")
        plural = f"{plural}/{asked['subresource']}" if asked.get("subresource") else plural
        verb, group, name = (asked.get(key, "") for key in ("verb", "group", "name"))
        reason = authorizer.reason(subject, Attributes(verb, group, plural, namespace, name))
    if reason is not None:
        return {"allowed": True, "reason": reason} if reason else {"allowed": True}
    errors = [one for scope in dict.fromkeys(("", namespace)) for one in authorizer.held(subject, scope).errors]
    if not errors:
        return {"allowed": False}
    listed = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    return {"allowed": False, "reason": f"RBAC: {listed}"}
