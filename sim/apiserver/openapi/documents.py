"""Whole OpenAPI documents: what a group version serves, and what the server serves."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.apiserver.definitions import DEFINITIONS
from sim.apiserver.discovery.catalogue import Entry, entries, group_versions
from sim.apiserver.discovery.version import VERSION
from sim.apiserver.openapi.definitions import V2, V3, Definitions, Schema, gvk
from sim.apiserver.openapi.operations import Bodies, path_item, targets
from sim.apiserver.schemas.messages import kind_name, message

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_INFO = {"title": "Kubernetes", "version": VERSION["gitVersion"]}


def v3_document(server: "ApiServer", group: str, version: str) -> Schema:
    definitions = Definitions(V3)
    paths: dict[str, Schema] = {}
    _describe(server, entries(server, group, version), definitions, paths)
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(definitions.schemas.items()))},
    }


def v2_document(server: "ApiServer") -> Schema:
    definitions = Definitions(V2)
    paths: dict[str, Schema] = {}
    for group, versions in group_versions(server).items():
        for version in versions:
            _describe(server, entries(server, group, version), definitions, paths)
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.schemas.items())),
    }


def _describe(server: "ApiServer", found: Iterable[Entry], definitions: Definitions, paths: dict[str, Schema]) -> None:
    for entry in found:
        bodies = _bodies(server, entry, definitions)
        apart: dict[str, Bodies] = {}
        for one in entry.subresources:
            group, version = one.group_version
            if one.kind != entry.resource.kind and message(_own(entry, one.kind, group, version)) is not None:
                kind = gvk(group, version, one.kind) if version else gvk("", entry.resource.version, one.kind)
                shape = definitions.add_kind(_own(entry, one.kind, group, version), [kind])
                apart[one.name] = bodies._replace(one=shape)
        for target in targets(entry, bodies, apart):
            paths[target.path] = path_item(target, definitions.dialect)


def _own(entry: Entry, kind: str, group: str, version: str) -> str:
    if version:
        return kind_name(f"{group}/{version}", kind)
    return kind_name(entry.resource.api_version, kind)


def _bodies(server: "ApiServer", entry: Entry, definitions: Definitions) -> Bodies:
    resource = entry.resource
    group, version, kind = resource.group, resource.version, resource.kind
    status = definitions.add_kind("meta.v1.Status", [gvk("", "v1", "Status")])
    options = definitions.add_kind("meta.v1.DeleteOptions", [gvk(group, version, "DeleteOptions")])
    patch = {"type": "object"}
    if entry.custom:
        declared, list_kind = _declared(server, entry)
        one, many = definitions.add_custom(resource, declared, list_kind)
        return Bodies(one, many, status, options, patch)
    name = kind_name(resource.api_version, kind)
    one = definitions.add_kind(name, [gvk(group, version, kind)])
    many = one
    if message(f"{name}List") is not None:
        many = definitions.add_kind(f"{name}List", [gvk(group, version, f"{kind}List")])
    return Bodies(one, many, status, options, patch)


def _declared(server: "ApiServer", entry: Entry) -> tuple[Schema, str]:
    """The schema and the list kind that a custom kind's definition declares."""
    resource = entry.resource
    definition = server.find(DEFINITIONS, "", f"{resource.plural}.{resource.group}")
    spec = definition["spec"] if definition is not None else {"versions": (), "names": {}}
    for one in spec["versions"]:
        if one["name"] == resource.version:
            schema = (one.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
            return schema, spec["names"].get("listKind", f"{resource.kind}List")
    return {"type": "object"}, f"{resource.kind}List"
