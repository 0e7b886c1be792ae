"""Discovery in one document: every group, version and resource at once (apidiscovery.k8s.io)."""

from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.discovery.catalogue import Entry, Subresource, entries, group_versions

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

VERSIONS = ("v2", "v2beta1")


def media_type(version: str) -> str:
    return f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def aggregated(server: "ApiServer", version: str, *, core: bool) -> Document:
    """The APIGroupDiscoveryList of ``/api`` (``core``) or of ``/apis``."""
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": one,
                    "resources": [_resource(entry) for entry in entries(server, group, one)],
                    "freshness": "Current",
                }
                for one in versions
            ],
        }
        for group, versions in group_versions(server).items()
        if (not group) is core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _resource(entry: Entry) -> dict[str, Any]:
    resource = entry.resource
    shown: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _kind(entry, resource.kind, ("", "")),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": entry.singular,
        "verbs": list(entry.verbs),
    }
    if entry.short_names:
        shown["shortNames"] = list(entry.short_names)
    if entry.categories:
        shown["categories"] = list(entry.categories)
    if entry.subresources:
        shown["subresources"] = [_subresource(entry, one) for one in entry.subresources]
    return shown


def _subresource(entry: Entry, one: Subresource) -> dict[str, Any]:
    kind = _kind(entry, one.kind, one.group_version)
    return {"subresource": one.name, "responseKind": kind, "verbs": list(one.verbs)}


def _kind(entry: Entry, kind: str, group_version: tuple[str, str]) -> dict[str, str]:
    """Builtin kinds of the group version itself come without it, as the real server sends them."""
    group, version = group_version
    if entry.custom and not version:
        group, version = entry.resource.group, entry.resource.version
    return {"group": group, "version": version, "kind": kind}
