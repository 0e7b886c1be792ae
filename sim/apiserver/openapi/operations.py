"""Paths and what can be done there: operations with their kinds, parameters and bodies."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sim.apiserver.discovery.catalogue import Entry
from sim.apiserver.openapi.definitions import Dialect, Schema, gvk

_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_LIST = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
_INTEGERS = ("gracePeriodSeconds", "limit", "timeoutSeconds")
_BOOLEANS = ("allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch")
_PATCHES = (
    *("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"),
    "application/strategic-merge-patch+json",
)
_JSON = "application/json"
_VERBS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "get": ("get", "read", ()),
    "list": ("get", "list", _LIST),
    "create": ("post", "create", _WRITE),
    "update": ("put", "replace", _WRITE),
    "patch": ("patch", "patch", (*_WRITE, "force")),
    "delete": ("delete", "delete", _DELETE),
    "deletecollection": ("delete", "deletecollection", (*_DELETE, *_LIST)),
}
"""RBAC's verb to the method, the word in operation ids, and the query parameters."""
_ACTIONS = {"create": "post", "update": "put"}
_ITEM = ("get", "update", "patch", "delete")
_COLLECTION = ("list", "create", "deletecollection")


class Bodies(NamedTuple):
    """References to what is sent and answered; ``options`` are DeleteOptions."""

    one: Schema
    many: Schema
    status: Schema
    options: Schema
    patch: Schema


class Target(NamedTuple):
    """What a path is about: verbs, kind and the schemas that go with it."""

    path: str
    verbs: tuple[str, ...]
    kind: Mapping[str, str]
    bodies: Bodies
    custom: bool


def root_of(entry: Entry) -> str:
    resource = entry.resource
    start = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{start}/namespaces/{{namespace}}" if resource.namespaced else start


def targets(entry: Entry, bodies: Bodies, sub_bodies: Mapping[str, Bodies]) -> Iterator[Target]:
    """Every path of a resource; ``sub_bodies`` are those of subresources with a kind of their own."""
    resource, root = entry.resource, root_of(entry)
    kind = gvk(resource.group, resource.version, resource.kind)
    collection = f"{root}/{resource.plural}"
    yield Target(collection, tuple(v for v in _COLLECTION if v in entry.verbs), kind, bodies, entry.custom)
    if any(verb in entry.verbs for verb in _ITEM):
        yield Target(f"{collection}/{{name}}", tuple(v for v in _ITEM if v in entry.verbs), kind, bodies, entry.custom)
    for one in entry.subresources:
        group, version = one.group_version if one.group_version[1] else (resource.group, resource.version)
        own = sub_bodies.get(one.name, bodies)
        verbs = tuple(verb for verb in (*_ITEM, "create") if verb in one.verbs)
        path = f"{collection}/{{name}}/{one.name}"
        yield Target(path, verbs, gvk(group, version, one.kind), own, entry.custom)
    if resource.namespaced and "list" in entry.verbs:
        everywhere = root.removesuffix("/namespaces/{namespace}")
        yield Target(f"{everywhere}/{resource.plural}", ("list",), kind, bodies, entry.custom)


def path_item(target: Target, dialect: Dialect) -> Schema:
    """The operations at one path."""
    item: Schema = {}
    for verb in target.verbs:
        method = _VERBS[verb][0]
        item[method] = _operation(target, verb, dialect)
    names = [part[1:-1] for part in target.path.split("/") if part.startswith("{")]
    text = {"type": "string", "uniqueItems": True}
    item["parameters"] = [
        {"name": name, "in": "path", "required": True, **({"schema": text} if dialect.v3 else text)} for name in names
    ]
    return item


def _operation(target: Target, verb: str, dialect: Dialect) -> Schema:
    _, word, names = _VERBS[verb]
    bodies, kind = target.bodies, target.kind
    answer = bodies.many if verb == "list" else bodies.status if verb.startswith("delete") else bodies.one
    where = "".join(part.strip("{}").capitalize() for part in target.path.split("/")[2:])
    operation: Schema = {
        "operationId": f"{word}{where}",
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": dict(kind),
        "parameters": [_parameter(name, dialect) for name in names],
    }
    code = "201" if verb == "create" else "200"
    sent = _sent(bodies, verb)
    media = [_JSON, "application/yaml"]
    if dialect.v3:
        content = {one: {"schema": answer} for one in media}
        operation["responses"] = {code: {"description": "OK", "content": content}}
        if sent is not None:
            wanted = _patches(target.custom) if verb == "patch" else ["*/*"]
            content = {one: {"schema": sent} for one in wanted}
            operation["requestBody"] = {"content": content, "required": not verb.startswith("delete")}
        return operation
    operation["produces"] = media
    operation["consumes"] = _patches(target.custom) if verb == "patch" else ["*/*"]
    operation["responses"] = {code: {"description": "OK", "schema": answer}}
    if sent is not None:
        body = {"name": "body", "in": "body", "required": not verb.startswith("delete"), "schema": sent}
        operation["parameters"].insert(0, body)
    return operation


def _patches(custom: bool) -> list[str]:
    return [one for one in _PATCHES if not (custom and "strategic" in one)]


def _sent(bodies: Bodies, verb: str) -> Schema | None:
    if verb in ("create", "update"):
        return bodies.one
    if verb == "patch":
        return bodies.patch
    return bodies.options if verb.startswith("delete") else None


def _parameter(name: str, dialect: Dialect) -> Schema:
    kind = "integer" if name in _INTEGERS else "boolean" if name in _BOOLEANS else "string"
    said: dict[str, Any] = {"type": kind, "uniqueItems": True}
    return {"name": name, "in": "query", **({"schema": said} if dialect.v3 else said)}
