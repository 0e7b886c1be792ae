"""What admission and authorisation read: stored objects and their changes, nothing of the server besides."""

from collections.abc import Callable, Iterable
from typing import Protocol

from controller.ports import Document, Resource, WatchType

Observer = Callable[[WatchType, Resource, Document | None, Document], None]
"""``observer(type, resource, old, new)``: ``old`` is None for ADDED, ``new`` of a DELETED is the last state."""


class Reader(Protocol):
    def find(self, resource: Resource, namespace: str, name: str) -> Document | None: ...

    def items(self, resource: Resource, namespace: str = "") -> Iterable[Document]:
        """Stored objects in the order of their keys; namespace ``""`` means all of them."""
        ...

    def resources(self) -> Iterable[Resource]:
        """Every stored resource once."""
        ...

    def observe(self, observer: Observer, *resources: Resource) -> None:
        """Call ``observer`` within every committed write, of ``resources`` or of all."""
        ...
