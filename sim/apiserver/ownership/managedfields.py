"""``metadata.managedFields``: who set which fields of an object, and when.

A write moves what it touches to its writer and takes what it removes from everybody. Applying also keeps who shares a
field, refuses to take one away unless it is forced to, and removes what its manager applies no more. Sources:
apimachinery's util/managedfields and structured-merge-diff v6 (merge/update).
"""

from typing import Any

from controller.ports import Document
from sim.apiserver.ownership.changes import differences
from sim.apiserver.ownership.conflicts import Conflict, Conflicts
from sim.apiserver.ownership.entries import Entries, capped, entry_of, identity_of, is_reset, ordered, sent_entries
from sim.apiserver.ownership.merge import leaves, merged, named, without_items
from sim.apiserver.ownership.sets import EMPTY, FieldSet, common, paths, union, without
from sim.apiserver.ownership.shapes import Shape, builtin_shape, custom_shape
from sim.apiserver.registry import Served
from sim.apiserver.strategy import Strategy
from sim.clock import Clock

_NAME_MAX = 128
_BEFORE_APPLY = "before-first-apply"
USER_METADATA = ("generateName", "labels", "annotations", "ownerReferences", "finalizers")
_APART = ("apiVersion", "kind", "metadata")
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
        self._shapes: dict[Served, tuple[Strategy, Shape]] = {}

    def shape(self, served: Served) -> Shape:
        """How the kind's documents are owned."""
        strategy = served.strategy
        known = self._shapes.get(served)
        if known is None or known[0] is not strategy:
            openapi = strategy.openapi
            shape = builtin_shape(served.resource) if openapi is None else custom_shape(openapi)
            known = self._shapes[served] = (strategy, shape)  # a definition may bring another schema later
        return known[1]

    def created(self, served: Served, body: Document, manager: str) -> Entries:
        """The entries of a new object."""
        return self._written(served, _NOTHING, body, (), "", manager)

    def updated(self, served: Served, old: Document, body: Document, subresource: str, manager: str) -> Entries:
        """The entries after a write; the very ones of ``old`` when it changes nothing that is owned.

        An object of which nobody owns anything stays so until something is applied.
        """
        entries: Entries = old["metadata"].get("managedFields") or ()
        sent = (body.get("metadata") or _NOTHING).get("managedFields")
        if sent is not None and sent is not entries and not subresource:
            if is_reset(sent):
                return ()
            if sent != entries:
                entries = sent_entries(sent) or entries
        return self._written(served, old, body, entries, subresource, manager) if entries else ()

    def stamp(self, served: Served, old: Document, new: dict[str, Any], subresource: str, manager: str) -> None:
        """For a document that is committed without its verb: ``new``, whose metadata is its own, gets the entries."""
        entries = self.updated(served, old, new, subresource, manager)
        if entries:
            new["metadata"]["managedFields"] = entries

    def applied(
        self, served: Served, live: Document | None, config: Document, subresource: str, manager: str, *, force: bool
    ) -> tuple[Document, Entries]:
        """What of a document may be applied, after ``config`` was, and its entries. Raises Conflicts unless forced.

        ``live`` is None where there is no object yet.
        """
        shape = self.shape(served)
        entries: Entries = ()
        if live is not None:
            entries = live["metadata"].get("managedFields") or ()
            if not entries:
                entries = self._written(served, _NOTHING, live, (), subresource, _BEFORE_APPLY)
        identity = (manager, "Apply", "", subresource)
        former = next((entry for entry in entries if identity_of(entry) == identity), None)
        others = [entry for entry in entries if entry is not former]
        before = _applicable(served, live or _NOTHING, subresource)
        wanted = _applicable(served, config, subresource)
        own = leaves(wanted, shape)
        after = merged(before, wanted, shape)
        if former is not None:
            claimed = own
            for entry in others:
                claimed = union(claimed, entry["fieldsV1"])
            after = _pruned(after, former["fieldsV1"], claimed, shape) or {}
        touched, removed = differences(before, after, shape)
        disputed = [(entry, common(entry["fieldsV1"], touched)) for entry in others]
        if not force and any(shared for _, shared in disputed):
            found = [Conflict(identity_of(entry), path) for entry, shared in disputed for path in paths(shared)]
            raise Conflicts(found)
        kept = _relieved(others, touched, removed)
        if own:
            changed = touched or removed or live is None
            known = None if former is None else former.get("time")
            timestamp = self._clock.timestamp() if changed else known
            kept.append(entry_of(identity, served.api_version, timestamp, own))
        return after, ordered(kept)

    def unchanged_since(self, served: Served, live: Document, past: Document, subresource: str) -> FieldSet:
        """The fields that ``past`` mentions and that are still as it says."""
        shape = self.shape(served)
        before, now = _applicable(served, past, subresource), _applicable(served, live, subresource)
        touched, removed = differences(before, now, shape)
        return without(without(leaves(before, shape), touched), removed)

    def _written(
        self, served: Served, old: Document, body: Document, entries: Entries, subresource: str, manager: str
    ) -> Entries:
        touched, removed = differences(
            _writable(served, old, subresource, _NOTHING), _writable(served, body, subresource, old), self.shape(served)
        )
        if not touched and not removed:
            return entries
        identity = (manager or "unknown", "Update", served.api_version, subresource)
        own: FieldSet = EMPTY
        kept = []
        for entry in _relieved(entries, touched, removed):
            if touched and identity_of(entry) == identity:
                own = entry["fieldsV1"]
            else:
                kept.append(entry)
        if touched:
            kept.append(entry_of(identity, served.api_version, self._clock.timestamp(), union(own, touched)))
        return capped(ordered(kept))


