"""What of an answer counts, and how two of them differ."""

import json
from collections.abc import Mapping
from typing import Any

from scenarios.conformance.paths import ABSENT, read, replaced

_KINDS = {bool: "<bool>", int: "<int>", float: "<number>", str: "<string>", list: "<list>", dict: "<object>"}


def kept(compare: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """What of a body the recording keeps: all of it, the values at some paths, or nothing but the code."""
    failure = isinstance(body, dict) and body.get("kind") == "Status" and body.get("status") == "Failure"
    mode = compare.get("mode", "full")
    if mode == "status" and not failure:
        return {}
    for path in compare.get("sort", []):
        body = replaced(body, path, lambda items: sorted(items, key=lambda one: json.dumps(one, sort_keys=True)))
    if failure or mode != "paths":
        for path in compare.get("ignore", []):
            body = replaced(body, path, lambda _: "<ignored>")
        for path in compare.get("types", []):
            body = replaced(body, path, lambda value: _KINDS.get(type(value), "<null>"))
        return {"body": body}
    subset = {path: read(body, path) for path in compare["paths"]}
    for path in compare.get("typePaths", []):
        value = read(body, path)
        subset[path] = ABSENT if value == ABSENT else _KINDS.get(type(value), "<null>")
    return {"subset": subset}


def first(want: Any, got: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted({*want, *got}, key=str):
            if want.get(key, ABSENT) != got.get(key, ABSENT):
                return first(want.get(key, ABSENT), got.get(key, ABSENT), f"{path}.{key}")
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for at, (one, other) in enumerate(zip(want, got, strict=True)):
            if one != other:
                return first(one, other, f"{path}[{at}]")
    return f"at {path or '.'}\nwanted {want!r}\ngot    {got!r}"
