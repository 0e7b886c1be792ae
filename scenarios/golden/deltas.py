"""A sequence of documents as the first one and what each changed of the one before: null for what went away."""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]


def packed(documents: Sequence[Document]) -> list[Document]:
    """Raises ValueError if a null of theirs would be read as an absence; pack no such documents."""
    deltas = [_delta({} if index == 0 else documents[index - 1], one) for index, one in enumerate(documents)]
    if unpacked(deltas) != list(documents):
        raise ValueError("these documents hold nulls")
    return deltas


def unpacked(deltas: Sequence[Document]) -> list[Document]:
    documents: list[Document] = []
    for delta in deltas:
        documents.append(_applied(documents[-1] if documents else {}, delta))
    return documents


def _delta(before: Document, after: Document) -> Document:
    changed: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if key not in before or old != value or (value is None) != (old is None):
            nested = isinstance(old, Mapping) and isinstance(value, Mapping)
            changed[key] = _delta(old, value) if nested else value  # type: ignore[arg-type]
    return changed


def _applied(before: Document, delta: Document) -> Document:
    after = {key: value for key, value in before.items() if delta.get(key, value) is not None}
    for key, value in delta.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            after[key] = _applied(old, value)
        elif value is not None or key not in before:
            after[key] = value
    return after
