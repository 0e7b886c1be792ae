"""The create verb."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import already_exists, bad_request, being_deleted, invalid
from sim.apiserver.gotypes import decoded
from sim.apiserver.identity import User
from sim.apiserver.metadata import check_create, for_create, generated_name
from sim.apiserver.ownership.entries import Entries
from sim.apiserver.registry import Served
from sim.apiserver.rest.decoding import report_unknown, well_formed
from sim.apiserver.unknownfields import pruned

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_GENERATE_ATTEMPTS = 8  # as the real server's create handler retries a colliding generated name


def create(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    body: Document,
    dry_run: bool,
    field_validation: str,
    manager: str = "",
    owners: Entries | None = None,
) -> Document:
    """Store a new object, checked in the real server's order. Raises ApiError 400, 403, 404, 409, 422, 500.

    ``owners`` are its managed fields where applying has told them.
    """
    resource, strategy, table = served.resource, served.strategy, served.table
    given = body
    body = _read(server, served, body, field_validation)
    metadata = body["metadata"]
    sent_namespace = metadata.get("namespace", "")
    if sent_namespace and sent_namespace != namespace and resource.namespaced:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    name = metadata.get("name", "")
    if resource.namespaced:
        server.namespaces.check_create(served, namespace, name)
    owners = _owners(server, served, body, manager) if owners is None else owners
    mutators, validators = server.admission.plugins(served.key, "CREATE")
    request = None
    if mutators or validators:
        request = AdmissionRequest("CREATE", user, resource, "", namespace, name, None, body, dry_run)
        for mutate in mutators:
            request.new = mutate(request)
        given = body = request.new  # type: ignore[assignment]
        metadata = body.get("metadata") or {}
        name = metadata.get("name", "")
    body = strategy.prepare_create(body)
    if not name and metadata.get("generateName"):
        name = _free_name(server, served, namespace, metadata["generateName"])
    new: dict[str, Any] = dict(body) if body is given else body  # type: ignore[assignment]  # a strategy's copy is ours
    new = _assembled(server, served, namespace, name, new, metadata, owners)
    causes = check_create(new["metadata"], strategy.name_rule)
    wrongs = strategy.validate_create(new)
    if causes or wrongs:
        raise invalid(resource.group, resource.kind, name, strategy.joined(causes, wrongs))
    if request is not None:
        request.new, request.name = new, name
        for validate in validators:
            validate(request)
    version = metadata.get("resourceVersion")
    if version and version not in ("0", "-1"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
    existing = table.find(namespace, name)
    if existing is not None:
        marked = "deletionTimestamp" in existing["metadata"]
        raise being_deleted(resource, name) if marked else already_exists(resource, name)
    if dry_run:
        return served.present(new)
    return served.present(server.store.put(table, namespace, name, None, new))


def _owners(server: "ApiServer", served: Served, body: Document, manager: str) -> Entries:
    return () if server.ownership is None else server.ownership.created(served, body, manager)


def _read(server: "ApiServer", served: Served, body: Document, field_validation: str) -> Document:
    body = well_formed(served, body, None)
    below: Sequence[str] = ()
    if server.ownership is not None:  # who keeps owners serves strangers
        body, below = pruned(served, decoded(served, body))
    body, unknown = served.strategy.decode(body, None, "")
    if unknown or below:
        report_unknown(server, served, [*below, *unknown], field_validation)
    return body


def _free_name(server: "ApiServer", served: Served, namespace: str, prefix: str) -> str:
    """A generated name; a collision is retried as often as the real server retries it."""
    name = ""
    for _ in range(_GENERATE_ATTEMPTS):
        name = generated_name(prefix, server.name_stream)
        if served.table.find(namespace, name) is None:
            break
    return name


def _assembled(
    server: "ApiServer",
    served: Served,
    namespace: str,
    name: str,
    new: dict[str, Any],
    metadata: Document,
    owners: Entries,
) -> dict[str, Any]:
    stored = served.table.resource
    if new.get("kind") is None or new.get("apiVersion") != stored.api_version:
        new = {"apiVersion": stored.api_version, "kind": stored.kind, **new}
        new["apiVersion"] = stored.api_version
        new["kind"] = stored.kind
    new["metadata"] = for_create(
        metadata, namespace, name, server.fresh_uid(), server.clock.timestamp(), 1 if served.strategy.generation else 0
    )
    if owners:
        new["metadata"]["managedFields"] = owners
    return served.strategy.canonicalize(new)
