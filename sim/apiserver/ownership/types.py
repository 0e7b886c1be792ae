"""Whether what a client applies fits the schema, said as structured-merge-diff says it."""

from collections.abc import Mapping
from typing import Any

from controller.ports import ApiError, Document
from sim.apiserver.ownership.merge import by_item, element
from sim.apiserver.ownership.sets import spelled
from sim.apiserver.ownership.shapes import PLAIN, Shape

_DEPTH_MAX = 100
_SET_COMPLAINTS: Mapping[type, str] = {
    dict: "associative list without keys has an element that's a map type",
    list: "not supported: associative list with lists as elements",
    type(None): "associative list without keys has an element that's an explicit null",
}


def check_typed(config: Document, shape: Shape) -> None:
    """Raises ApiError 500, as the real server does, when the document is not what the schema says."""
    found: list[str] = []
    _check(config, shape, "", found, 0)
    if not found:
        return
    metadata = config.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    group, _, version = str(config["apiVersion"]).rpartition("/")
    what = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {group}/{version}, Kind={config['kind']}"
    listed = found[0] if len(found) == 1 else "\n".join(("errors:", *(f"  {one}" for one in found)))
    raise ApiError(500, "", f"failed to create typed patch object ({what}): {listed}")


def _said(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _check(value: Any, shape: Shape, path: str, found: list[str], depth: int) -> None:
    if value is None or depth > _DEPTH_MAX:
        return
    kind = shape.kind
    if kind == "scalar":
        complaint = _scalar_complaint(value, shape.scalar)
        if complaint:
            found.append(_said(path, complaint))
    elif kind == "map" and type(value) is not dict:
        found.append(_said(path, f"expected map, got &{{{_plain(value)}}}"))
    elif kind == "list" and type(value) is not list:
        found.append(_said(path, f"expected list, got &{{{_plain(value)}}}"))
    elif type(value) is dict:
        _check_map(value, shape, path, found, depth)
    elif type(value) is list:
        _check_list(value, shape, path, found, depth)


def _check_map(value: Mapping[str, Any], shape: Shape, path: str, found: list[str], depth: int) -> None:
    for name, one in value.items():
        if shape.closed and name not in shape.fields:
            found.append(f"{path}.{name}: field not declared in schema")
            return
        _check(one, shape.at(name), f"{path}.{name}", found, depth + 1)


def _check_list(value: list[Any], shape: Shape, path: str, found: list[str], depth: int) -> None:
    below = shape.item or PLAIN
    seen: set[str] = set()
    for index, item in enumerate(value):
        place = f"[{index}]"
        if by_item(value, shape):
            complaint = _item_complaint(item, shape)
            if complaint:
                found.append(_said(path, f"element {index}: {complaint}"))
                return
            key = element(item, shape)
            place = spelled(key)
            if key in seen:
                found.append(_said(path, f"duplicate entries for key {place}"))
            seen.add(key)
        _check(item, below, f"{path}{place}", found, depth + 1)


def _item_complaint(item: Any, shape: Shape) -> str:
    if shape.unique:
        return _SET_COMPLAINTS.get(type(item), "")
    if type(item) is not dict:
        what = "a null element" if item is None else "non-map elements"
        return f"associative list with keys may not have {what}"
    if any(key in item or key in shape.defaults for key in shape.keys):
        return ""
    listed = " ".join(f'"{key}"' for key in shape.keys)
    return (
        f"associative list with keys has an element that omits all key fields [{listed}] "
        "(and doesn't have default values for any key fields)"
    )


def _scalar_complaint(value: Any, wanted: str) -> str:
    if wanted == "numeric" and type(value) not in (int, float):
        return f"expected numeric (int or float), got {_go_type(value)}"
    if wanted == "string" and type(value) is not str:
        return f"expected string, got &value.valueUnstructured{{Value:{_literal(value)}}}"
    if wanted == "boolean" and type(value) is not bool:
        return f"expected boolean, got &{{{_plain(value)}}}"
    if wanted == "untyped" and type(value) not in (int, float, str, bool):
        return f"expected any scalar, got &{{{_plain(value)}}}"
    return ""


_GO_TYPES = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
}


def _go_type(value: Any) -> str:
    return _GO_TYPES.get(type(value), "<nil>")


def _plain(value: Any) -> str:
    """Go's ``%v``."""
    if type(value) is dict:
        return f"map[{' '.join(f'{key}:{_plain(one)}' for key, one in sorted(value.items()))}]"
    if type(value) is list:
        return f"[{' '.join(_plain(one) for one in value)}]"
    if type(value) is bool:
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def _literal(value: Any) -> str:
    """Go's ``%#v``."""
    if type(value) is dict:
        inner = ", ".join(f'"{key}":{_literal(one)}' for key, one in sorted(value.items()))
        return f"map[string]interface {{}}{{{inner}}}"
    if type(value) is list:
        return f"[]interface {{}}{{{', '.join(_literal(one) for one in value)}}}"
    if type(value) is str:
        return f'"{value}"'
    return "interface {}(nil)" if value is None else _plain(value)
