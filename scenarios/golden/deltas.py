"""A sequence of documents as the first one and what each changed of the one before it.

A change is a mapping with what is new; ``~gone`` lists what is there no more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
_GONE = "~gone"


def packed(documents: Sequence[Document]) -> list[Document]:
    return [_delta({} if index == 0 else documents[index - 1], one) for index, one in enumerate(documents)]


def unpacked(deltas: Sequence[Document]) -> list[Document]:
    documents: list[Document] = []
    for delta in deltas:
        documents.append(_applied(documents[-1] if documents else {}, delta))
    return documents


def _delta(before: Document, after: Document) -> Document:
    changed: dict[str, Any] = {}
    for key, value in after.items():
        old = before.get(key)
        if key not in before or old != value:
            nested = isinstance(old, Mapping) and isinstance(value, Mapping)
            changed[key] = _delta(old, value) if nested else value  # type: ignore[arg-type]
    gone = [key for key in before if key not in after]
    return {**changed, _GONE: gone} if gone else changed


def _applied(before: Document, delta: Document) -> Document:
    gone = delta.get(_GONE, ())
    after = {key: value for key, value in before.items() if key not in gone}
    for key, value in delta.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            after[key] = _applied(old, value)
        elif key != _GONE:
            after[key] = value
    return after
