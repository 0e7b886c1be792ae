"""The entries of ``metadata.managedFields``: how they are told apart, ordered, read from a client and kept few.

Source: apimachinery's util/managedfields.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.ownership.sets import FieldSet, union, well_formed_set

Entries = Sequence[Document]
Identity = tuple[str, str, str, str]
"""``(manager, operation, apiVersion, subresource)``; who applies is the same one in every version."""

_UPDATES_MAX = 10
_ANCIENT = "ancient-changes"
_OPERATIONS = ("Apply", "Update")


def identity_of(entry: Document) -> Identity:
    operation = entry["operation"]
    version = "" if operation == "Apply" else entry["apiVersion"]
    return entry.get("manager", ""), operation, version, entry.get("subresource", "")


def entry_of(identity: Identity, api_version: str, timestamp: str | None, fields: FieldSet) -> Document:
    """``timestamp`` is None for whom has only joined the owners of what was there."""
    manager, operation, _, subresource = identity
    entry: dict[str, Any] = {"manager": manager, "operation": operation, "apiVersion": api_version}
    if timestamp:
        entry["time"] = timestamp
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    if subresource:
        entry["subresource"] = subresource
    return entry


def sent_entries(sent: Any) -> Entries | None:
    """What a client says of the owners; None where that is nothing, or cannot be read."""
    if type(sent) is not list or not sent:
        return None
    found: dict[Identity, Document] = {}
    for entry in sent:
        if type(entry) is not dict:
            return None
        fields = entry.get("fieldsV1") or {}
        texts = [entry.get(field, "") for field in ("manager", "subresource", "time", "apiVersion")]
        if any(type(text) is not str for text in texts) or not entry.get("apiVersion"):
            return None
        if entry.get("operation") not in _OPERATIONS or entry.get("fieldsType") != "FieldsV1":
            return None
        if not well_formed_set(fields):
            return None
        if fields:
            found[identity_of(entry)] = entry if entry.get("fieldsV1") else {**entry, "fieldsV1": fields}
    return ordered(list(found.values()))


def is_reset(sent: Any) -> bool:
    """Whether a client wants the past forgotten: an empty list, or one empty entry."""
    return type(sent) is list and sent in ([], [{}])


def ordered(entries: list[Document]) -> list[Document]:
    return sorted(entries, key=_rank)


def _rank(entry: Document) -> tuple[str, str, str, str, str]:
    return (
        entry["operation"],
        entry.get("time", ""),
        entry.get("manager", ""),
        entry["apiVersion"],
        entry.get("subresource", ""),
    )


def same_but_times(one: Entries, other: Entries) -> bool:
    return one is other or (
        len(one) == len(other)
        and all(_timeless(mine) == _timeless(theirs) for mine, theirs in zip(one, other, strict=True))
    )


def _timeless(entry: Document) -> Mapping[str, Any]:
    return {key: value for key, value in entry.items() if key != "time"}


def capped(entries: list[Document]) -> list[Document]:
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
    return ordered([*others, joined])
