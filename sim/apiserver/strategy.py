"""What one kind does with its documents: defaulting, pruning, validation, and what an update may touch.

The verbs call a strategy in this order, as the real server does:

* create: ``decode`` → mutating admission → ``prepare_create`` → metadata rules + ``validate_create`` → validating
  admission.
* update, patch: ``decode`` → mutating admission → resourceVersion check → ``prepare_update`` → metadata rules +
  ``validate_update`` → validating admission.

Every method returns a new document or the one it was given; none mutates. ``metadata`` other than the fields a
user may write (labels, annotations, finalizers, ownerReferences) is the server's business, not the strategy's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.errors import Cause
from sim.apiserver.names import NameRule, subdomain

_METADATA = ("metadata",)
_APART = ("metadata", "status")


class Strategy:
    """The rules of a plain kind: anything goes. Subclasses override what differs."""

    generation = False
    """Whether the kind counts ``metadata.generation``."""
    subresources: tuple[str, ...] = ()
    """``("status",)`` for kinds whose status is written on its own; ``scale`` and others by name."""
    unconditional_update = True
    """Whether a PUT may come without resourceVersion (builtin kinds: yes; custom ones: no)."""
    strategic_merge = True
    """Whether strategic merge patches are understood (builtin kinds only)."""
    status_writes_metadata = True
    """Whether a write of the status may change labels and annotations too (builtin kinds: yes)."""
    returns_deleted = False
    """Whether DELETE answers the object itself instead of a Status, as it does for pods and a few others."""
    graceful = False
    """Whether deletions of the kind may take their time: pods only."""
    name_rule: NameRule = staticmethod(subdomain)
    openapi: Mapping[str, Any] | None = None
    """The schema that a custom kind brings along."""

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, Sequence[str]]:  # noqa: ARG002
        """Prune what the schema does not know and fill in defaults.

        ``old`` is None on create. Answers the document and the unknown fields' paths in order (``spec.foo``).
        Raises ApiError(400) for what cannot be decoded at all.
        """
        return body, ()

    def prepare_create(self, new: Document) -> Document:
        """Drop what a client may not set on create (the status of kinds that have the subresource)."""
        if "status" in self.subresources and "status" in new:
            return {key: value for key, value in new.items() if key != "status"}
        return new

    def canonicalize(self, new: dict[str, Any]) -> dict[str, Any]:
        """Last changes to a new object whose name and server-made metadata are known; it may be changed in place."""
        return new

    def prepare_update(self, new: Document, old: Document, subresource: str) -> Document:
        """Keep from ``old`` what this write may not touch."""
        if subresource == "status":
            return {**old, "status": new["status"]} if "status" in new else _without_status(old)
        if "status" in self.subresources:
            if "status" in old:
                return new if new.get("status") is old["status"] else {**new, "status": old["status"]}
            return _without_status(new)
        return new

    def spec_changed(self, new: Document, old: Document) -> bool:
        """Whether the difference counts for ``metadata.generation``: all but metadata (and a separate status)."""
        apart = _APART if "status" in self.subresources else _METADATA
        for key, value in new.items():
            if key not in apart:
                before = old.get(key)
                if before is not value and before != value:
                    return True
        return any(key not in new and key not in apart for key in old)

    def grace_s(self, document: Document, asked_s: int | None) -> int:  # noqa: ARG002
        """Seconds that a DELETE leaves the object to end by itself; 0 removes it at once."""
        return 0

    def prepare_delete(self, marked: dict[str, Any]) -> dict[str, Any]:
        """What else a DELETE writes into the marked object (a namespace's phase)."""
        return marked

    def held(self, document: Document) -> bool:  # noqa: ARG002
        """Whether something other than metadata keeps a deleted object alive (a namespace's own finalizers)."""
        return False

    def joined(self, metadata_causes: Sequence[Cause], causes: Sequence[Cause]) -> Sequence[Cause]:
        """All causes of a refusal in the order in which the kind reports them."""
        return [*metadata_causes, *causes]

    def validate_create(self, new: Document) -> Sequence[Cause]:  # noqa: ARG002
        return ()

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return ()


def _without_status(document: Document) -> Document:
    if "status" not in document:
        return document
    return {key: value for key, value in document.items() if key != "status"}
