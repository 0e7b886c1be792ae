"""What one kind does with its documents: defaulting, pruning, validation, and what an update may touch.

The verbs call a strategy in this order, as the real server does:

* create: ``decode`` → mutating admission → ``prepare_create`` → metadata rules + ``validate_create`` → validating
  admission.
* update, patch: ``decode`` → mutating admission → resourceVersion check → ``prepare_update`` → metadata rules +
  ``validate_update`` → validating admission.

Every method returns a new document or the one it was given; none mutates. ``metadata`` other than the fields a
user may write (labels, annotations, finalizers, ownerReferences) is the server's business, not the strategy's.
"""

from collections.abc import Sequence

from controller.ports import Document
from sim.apiserver.errors import Cause
from sim.apiserver.names import NameRule, subdomain


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
    name_rule: NameRule = staticmethod(subdomain)

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, Sequence[str]]:
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
        if new.get("spec") != old.get("spec"):
            return True
        ignored = {"metadata", "spec"} | ({"status"} if "status" in self.subresources else set())
        return {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return ()

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        return ()


def _without_status(document: Document) -> Document:
    if "status" not in document:
        return document
    return {key: value for key, value in document.items() if key != "status"}
