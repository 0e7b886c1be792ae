"""``metadata.managedFields``: who set which fields of an object, and when.

A write moves what it touches to its writer and takes what it removes from everybody. Applying (operation ``Apply``)
is not done here; its entries are kept.
"""

from collections.abc import Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.fieldchanges import differences
from sim.apiserver.fieldsets import FieldSet, union, without
from sim.apiserver.fieldshapes import Shape, builtin_shape, custom_shape
from sim.apiserver.registry import Served
from sim.clock import Clock

Entries = Sequence[Document]

_NAME_MAX = 128
_UPDATES_MAX = 10
_ANCIENT = "ancient-changes"
_USER_METADATA = ("generateName", "labels", "annotations", "ownerReferences", "finalizers")
_NOTHING: Document = {}


def manager_of(user_agent: str) -> str:
    """The manager of a request without ``fieldManager``: what its User-Agent begins with."""
    return user_agent.partition("/")[0][:_NAME_MAX]


def owned(metadata: Document, entries: Entries) -> Document:
    """``metadata`` with the entries that a write left."""
    if entries:
        return metadata if metadata.get("managedFields") is entries else {**metadata, "managedFields": entries}
    return {key: value for key, value in metadata.items() if key != "managedFields"}


class Ownership:
    """Keeps ``managedFields`` of what is written. It looks at documents as clients sent them, before webhooks do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shapes: dict[Served, Shape] = {}

    def created(self, served: Served, body: Document, manager: str) -> Entries:
        """The entries of a new object."""
        return self._written(served, _NOTHING, body, (), "", manager)

    def updated(self, served: Served, old: Document, body: Document, subresource: str, manager: str) -> Entries:
        """The entries after a write; the very ones of ``old`` when it changes nothing that is owned."""
        entries: Entries = old["metadata"].get("managedFields") or ()
        if (body.get("metadata") or _NOTHING).get("managedFields") == [{}]:
            entries = ()  # the one way for a client to start anew
        return self._written(served, old, body, entries, subresource, manager)

    def stamp(self, served: Served, old: Document, new: dict[str, Any], subresource: str, manager: str) -> None:
        """For a document that is committed without its verb: ``new``, whose metadata is its own, gets the entries."""
        entries = self.updated(served, old, new, subresource, manager)
        if entries:
            new["metadata"]["managedFields"] = entries

    def _written(
        self, served: Served, old: Document, body: Document, entries: Entries, subresource: str, manager: str
    ) -> Entries:
        shape = self._shapes.get(served)
        if shape is None:
            shape = self._shapes[served] = _shape_of(served)
        touched, removed = differences(
            _writable(served, old, subresource, _NOTHING), _writable(served, body, subresource, old), shape
        )
        if not touched and not removed:
            return entries
        identity = (manager or "unknown", "Update", served.api_version, subresource)
        kept: list[Document] = []
        own: FieldSet = {}
        for entry in entries:
            fields = entry["fieldsV1"]
            left = without(without(fields, touched), removed)
            if _identity(entry) == identity and touched:
                own = left
            elif left:
                kept.append(entry if left is fields else {**entry, "fieldsV1": left})
        if touched:
            kept.append(self._entry(identity, union(own, touched)))
        return _capped(sorted(kept, key=_rank))

    def _entry(self, identity: tuple[str, str, str, str], fields: FieldSet) -> Document:
        manager, operation, api_version, subresource = identity
        entry = {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "time": self._clock.timestamp(),
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        return {**entry, "subresource": subresource} if subresource else entry


def _shape_of(served: Served) -> Shape:
    openapi = served.strategy.openapi
    return builtin_shape(served.resource) if openapi is None else custom_shape(openapi)


def _writable(served: Served, document: Document, subresource: str, old: Document) -> Document:
    """What of a document a write of its kind may own; what it cannot write is as in ``old``."""
    separate = "status" in served.strategy.subresources
    if subresource == "status":
        owned = {key: document[key] for key in ("status",) if key in document}
        if not served.strategy.status_writes_metadata:
            return owned
    else:
        apart = ("apiVersion", "kind", "metadata", "status") if separate else ("apiVersion", "kind", "metadata")
        owned = {key: value for key, value in document.items() if key not in apart}
    metadata = document.get("metadata")
    if metadata is None:
        metadata = old.get("metadata") or _NOTHING
    owned["metadata"] = {key: metadata[key] for key in _USER_METADATA if metadata.get(key)}
    return owned


def _identity(entry: Document) -> tuple[str, str, str, str]:
    return entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", "")


def _rank(entry: Document) -> tuple[str, str, str, str, str]:
    manager, operation, api_version, subresource = _identity(entry)
    return operation, entry["time"], manager, api_version, subresource


def _capped(entries: list[Document]) -> list[Document]:
    """At most ten entries of updates: the oldest are thrown together."""
    updates = [entry for entry in entries if entry["operation"] == "Update"]
    surplus = len(updates) - _UPDATES_MAX
    if surplus <= 0:
        return entries
    oldest = updates[: surplus + 1]
    fields: FieldSet = {}
    for entry in oldest:
        fields = union(fields, entry["fieldsV1"])
    last = {key: value for key, value in oldest[-1].items() if key != "subresource"}
    joined = {**last, "manager": _ANCIENT, "fieldsV1": fields}
    others = [entry for entry in entries if all(entry is not one for one in oldest)]
    return sorted([*others, joined], key=_rank)