def _relieved(entries: Entries, touched: FieldSet, removed: FieldSet) -> list[Document]:
    """The entries without what a write took from them; those with nothing left go."""
    kept = []
    for entry in entries:
        fields = entry["fieldsV1"]
        left = without(without(fields, touched), removed)
        if left:
            kept.append(entry if left is fields else {**entry, "fieldsV1": left})
    return kept


def _pruned(document: Any, former: FieldSet, claimed: FieldSet, shape: Shape) -> Any:
    """The document without what its manager applied last time, and neither it nor anybody else claims now."""
    former = named(former, shape)
    everything = named(leaves(document, shape), shape)
    pruned = without_items(document, former, shape) or {}
    kept = union(named(leaves(pruned, shape), shape), named(claimed, shape))
    pruned = without_items(document, without(everything, kept), shape) or {}
    gone = without(everything, named(leaves(pruned, shape), shape))
    return without_items(document, common(gone, former), shape)


def _applicable(served: Served, document: Document, subresource: str) -> dict[str, Any]:
    """What of a document applying may own."""
    strategy = served.strategy
    if subresource == "status":
        chosen = {"status": document["status"]} if "status" in document else {}
        if not strategy.status_writes_metadata:
            return chosen
    else:
        apart = (*_APART, "status") if "status" in strategy.subresources else _APART
        chosen = {key: value for key, value in document.items() if key not in apart}
    metadata = document.get("metadata") or _NOTHING
    own = {key: metadata[key] for key in USER_METADATA if key in metadata}
    if own:
        chosen["metadata"] = own
    return chosen


def _writable(served: Served, document: Document, subresource: str, old: Document) -> Document:
    """What of a document a write of its kind may own; what it cannot write is as in ``old``."""
    separate = "status" in served.strategy.subresources
    if subresource == "status":
        chosen = {key: document[key] for key in ("status",) if key in document}
        if not served.strategy.status_writes_metadata:
            return chosen
    else:
        apart = (*_APART, "status") if separate else _APART
        chosen = {key: value for key, value in document.items() if key not in apart}
    metadata = document.get("metadata")
    if metadata is None:
        metadata = old.get("metadata") or _NOTHING
    chosen["metadata"] = {key: metadata[key] for key in USER_METADATA if metadata.get(key)}
    return chosen
