"""Secondary indexes: which objects have a given label or field value, without looking at all of them.

A real API server looks at all of them; an index changes how long that takes on the wall clock and nothing else.
"""

from collections.abc import Callable, Iterable

from controller.ports import Document

Getter = Callable[[Document], str | None]
"""The indexed value of a document; None when it has none."""


def label_getter(key: str) -> Getter:
    def getter(document: Document) -> str | None:
        labels = document["metadata"].get("labels")
        return labels.get(key) if labels else None

    return getter


class Index:
    """Names by namespace and value, in the order in which they got the value."""

    __slots__ = ("_getter", "_names")

    def __init__(self, getter: Getter, documents: Iterable[Document]) -> None:
        self._getter = getter
        self._names: dict[tuple[str, str], dict[str, None]] = {}
        for document in documents:
            metadata = document["metadata"]
            self.changed(metadata.get("namespace", ""), metadata["name"], None, document)

    def names(self, namespace: str, value: str) -> list[str]:
        return sorted(self._names.get((namespace, value), ()))

    def count(self, namespace: str, value: str) -> int:
        """How many objects have the value; 0 for all namespaces together, which is not kept."""
        return len(self._names.get((namespace, value), ()))

    def changed(self, namespace: str, name: str, old: Document | None, new: Document | None) -> None:
        before = None if old is None else self._getter(old)
        after = None if new is None else self._getter(new)
        if before == after:
            return
        if before is not None:
            names = self._names[namespace, before]
            del names[name]
            if not names:
                del self._names[namespace, before]
        if after is not None:
            self._names.setdefault((namespace, after), {})[name] = None
