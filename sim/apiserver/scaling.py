"""The scale subresource: one number of an object, and how far it has been reached, as a Scale."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from controller.ports import ApiError, Document
from sim.apiserver.definitions import DEFINITIONS
from sim.apiserver.errors import bad_request, conflict, invalid, invalid_value, not_found
from sim.apiserver.gotypes import fitted
from sim.apiserver.identity import User
from sim.apiserver.patch import apply_operations, merge
from sim.apiserver.registry import Served
from sim.apiserver.replacement import update
from sim.apiserver.strategic import strategic_merge
from sim.apiserver.tables.workloadcells import selector

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_GROUP = "autoscaling"
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_NONE: Mapping[str, Any] = {}
_MERGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "merge": merge,
    "json": apply_operations,
    "strategic": strategic_merge,
}


class _Paths(NamedTuple):
    """Where the numbers stand; ``selector`` is empty where a kind has none."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...]


_BUILTIN = _Paths(("spec", "replicas"), ("status", "replicas"), ())


def scale_of(server: "ApiServer", served: Served, document: Document) -> Document:
    """The Scale of an object. Raises ApiError 500 for a custom object that has no number to scale."""
    paths = _paths(server, served)
    replicas = _at(document, paths.spec)
    if replicas is None and served.custom:
        field = f".{'.'.join(paths.spec)}"
        raise ApiError(
            500,
            "InternalError",
            f'Internal error occurred: the spec replicas field "{field}" does not exist',
            {"causes": [{"message": f'the spec replicas field "{field}" does not exist'}]},
        )
    return _scale(served, document, paths, replicas or 0)


def _scale(served: Served, document: Document, paths: _Paths, replicas: int) -> Document:
    metadata = document["metadata"]
    selector = _at(document, paths.selector) if served.custom else _written(document)
    status: dict[str, Any] = {"replicas": _at(document, paths.status) or 0}
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": f"{_GROUP}/v1",
        "metadata": {key: metadata[key] for key in _KEPT if key in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _paths(server: "ApiServer", served: Served) -> _Paths:
    if not served.custom:
        return _BUILTIN
    resource = served.resource
    definition = server.find(DEFINITIONS, "", f"{resource.plural}.{resource.group}") or _NONE
    versions = (definition.get("spec") or _NONE).get("versions") or ()
    version = next((one for one in versions if one["name"] == resource.version), _NONE)
    found = ((version.get("subresources") or _NONE).get("scale")) or _NONE
    spec, status, selector = (
        tuple(part for part in (found.get(key) or "").split(".") if part)
        for key in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    )
    return _Paths(spec, status, selector)


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document if path else None


def _written(document: Document) -> str:
    """A builtin kind's selector as a query would spell it."""
    found = (document.get("spec") or _NONE).get("selector")
    return selector(found) if found else ""


def read_scale(server: "ApiServer", served: Served, namespace: str, name: str) -> Document:
    """Raises ApiError 404, 500."""
    return scale_of(server, served, _found(served, namespace, name))


def _found(served: Served, namespace: str, name: str) -> Document:
    found = served.table.find(namespace, name)
    if found is None:
        raise not_found(served.resource, name)
    return served.present(found)


def write_scale(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    body: Any,
    patch_type: str,
    *,
    dry_run: bool,
    manager: str,
) -> Document:
    """Put a Scale (no ``patch_type``) or patch the one there is. Raises ApiError 400, 404, 409, 415, 422."""
    old = _found(served, namespace, name)
    paths = _paths(server, served)
    shown = _scale(served, old, paths, _at(old, paths.spec) or 0)
    if patch_type and patch_type not in _MERGES:
        raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
    wanted = _MERGES[patch_type](shown, body) if patch_type else body
    if not isinstance(wanted, dict) or wanted.get("kind", "Scale") != "Scale":
        raise bad_request(f"the object provided is unrecognized (must be of type Scale): {type(wanted).__name__}")
    wanted = fitted(f"{_GROUP}/v1", "Scale", wanted)
    metadata = wanted.get("metadata") or _NONE
    if not patch_type and served.custom and not metadata.get("name"):
        raise bad_request("name must be provided")
    if metadata.get("name", "") != name:
        raise bad_request(
            f"the name of the object ({metadata.get('name', '')}) does not match the name on the URL ({name})"
        )
    asked = wanted.get("spec") or _NONE
    if patch_type and served.custom and "replicas" not in asked and _at(old, paths.spec) is None:
        raise bad_request(f'the spec replicas field ".{".".join(paths.spec)}" cannot be empty')
    replicas = asked.get("replicas", 0)
    if replicas < 0:
        wrong = invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid(_GROUP, "Scale", name, [wrong])
    version = metadata.get("resourceVersion")
    if version and version != old["metadata"]["resourceVersion"]:
        raise conflict(served.resource, name)
    new = _with(old, paths.spec, replicas)
    stored = update(server, user, served, namespace, name, new, "scale", dry_run, "Ignore", manager)
    return _scale(served, stored, paths, replicas)


def _with(document: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**document, path[0]: value}
    return {**document, path[0]: _with(document.get(path[0]) or {}, path[1:], value)}
