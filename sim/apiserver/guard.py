"""Debug mode: proves that nobody changes a document after its commit."""

import json
from hashlib import blake2b

from controller.ports import Document


class Mutated(AssertionError):
    """Someone changed a shared document."""


class Guard:
    """Remembers what each committed document looked like and compares when it is replaced, and at the end."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Document, bytes]] = {}

    def committed(self, old: Document | None, new: Document) -> None:
        if old is not None:
            self.check(old)
        self._seen[_key(new)] = (new, _digest(new))

    def check(self, document: Document) -> None:
        """Raises Mutated when ``document`` is no longer what was committed."""
        known = self._seen.get(_key(document))
        if known is not None and known[0] is document and known[1] != _digest(document):
            raise Mutated(f"{_name(document)} was changed after its commit; documents are shared and immutable")

    def check_all(self) -> None:
        for document, _ in self._seen.values():
            self.check(document)


def _key(document: Document) -> str:
    return str(document["metadata"]["uid"])


def _digest(document: Document) -> bytes:
    return blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=16).digest()


def _name(document: Document) -> str:
    metadata = document["metadata"]
    return f"{document.get('kind')} {metadata.get('namespace', '')}/{metadata['name']}"
