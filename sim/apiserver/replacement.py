"""The update and patch verbs: both replace the stored document by a new one under its version."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document
from sim.apiserver.admission.chain import AdmissionRequest, Mutator
from sim.apiserver.deletion import complete
from sim.apiserver.errors import bad_request, conflict, invalid, invalid_value, not_found
from sim.apiserver.gotypes import decoded
from sim.apiserver.identity import User
from sim.apiserver.metadata import check_update, for_update
from sim.apiserver.ownership.entries import Entries, same_but_times
from sim.apiserver.ownership.managedfields import owned
from sim.apiserver.patch import apply_operations, merge
from sim.apiserver.registry import Served
from sim.apiserver.rest.decoding import check_type, report_unknown, well_formed
from sim.apiserver.strategic import strategic_merge
from sim.apiserver.unknownfields import pruned

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer


def update(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    body: Document,
    subresource: str,
    dry_run: bool,
    field_validation: str,
    manager: str = "",
) -> Document:
    """PUT. Raises ApiError 400, 403, 404, 409, 422."""
    old = served.table.find(namespace, name)
    if old is not None and body.get("metadata") is old["metadata"]:
        # A body built upon the stored object: its metadata is the object's own, and nothing can be wrong with it.
        if body.get("kind") != served.resource.kind or body.get("apiVersion") != served.api_version:
            check_type(served, body)
        return _replace(
            server, user, served, namespace, name, old, body, subresource, dry_run, field_validation, manager
        )
    body = well_formed(served, body, old)
    metadata = body["metadata"]
    sent_name = metadata.get("name", "")
    if sent_name != name:
        if not sent_name:
            raise bad_request("name must be provided") if served.custom else bad_request(_mismatch(sent_name, name))
        raise bad_request(_mismatch(sent_name, name))
    sent_namespace = metadata.get("namespace", "")
    if sent_namespace and sent_namespace != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if old is None:
        raise not_found(served.resource, name)
    uid = metadata.get("uid")
    if uid and uid != old["metadata"]["uid"]:
        raise conflict(served.resource, name, _other_uid(served, namespace, name, uid, old))
    return _replace(server, user, served, namespace, name, old, body, subresource, dry_run, field_validation, manager)


def _mismatch(sent: str, name: str) -> str:
    return f"the name of the object ({sent}) does not match the name on the URL ({name})"


def _other_uid(served: Served, namespace: str, name: str, uid: str, old: Document) -> str:
    resource = served.resource
    place = "/".join(
        part for part in (resource.group if served.custom else "", resource.plural, namespace, name) if part
    )
    return (
        f"StorageError: invalid object, Code: 4, Key: /registry/{place}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
    )


def patch(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    body: Any,
    patch_type: str,
    subresource: str,
    dry_run: bool,
    field_validation: str,
    manager: str = "",
) -> Document:
    """PATCH. Raises ApiError 400, 403, 404, 409, 415, 422."""
    old = served.table.find(namespace, name)
    if old is None:
        raise not_found(served.resource, name)
    shown = served.present(old)
    patched: Any
    if patch_type == "merge":
        patched = merge(shown, body)
    elif patch_type == "json":
        patched = apply_operations(shown, body)
    elif patch_type == "strategic" and served.strategy.strategic_merge:
        patched = strategic_merge(shown, body)
    else:
        raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
    unchanged: bool = patched is shown
    if unchanged:
        return shown
    if not isinstance(patched, dict):
        raise bad_request(f"the patch makes no {served.resource.kind} but a {type(patched).__name__}")
    patched = well_formed(served, patched, old)
    metadata = patched["metadata"]
    if metadata is not shown["metadata"] and metadata.get("name", "") != name:
        raise bad_request(_mismatch(metadata.get("name", ""), name))
    return _replace(
        server,
        user,
        served,
        namespace,
        name,
        old,
        patched,
        subresource,
        dry_run,
        field_validation,
        manager,
        patched=patched,
    )


def replace_by(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    old: Document,
    body: Document,
    subresource: str,
    dry_run: bool,
    owners: Entries,
) -> Document:
    """Replace ``old`` by what applying made of it; ``owners`` are its managed fields. Raises ApiError 403, 409, 422."""
    body = well_formed(served, body, old)
    uid = body["metadata"].get("uid")
    if uid != old["metadata"]["uid"]:
        raise conflict(served.resource, name, _other_uid(served, namespace, name, uid, old))
    return _replace(server, user, served, namespace, name, old, body, subresource, dry_run, "Ignore", "", owners)


def _replace(
    server: "ApiServer",
    user: User,
    served: Served,
    namespace: str,
    name: str,
    old: Document,
    body: Document,
    subresource: str,
    dry_run: bool,
    field_validation: str,
    manager: str,
    owners: Entries | None = None,
    *,
    patched: Document | None = None,
) -> Document:
    resource, strategy = served.resource, served.strategy
    below: Sequence[str] = ()
    if server.ownership is not None:  # who keeps owners serves strangers
        body, below = pruned(served, decoded(served, body), old)
    body, unknown = strategy.decode(body, old, subresource)
    if unknown or below:
        report_unknown(server, served, [*below, *unknown], field_validation, patched=patched)
    if owners is None and server.ownership is not None:
        owners = server.ownership.updated(served, old, body, subresource, manager)
    of_status = subresource == "status"
    key = served.status_key if of_status else f"{served.key}/{subresource}" if subresource else served.key
    mutators, validators = server.admission.plugins(key, "UPDATE")
    request = None
    if mutators or validators:
        request = AdmissionRequest("UPDATE", user, resource, subresource, namespace, name, old, body, dry_run)
        body = _mutated(request, mutators)
    sent = body.get("metadata") or {}
    before = old["metadata"]
    if sent is not before:
        _check_version(served, name, sent, before)
    new = strategy.prepare_update(body, old, subresource)
    if of_status and not strategy.status_writes_metadata:
        sent = before
    # What the strategy built is ours; what it was given may be anyone's.
    replaced: dict[str, Any] = dict(new) if new is body or new is old else new  # type: ignore[assignment]
    # Metadata that nobody touches stays the same object until it is certain that something else has changed.
    replaced["metadata"] = metadata = before if sent is before else for_update(sent, before)
    causes = () if sent is before else check_update(metadata, before, sent)
    if served.foreign or "kind" not in new or "apiVersion" not in new:
        replaced = _as_stored(served, replaced)
    wrongs = strategy.validate_update(replaced, old, subresource)
    if causes or wrongs:
        raise invalid(resource.group, resource.kind, name, strategy.joined(causes, wrongs))
    if request is not None:
        request.new = replaced
        for validate in validators:
            validate(request)
    if replaced == old and (owners is None or same_but_times(owners, before.get("managedFields") or ())):
        return served.present(old)
    if owners is not None:
        replaced["metadata"] = owned(replaced["metadata"], owners)
    return _commit(server, served, namespace, name, old, replaced, of_status, dry_run)


def _commit(
    server: "ApiServer",
    served: Served,
    namespace: str,
    name: str,
    old: Document,
    replaced: dict[str, Any],
    of_status: bool,
    dry_run: bool,
) -> Document:
    """Store what differs from ``old`` and is in order; ``replaced`` becomes the stored document."""
    strategy, before, metadata = served.strategy, old["metadata"], replaced["metadata"]
    if metadata is before:
        metadata = replaced["metadata"] = dict(before)
    if strategy.generation and not of_status and strategy.spec_changed(replaced, old):
        metadata["generation"] = before.get("generation", 0) + 1
    if dry_run:
        return served.present(replaced)
    if "deletionTimestamp" in before and complete(strategy, replaced):
        server.store.remove(served.table, namespace, name, old)
    else:
        server.store.put(served.table, namespace, name, old, replaced)
    return served.present(replaced) if served.foreign else replaced


def _mutated(request: AdmissionRequest, mutators: Sequence[Mutator]) -> Document:
    for mutate in mutators:
        request.new = mutate(request)
    assert request.new is not None, "a mutator answers the document to go on with"
    return request.new


def _as_stored(served: Served, replaced: Document) -> dict[str, Any]:
    stored = served.table.resource
    full = {"apiVersion": "", "kind": "", **replaced}
    full["apiVersion"], full["kind"] = stored.api_version, stored.kind
    return full


def _check_version(served: Served, name: str, sent: Document, before: Document) -> None:
    version = sent.get("resourceVersion")
    current = before["resourceVersion"]
    if version is current or version == current:
        return
    if version and version != "0":
        raise conflict(served.resource, name)
    if not served.strategy.unconditional_update:
        cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise invalid(served.resource.group, served.resource.plural, name, [cause])
