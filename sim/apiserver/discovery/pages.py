"""Every path that is no resource: which page answers it, and in which form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from controller.ports import Document
from sim.apiserver.discovery import aggregated, health, plain
from sim.apiserver.discovery.version import VERSION
from sim.apiserver.openapi.pages import openapi
from sim.apiserver.rest.negotiation import JSON, clauses

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

TEXT = "text/plain;charset=utf-8"


class Page(NamedTuple):
    body: Document | str | bytes
    media: str = JSON


def page(server: "ApiServer", path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page | None:
    """The page at ``path``; None where there is none."""
    parts = [part for part in path.split("/") if part]
    first = parts[0] if parts else ""
    if f"/{first}" in health.PATHS:
        text = health.health(path, query)
        return None if text is None else Page(text, TEXT)
    if parts == ["version"]:
        return Page(VERSION)
    if first in ("api", "apis"):
        return _discovery(server, parts, headers)
    if first == "openapi":
        described = openapi(server, parts[1:], headers.get("accept", ""))
        return None if described is None else Page(*described)
    if not parts:
        return Page({"paths": _paths(server)})
    return None


def _discovery(server: "ApiServer", parts: list[str], headers: Mapping[str, str]) -> Page | None:
    if len(parts) == 1:
        core = parts[0] == "api"
        version = _aggregation(headers.get("accept", ""))
        if version:
            return Page(aggregated.aggregated(server, version, core=core), aggregated.media_type(version))
        return Page(plain.api_versions(headers.get("host", "")) if core else plain.group_list(server))
    found: Document | None = None
    if parts[0] == "api" and len(parts) == 2:
        found = plain.resource_list(server, "", parts[1])
    elif parts[0] == "apis" and len(parts) == 2:
        found = plain.group_document(server, parts[1])
    elif parts[0] == "apis" and len(parts) == 3:
        found = plain.resource_list(server, parts[1], parts[2])
    return None if found is None else Page(found)


def _aggregation(accept: str) -> str:
    """The version of aggregated discovery that the client prefers to the plain form; empty for the plain one."""
    for clause in clauses(accept):
        params = clause.params
        if not clause.covers(JSON):
            continue
        if "as" not in params:
            return ""
        asked = (params["as"], params.get("g"))
        if asked == ("APIGroupDiscoveryList", "apidiscovery.k8s.io") and params.get("v") in aggregated.VERSIONS:
            return params["v"]
    return ""


def _paths(server: "ApiServer") -> list[str]:
    """The index of a server: where one can look."""
    found = [
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
        *health.PATHS,
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/",
        "/version",
    ]
    for group in plain.group_list(server)["groups"]:
        found.append(f"/apis/{group['name']}")
        found.extend(f"/apis/{one['groupVersion']}" for one in group["versions"])
    return sorted(found)
