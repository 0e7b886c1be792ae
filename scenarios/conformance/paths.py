"""The little path language of the recorded cases: ``a.b[0]``, ``items[*].x``, ``list[name=x].y``, ``m["a.b/c"]``."""

import re
from collections.abc import Callable
from typing import Any

ABSENT = "<absent>"
_PART = re.compile(r'\["([^"]*)"\]|\[(\*|\d+|[^\]=]+=(?:[^\[\]]|\[[^\]]*\])*)\]|([^.\[]+)')


def _parts(path: str) -> list[str | int | tuple[str, str]]:
    parts: list[str | int | tuple[str, str]] = []
    for quoted, bracket, plain in _PART.findall(path):
        if bracket.isdigit():
            parts.append(int(bracket))
        elif "=" in bracket:
            parts.append(tuple(bracket.split("=", 1)))
        else:
            parts.append(quoted or bracket or plain)
    return parts


def read(document: Any, path: str) -> Any:
    return _read(document, _parts(path))


def _read(document: Any, parts: list[Any]) -> Any:
    if not parts:
        return document
    part, rest = parts[0], parts[1:]
    if part == "*":
        return [_read(one, rest) for one in document] if isinstance(document, list) else ABSENT
    if isinstance(part, tuple):
        found = [one for one in document if str(read(one, part[0])) == part[1]] if isinstance(document, list) else []
        return _read(found[0], rest) if found else ABSENT
    if isinstance(part, int):
        fits = isinstance(document, list) and part < len(document)
        return _read(document[part], rest) if fits else ABSENT
    return _read(document[part], rest) if isinstance(document, dict) and part in document else ABSENT


def replaced(document: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """A copy with ``change`` applied to what stands at ``path``, where there is something."""
    return _replaced(document, _parts(path), change)


def _replaced(document: Any, parts: list[Any], change: Callable[[Any], Any]) -> Any:
    if not parts:
        return change(document)
    part, rest = parts[0], parts[1:]
    if isinstance(document, list):
        return [
            _replaced(one, rest, change) if part in ("*", at) or _selected(one, part) else one
            for at, one in enumerate(document)
        ]
    if isinstance(document, dict) and part in document:
        return {**document, part: _replaced(document[part], rest, change)}
    return document


def _selected(document: Any, part: Any) -> bool:
    return isinstance(part, tuple) and str(read(document, part[0])) == part[1]
