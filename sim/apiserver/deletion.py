"""The delete verbs: preconditions, finalizers, propagation and grace."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Propagation
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import not_found
from sim.apiserver.identity import User
from sim.apiserver.registry import Served
from sim.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Options:
    """DeleteOptions. ``uid`` and ``resource_version`` are preconditions."""

    propagation: Propagation | None = None
    uid: str | None = None
    resource_version: str | None = None
    grace_period_s: int | None = None
    dry_run: bool = False


def complete(strategy: Strategy, document: Document) -> bool:
    """Whether nothing holds an object with a deletionTimestamp any longer."""
    metadata = document["metadata"]
    return (
        not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
        and not strategy.held(document)
    )


def delete(
    server: "ApiServer", user: User, served: Served, namespace: str, name: str, options: Options
) -> tuple[Document, bool]:
    """Delete or mark; answers what the server sends and whether the object is gone. Raises ApiError 403, 404, 409."""
    resource, strategy, table = served.resource, served.strategy, served.table
    old = table.find(namespace, name)
    if old is None:
        raise not_found(resource, name)
    _check_preconditions(served, name, old["metadata"], options)
    _, validators = server.admission.plugins(served.key, "DELETE")
    if validators:
        request = AdmissionRequest("DELETE", user, resource, "", namespace, name, old, None, options.dry_run)
        for validate in validators:
            validate(request)
    marked = _marked(server, strategy, old, options)
    if not complete(strategy, marked):
        if marked == old:
            return served.present(old), False
        if options.dry_run:
            return served.present(marked), False
        return served.present(server.store.put(table, namespace, name, old, marked)), False
    if not options.dry_run:
        if strategy.graceful and marked["metadata"] != old["metadata"]:
            # Recorded: where grace is possible, its end is written down before the object goes.
            old = server.store.put(table, namespace, name, old, marked)
        server.store.remove(table, namespace, name, old)
    if strategy.returns_deleted:
        return served.present(marked), True
    return _success(served, old), True


def _check_preconditions(served: Served, name: str, metadata: Document, options: Options) -> None:
    resource = served.resource
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    if options.uid is not None and options.uid != metadata["uid"]:
        text = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
    elif options.resource_version is not None and options.resource_version != metadata["resourceVersion"]:
        text = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({metadata['resourceVersion']}). The object might have been modified"
        )
    else:
        return
    details: dict[str, Any] = {"kind": resource.kind, "name": name}
    if resource.group:
        details["group"] = resource.group
    raise ApiError(409, "Conflict", f'Operation cannot be fulfilled on {qualified} "{name}": {text}', details)


def _finalizers(metadata: Document, propagation: Propagation | None) -> list[str]:
    current = metadata.get("finalizers") or []
    if propagation is None:
        return list(current)
    kept = [one for one in current if one not in (FOREGROUND, ORPHAN)]
    if propagation == "Foreground":
        kept.append(FOREGROUND)
    elif propagation == "Orphan":
        kept.append(ORPHAN)
    return list(current) if set(kept) == set(current) else kept


def _marked(server: "ApiServer", strategy: Strategy, old: Document, options: Options) -> dict[str, Any]:
    """The object as a deletion leaves it: finalizers of the propagation, deletionTimestamp, remaining grace."""
    before = old["metadata"]
    metadata = dict(before)
    finalizers = _finalizers(before, options.propagation)
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    grace_s = strategy.grace_s(old, options.grace_period_s)
    if "deletionTimestamp" not in before:
        metadata["deletionTimestamp"] = _timestamp(server, grace_s)
        metadata["deletionGracePeriodSeconds"] = grace_s
        if before.get("generation"):
            metadata["generation"] = before["generation"] + 1
    elif grace_s < before.get("deletionGracePeriodSeconds", 0):
        metadata["deletionTimestamp"] = _timestamp(server, grace_s)
        metadata["deletionGracePeriodSeconds"] = grace_s
    return strategy.prepare_delete({**old, "metadata": metadata})


def _timestamp(server: "ApiServer", grace_s: int) -> str:
    if not grace_s:
        return server.clock.timestamp()
    return (server.clock.utcnow() + timedelta(seconds=grace_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _success(served: Served, old: Document) -> Document:
    resource, metadata = served.resource, old["metadata"]
    details: dict[str, Any] = {"name": metadata["name"], "kind": resource.plural, "uid": metadata["uid"]}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
