"""What admission and authorisation read: stored objects and their changes, nothing of the server besides."""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from controller.ports import Document, Resource

Change = Literal["ADDED", "MODIFIED", "DELETED"]
Observer = Callable[[Change, Resource, Document | None, Document | None], None]
"""``observer(change, resource, old, new)``: ``old`` is None for ADDED, ``new`` for DELETED may be the last state."""


class Reader(Protocol):
    def find(self, resource: Resource, namespace: str, name: str) -> Document | None: ...

    def items(self, resource: Resource, namespace: str = "") -> Iterable[Document]:
        """Stored objects in the order of their keys; namespace ``""`` means all of them."""
        ...

    def observe(self, observer: Observer) -> None:
        """Call ``observer`` at every committed write, within the write."""
        ...
