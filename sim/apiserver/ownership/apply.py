"""The apply verb: what one manager wants of an object, merged into what there is.

Sources: kube-apiserver's handlers/patch (order of checks and their words) and apimachinery's util/managedfields.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document
from sim.apiserver import creation, replacement
from sim.apiserver.errors import bad_request, conflict, not_found
from sim.apiserver.identity import User
from sim.apiserver.ownership.conflicts import Conflicts
from sim.apiserver.ownership.entries import Entries
from sim.apiserver.ownership.managedfields import USER_METADATA, Ownership
from sim.apiserver.ownership.sets import EMPTY, FieldSet, paths
from sim.apiserver.ownership.shapes import Shape
from sim.apiserver.ownership.types import check_typed
from sim.apiserver.registry import Served

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_KUBECTL = "kubectl"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OF_THE_SERVER = ("resourceVersion", "uid", "name", "namespace")
_NOTHING: Mapping[str, Any] = {}


def apply(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    config: Document,
    subresource: str,
    dry_run: bool,
    manager: str,
    force: bool,
) -> tuple[Document, bool]:
    """The object, and whether it was created. Raises ApiError 400, 403, 404, 409, 422, 500 (a wrong type).

    From the first apply on the server keeps managed fields, if it did not from the beginning.
    """
    ownership = server.ownership = server.ownership or Ownership(server.clock)
    _check_kind(served, config)
    live = served.table.find(namespace, name)
    shown = None if live is None else served.present(live)
    try:
        part, entries = _merged(ownership, served, shown, config, subresource, manager, force)
    except Conflicts as found:
        raise found.status() from None
    new = _whole(served, shown, part, config, ownership.shape(served), subresource)
    if manager == _KUBECTL:
        new = _remembering(new, config)
    new = _named(new, served, namespace, name, is_new=live is None)
    if live is None:
        if subresource:
            raise not_found(served.resource, name)
        server.permit(user, "create", served.resource, namespace, name)
        created = creation.create(server, user, served, namespace, new, dry_run, "Ignore", manager, entries)
        return created, True
    written = replacement.replace_by(server, user, served, namespace, name, live, new, subresource, dry_run, entries)
    return written, False


def _check_kind(served: Served, config: Document) -> None:
    resource = served.resource
    api_version, kind = config.get("apiVersion"), config.get("kind")
    if (api_version, kind) != (resource.api_version, resource.kind):
        group, _, version = (api_version if type(api_version) is str else "").rpartition("/")
        shown = kind if type(kind) is str else ""
        raise bad_request(f"invalid object type: {group}/{version}, Kind={shown}")
    metadata = config.get("metadata")
    if type(metadata) is dict and type(metadata.get("managedFields")) is list:
        raise bad_request("metadata.managedFields must be nil")


def _merged(
    ownership: Ownership,
    served: Served,
    shown: Document | None,
    config: Document,
    subresource: str,
    manager: str,
    force: bool,
) -> tuple[Document, Entries]:
    check_typed(config, ownership.shape(served))
    try:
        return ownership.applied(served, shown, config, subresource, manager, force=force)
    except Conflicts as found:
        allowed = _applied_by_client(ownership, served, shown, subresource) if manager == _KUBECTL else EMPTY
        if not allowed:
            raise
        known = set(paths(allowed))
        left = [one for one in found.found if one.path not in known]
        if left:
            raise Conflicts(left) from None
    return ownership.applied(served, shown, config, subresource, manager, force=True)


def _applied_by_client(ownership: Ownership, served: Served, shown: Document | None, subresource: str) -> FieldSet:
    """What ``kubectl apply`` without ``--server-side`` left, and what kubectl may therefore take over."""
    annotations = (shown or _NOTHING).get("metadata", {}).get("annotations") or _NOTHING
    try:
        past = json.loads(annotations.get(_LAST_APPLIED, ""))
    except ValueError:
        return EMPTY
    if shown is None or type(past) is not dict or past.get("apiVersion") != served.api_version:
        return EMPTY
    try:
        check_typed({"kind": "", **past}, ownership.shape(served))
    except ApiError:
        return EMPTY
    return ownership.unchanged_since(served, shown, past, subresource)


def _whole(
    served: Served, shown: Document | None, part: Document, config: Document, shape: Shape, subresource: str
) -> dict[str, Any]:
    """The object with the applied part in its place, as it would come from a client."""
    old = shown or _NOTHING
    before, sent = old.get("metadata", _NOTHING), config.get("metadata") or _NOTHING
    of_status = subresource == "status"
    if of_status and not served.strategy.status_writes_metadata:
        metadata = dict(before)
    else:
        metadata = {key: value for key, value in before.items() if key not in USER_METADATA}
        metadata |= {key: value for key, value in (part.get("metadata") or _NOTHING).items() if value is not None}
    metadata |= {key: sent[key] for key in _OF_THE_SERVER if sent.get(key)}
    rest = {key: value for key, value in old.items() if (key != "status") is of_status}
    body = {key: value for key, value in part.items() if key != "metadata"}
    return {
        **rest,
        "apiVersion": served.api_version,
        "kind": served.resource.kind,
        "metadata": metadata,
        **(body if served.custom else _as_typed(body, shape)),
    }


def _as_typed(value: Any, shape: Shape) -> Any:
    """As Go decodes it into a struct: nulls are absent, or the empty value in a map of texts."""
    if type(value) is dict and not shape.atomic:
        kept = {}
        for key, one in value.items():
            below = shape.at(key)
            if one is not None:
                kept[key] = _as_typed(one, below)
            elif key not in shape.fields and below.scalar == "string":
                kept[key] = ""
        return value if len(kept) == len(value) and all(kept[key] is one for key, one in value.items()) else kept
    return value


def _remembering(new: dict[str, Any], config: Document) -> dict[str, Any]:
    """Keeps the annotation of ``kubectl apply`` true, where there is one."""
    metadata = new["metadata"]
    annotations = metadata.get("annotations") or _NOTHING
    if not annotations.get(_LAST_APPLIED):
        return new
    sent = config.get("metadata") or _NOTHING
    bare = {key: value for key, value in (sent.get("annotations") or _NOTHING).items() if key != _LAST_APPLIED}
    stripped = {key: value for key, value in sent.items() if key != "annotations"}
    if sent.get("annotations") is not None:
        stripped["annotations"] = bare
    text = json.dumps({**config, "metadata": stripped}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for plain, escaped in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        text = text.replace(plain, escaped)
    return {**new, "metadata": {**metadata, "annotations": {**annotations, _LAST_APPLIED: f"{text}\n"}}}


def _named(new: dict[str, Any], served: Served, namespace: str, name: str, *, is_new: bool) -> dict[str, Any]:
    """The object, whose place must be the one in the URL. Raises ApiError 400, 409."""
    metadata = new["metadata"]
    if is_new:
        if metadata.get("uid"):
            detail = (
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
            )
            raise conflict(served.resource, name, detail)
        metadata.pop("resourceVersion", None)
    if metadata.get("namespace", namespace) != namespace and served.resource.namespaced:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    sent = metadata.get("name", "")
    if not sent:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if sent != name:
        raise bad_request(f"the name of the object ({sent}) does not match the name on the URL ({name})")
    return new
