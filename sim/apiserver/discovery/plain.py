"""Discovery in its first form: one document for all groups, one for each group version."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.discovery.catalogue import Entry, entries, group_versions

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer


def api_versions(address: str) -> Document:
    """What ``/api`` answers; ``address`` is the host and port under which the client found the server."""
    found = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": found}


def _group(group: str, versions: Sequence[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def group_list(server: "ApiServer") -> Document:
    groups = [_group(group, versions) for group, versions in group_versions(server).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group_document(server: "ApiServer", group: str) -> Document | None:
    versions = group_versions(server).get(group)
    if versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)}


def resource_list(server: "ApiServer", group: str, version: str) -> Document | None:
    """The APIResourceList of one group version; None when it is not served."""
    found = entries(server, group, version)
    if not found:
        return None
    resources = [line for entry in found for line in _lines(entry)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _lines(entry: Entry) -> list[dict[str, Any]]:
    resource = entry.resource
    line: dict[str, Any] = {
        "name": resource.plural,
        "singularName": entry.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(entry.verbs),
    }
    if entry.short_names:
        line["shortNames"] = list(entry.short_names)
    if entry.categories:
        line["categories"] = list(entry.categories)
    if entry.stored:
        line["storageVersionHash"] = entry.storage_hash()
    lines = [line]
    for one in entry.subresources:
        group, version = one.group_version
        elsewhere = {"group": group, "version": version} if version else {}
        lines.append(
            {
                "name": f"{resource.plural}/{one.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                **elsewhere,
                "kind": one.kind,
                "verbs": list(one.verbs),
            }
        )
    return lines
