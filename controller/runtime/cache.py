"""What a controller knows of one resource, from its reflector: read without asking the API server, maybe stale."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from controller.ports import Document

Documents = list[Document]
Key = tuple[str, str]
"""(namespace, name); the namespace is empty for cluster-scoped objects."""

Index = Callable[[Document], Iterable[str]]
"""The values under which an object is found. Pure: called once per version of an object."""


def key_of(document: Document) -> Key:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


Values = list[tuple[str, ...]]
"""What each index says of one object, in the order of the indexes."""


class Cache:
    """Objects by key, and keys by indexed values. Lists are in the order in which objects (or their values) came."""

    def __init__(self, indexes: Mapping[str, Index] | None = None) -> None:
        self._objects: dict[Key, Document] = {}
        self._indexes: tuple[tuple[Index, dict[str, dict[Key, None]]], ...] = ()
        self._by_name: dict[str, dict[str, dict[Key, None]]] = {}
        self._values: dict[Key, Values] = {}
        for name, index in (indexes or {}).items():
            self.add_index(name, index)

    def add_index(self, name: str, index: Index) -> None:
        """Index by one more function, before any object is there. Raises ValueError if the name is taken."""
        if name in self._by_name or self._objects:
            raise ValueError(f"index {name!r} exists already, or comes after the first object")
        keys: dict[str, dict[Key, None]] = {}
        self._by_name[name] = keys
        self._indexes = (*self._indexes, (index, keys))

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> Document | None:
        return self._objects.get((namespace, name))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def list(self, namespace: str = "") -> Documents:
        """All objects, or those of one namespace; a namespace costs a walk over all, so index it where it is hot."""
        if not namespace:
            return [*self._objects.values()]
        return [document for key, document in self._objects.items() if key[0] == namespace]

    def by_index(self, index: str, value: str) -> Documents:
        """The objects whose ``index`` has ``value``. Raises KeyError when there is no such index."""
        keys = self._by_name[index].get(value)
        if not keys:
            return []
        objects = self._objects
        return [objects[key] for key in keys]

    def put(self, document: Document) -> Document | None:
        """Store this version; answers the one it replaces."""
        metadata = document["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        old = self._objects.get(key)
        self._objects[key] = document
        if self._indexes:
            self._reindex(key, [tuple(index(document)) for index, _ in self._indexes])
        return old

    def remove(self, namespace: str, name: str) -> Document | None:
        """Forget an object; answers what was known of it."""
        key = (namespace, name)
        old = self._objects.pop(key, None)
        if old is not None and self._indexes:
            self._reindex(key, [()] * len(self._indexes))
            del self._values[key]
        return old

    def _reindex(self, key: Key, values: Values) -> None:
        before = self._values.get(key)
        if before == values:
            return
        self._values[key] = values
        for position, (_, keys) in enumerate(self._indexes):
            old = before[position] if before is not None else ()
            new = values[position]
            if old == new:
                continue
            for value in old:
                bucket = keys.get(value)
                if bucket is not None and value not in new:
                    bucket.pop(key, None)
                    if not bucket:
                        del keys[value]
            for value in new:
                keys.setdefault(value, {})[key] = None
