"""The columns that a CustomResourceDefinition declares for its kind (``additionalPrinterColumns``)."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from controller.ports import Document
from sim.apiserver.tables.ages import since
from sim.apiserver.tables.columns import NAME, Column
from sim.apiserver.tables.jsonpath import compiled

_AGE: Sequence[Mapping[str, Any]] = ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)
"""What a definition without columns gets."""
_AGE_TEXT = "When the object was created."
Cells = Callable[[Document, datetime], list[Any]]


def custom_columns(declared: Sequence[Mapping[str, Any]]) -> tuple[tuple[Column, ...], Cells]:
    """The columns of a kind, the name first, and what makes the cells of one object."""
    columns = [NAME]
    cells: list[Callable[[Document, datetime], Any]] = []
    for one in declared or _AGE:
        path, kind = one["jsonPath"], one.get("type", "string")
        told = one.get("description") or (
            f"Custom resource definition column (in JSONPath format): {path}" if declared else _AGE_TEXT
        )
        columns.append(Column(one["name"], kind, one.get("format", ""), told, one.get("priority", 0)))
        cells.append(_cell(kind, path))

    def made(document: Document, now: datetime) -> list[Any]:
        return [document["metadata"].get("name", ""), *(cell(document, now) for cell in cells)]

    return tuple(columns), made


def _cell(kind: str, path: str) -> Callable[[Document, datetime], Any]:
    find = compiled(path)

    def cell(document: Document, now: datetime) -> Any:
        found = find(document) if find is not None else []
        return _shown(kind, found[0], now) if found else None

    return cell


def _shown(kind: str, value: Any, now: datetime) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "string":
        return _text(value)
    if kind == "integer":
        return int(value) if number else None
    if kind == "number":
        return float(value) if number else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "date" and isinstance(value, str):
        return since(value, now)
    return None


def _text(value: Any) -> str:
    """Any value in a column of text, as client-go's jsonpath prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
