"""``/openapi/v2`` and ``/openapi/v3``: which document a client gets, made once for as long as it is true."""

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError
from sim.apiserver.discovery.catalogue import entries, group_versions
from sim.apiserver.openapi.documents import v2_document, v3_document
from sim.apiserver.openapi.wire import packed
from sim.apiserver.rest.negotiation import JSON, clauses

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

TEXT = "text/plain;charset=utf-8"
PROTOBUF_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_ASKED_V2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""What clients ask for; it is no media type, and the answer calls itself by one that is."""
_KEPT = 256  # documents
_made: dict[tuple[Any, ...], bytes] = {}
"""By all that a document depends on, so that worlds of one process share them."""


def openapi(server: "ApiServer", parts: list[str], accept: str) -> tuple[bytes, str] | None:
    """Body and media type of the page below ``/openapi``; None where there is none. Raises ApiError 406."""
    if parts == ["v2"]:
        return _v2(server, accept)
    if parts == ["v3"]:
        return _index(server), TEXT
    if parts[:2] == ["v3", "api"] and len(parts) == 3:
        group, version = "", parts[2]
    elif parts[:2] == ["v3", "apis"] and len(parts) == 4:
        group, version = parts[2], parts[3]
    else:
        return None
    if version not in group_versions(server).get(group, ()):
        return None
    if not any(clause.covers(JSON) for clause in clauses(accept or JSON)):
        raise ApiError(406, "NotAcceptable", "406: Not Acceptable")
    return _v3(server, group, version), JSON


def _state(server: "ApiServer", group: str, version: str) -> tuple[Any, ...]:
    """What the description of a group version depends on: its resources, and the schemas that definitions gave."""
    return tuple(
        (entry.resource, entry.verbs, entry.subresources, _schema_of(server, entry.resource) if entry.custom else "")
        for entry in entries(server, group, version)
    )


def _schema_of(server: "ApiServer", resource: Any) -> str:
    definition = server.registry.find(resource).strategy.openapi
    return hashlib.sha256(json.dumps(definition, sort_keys=True, default=dict).encode()).hexdigest()


def _kept(key: tuple[Any, ...], make: Callable[[], bytes]) -> bytes:
    found = _made.get(key)
    if found is None:
        if len(_made) >= _KEPT:
            _made.clear()
        found = _made[key] = make()
    return found


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), default=dict).encode()


def _v3(server: "ApiServer", group: str, version: str) -> bytes:
    key = ("v3", group, version, _state(server, group, version))
    return _kept(key, lambda: _json(v3_document(server, group, version)))


def _index(server: "ApiServer") -> bytes:
    paths: dict[str, dict[str, str]] = {}
    for group, versions in group_versions(server).items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            digest = hashlib.sha512(_v3(server, group, version)).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return _json({"paths": dict(sorted(paths.items()))})


def _v2(server: "ApiServer", accept: str) -> tuple[bytes, str]:
    wire = PROTOBUF_V2 in accept or _ASKED_V2 in accept
    if not wire and not any(clause.covers(JSON) for clause in clauses(accept or JSON)):
        raise ApiError(406, "NotAcceptable", "406: Not Acceptable")
    found = group_versions(server)
    states = tuple(_state(server, group, version) for group in found for version in found[group])
    if wire:
        return _kept(("v2", "wire", states), lambda: packed(v2_document(server))), PROTOBUF_V2
    return _kept(("v2", "json", states), lambda: _json(v2_document(server))), JSON
