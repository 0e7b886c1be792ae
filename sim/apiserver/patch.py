"""Patches: RFC 7386 merge patches and RFC 6902 JSON patches, sharing what they do not change."""

from typing import Any

from controller.ports import ApiError
from sim.apiserver.errors import bad_request

_MISSING = object()
UNPROCESSABLE = "the server rejected our request due to an error in our request"
"""All that the real server says of a JSON patch it cannot apply."""


def merge(target: Any, change: Any) -> Any:
    """RFC 7386. Answers ``target`` itself when nothing changes."""
    if not isinstance(change, dict):
        return _pruned(change) if isinstance(change, list) else change
    if not isinstance(target, dict):
        return _without_nulls(change)
    merged: dict[str, Any] | None = None
    for key, value in change.items():
        old = target.get(key, _MISSING)
        if value is None:
            if old is not _MISSING:
                merged = dict(target) if merged is None else merged
                del merged[key]
            continue
        if isinstance(value, dict):
            new = merge(None if old is _MISSING else old, value)
            if new is old:
                continue
        elif value == old and type(value) is type(old):
            continue
        else:
            new = _pruned(value) if isinstance(value, list) else value
        merged = dict(target) if merged is None else merged
        merged[key] = new
    return target if merged is None else merged


def _pruned(items: list[Any]) -> list[Any]:
    """A list as the real server takes it from a merge patch: objects inside lose their nulls.

    What has none is answered as it is, the same object: validation then knows it again.
    """
    pruned: list[Any] | None = None
    for index, one in enumerate(items):
        if isinstance(one, (dict, list)):
            kept = _without_nulls(one) if isinstance(one, dict) else _pruned(one)
            if kept is not one:
                pruned = list(items) if pruned is None else pruned
                pruned[index] = kept
    return items if pruned is None else pruned


def _without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] | None = None
    for key, item in value.items():
        new = item
        if isinstance(item, dict):
            new = _without_nulls(item)
        elif isinstance(item, list):
            new = _pruned(item)
        if new is not item or item is None:
            kept = dict(value) if kept is None else kept
            if item is None:
                del kept[key]
            else:
                kept[key] = new
    return value if kept is None else kept


def apply_operations(document: Any, operations: Any) -> Any:
    """RFC 6902. Raises ApiError 422 for a failed test or a path that is not there, 400 for what is no patch."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > 10_000:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is 10000, got {len(operations)}",
        )
    for operation in operations:
        document = _apply(document, operation)
    return document


def _apply(document: Any, operation: Any) -> Any:
    kind = operation.get("op") if isinstance(operation, dict) else None
    try:
        path = _pointer(operation["path"])
        if kind == "add":
            return _edit(document, path, "add", operation["value"])
        if kind == "remove":
            return _edit(document, path, "remove", None)
        if kind == "replace":
            return _edit(document, path, "replace", operation["value"])
        if kind == "copy":
            return _edit(document, path, "add", _at(document, _pointer(operation["from"])))
        if kind == "move":
            source = _pointer(operation["from"])
            value = _at(document, source)
            return _edit(_edit(document, source, "remove", None), path, "add", value)
        if kind == "test":
            found = _at(document, path, missing=None)
            wanted = operation.get("value")
            if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
                raise ApiError(422, "Invalid", UNPROCESSABLE)
            return document
    except (KeyError, IndexError, TypeError, ValueError):
        raise ApiError(422, "Invalid", UNPROCESSABLE) from None
    raise ApiError(422, "Invalid", UNPROCESSABLE)


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str):
        raise TypeError(text)
    if text == "":
        return []
    if not text.startswith("/"):
        raise ValueError(text)
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _at(document: Any, path: list[str], missing: Any = _MISSING) -> Any:
    for part in path:
        if isinstance(document, dict):
            if part not in document and missing is not _MISSING:
                return missing
            document = document[part]
        else:
            document = document[_index(document, part)]
    return document


def _index(items: list[Any], part: str) -> int:
    if not isinstance(items, list):
        raise TypeError(part)
    index = int(part)
    if not -len(items) <= index < len(items):
        raise IndexError(part)
    return index


def _edit(document: Any, path: list[str], verb: str, value: Any) -> Any:
    """A copy of ``document`` with the place at ``path`` changed; containers off the path are shared."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(document, dict):
        copy = dict(document)
        if rest:
            copy[part] = _edit(document[part], rest, verb, value)
        elif verb == "remove":
            del copy[part]
        else:
            if verb == "replace" and part not in document:
                raise KeyError(part)
            copy[part] = value
        return copy
    if not isinstance(document, list):
        raise TypeError(part)
    items = list(document)
    if rest:
        index = _index(items, part)
        items[index] = _edit(items[index], rest, verb, value)
    elif verb == "add":
        at = len(items) if part == "-" else int(part)
        if not 0 <= at <= len(items):
            raise IndexError(part)
        items.insert(at, value)
    elif verb == "remove":
        del items[_index(items, part)]
    else:
        items[_index(items, part)] = value
    return items
