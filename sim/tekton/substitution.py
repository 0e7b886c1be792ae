"""Variables: ``$(params.x)``, ``$(tasks.t.results.r)``, ``$(context.…)`` and their replacement in shared templates.

A template without any variable that is replaced comes back as the very same object, so that runs share it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document

_VARIABLE = re.compile(r"\$\(([^()$]+)\)")
_LISTS = (list, tuple)
_MAPS = (dict, Mapping)  # the one that documents are first: to ask an abstract class takes ten times as long


class Memo:
    """Answers of a function of shared documents, remembered by identity; holds at most ``size`` of them.

    The documents are kept referenced, so an identity cannot be taken over by another one.
    """

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._known: dict[int, tuple[object, Any]] = {}

    def get(self, document: object) -> Any:
        found = self._known.get(id(document))
        return None if found is None else found[1]

    def put(self, document: object, answer: Any) -> None:
        if len(self._known) >= self._size:
            del self._known[next(iter(self._known))]
        self._known[id(document)] = (document, answer)


def variables(template: Any) -> frozenset[str]:
    """The names of all variables in a template, without ``$()``."""
    found: set[str] = set()
    _collect(template, found)
    return frozenset(found)


def _collect(template: Any, found: set[str]) -> None:
    if isinstance(template, str):
        if "$(" in template:
            found.update(_VARIABLE.findall(template))
    elif isinstance(template, _LISTS):
        for value in template:
            _collect(value, found)
    elif isinstance(template, _MAPS):
        for value in template.values():
            _collect(value, found)


def substitute(template: Any, values: Mapping[str, Any]) -> Any:
    """Replace the known variables; unknown ones stay. A text that is the variable of an array or object alone becomes
    that, and inside a list the array's items."""
    if isinstance(template, str):
        return _in_text(template, values) if "$(" in template else template
    if isinstance(template, _LISTS):
        return _in_list(template, values)
    if isinstance(template, _MAPS):
        changed: dict[str, Any] | None = None
        for key, value in template.items():
            new = substitute(value, values)
            if new is not value:
                changed = changed if changed is not None else dict(template)
                changed[key] = new
        return template if changed is None else changed
    return template


def _in_text(text: str, values: Mapping[str, Any]) -> Any:
    whole = _VARIABLE.fullmatch(text)
    if whole is not None:
        value = values.get(whole[1])
        if value is None and whole[1].endswith("[*]"):
            value = values.get(whole[1][:-3])
            if isinstance(value, str):
                return text
        return text if value is None else value

    def replacement(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return value if isinstance(value, str) else match[0]

    return _VARIABLE.sub(replacement, text)


def _in_list(items: Sequence[Any], values: Mapping[str, Any]) -> Any:
    new_items: list[Any] = []
    same = True
    for item in items:
        new = substitute(item, values)
        same = same and new is item
        if isinstance(new, list) and isinstance(item, str):
            new_items.extend(new)
        else:
            new_items.append(new)
    return items if same else new_items


def param_values(params: Iterable[Mapping[str, Any]], prefix: str = "params") -> dict[str, Any]:
    """The variables that a list of ``{name, value}`` defines, in every spelling."""
    values: dict[str, Any] = {}
    for param in params:
        name, value = param["name"], param.get("value")
        if value is None:
            continue
        if not isinstance(value, str):
            value = typed_value(value)
        for spelled in (f"{prefix}.{name}", f'{prefix}["{name}"]', f"{prefix}['{name}']"):
            values[spelled] = value
            if isinstance(value, list):
                values.update({f"{spelled}[{index}]": item for index, item in enumerate(value)})
            elif isinstance(value, Mapping):
                values.update({f"{spelled}.{key}": item for key, item in value.items()})
    return values


def typed_value(value: Any) -> Any:
    """A parameter's value as Go reads it: a text, a list of texts or an object of texts; anything else as its JSON."""
    if isinstance(value, str):
        return value
    items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else (None,)
    if all(isinstance(item, str) for item in items):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def type_of(value: Any) -> str:
    """``string``, ``array`` or ``object``: the type of a parameter's value."""
    if isinstance(value, str):
        return "string"
    read = typed_value(value)
    return "array" if isinstance(read, list) else "object" if isinstance(read, dict) else "string"


def substitute_when(when: Sequence[Document], values: Mapping[str, Any]) -> Sequence[Document]:
    """``when`` expressions with the known variables in place; an array as input becomes its JSON text."""
    filled: Sequence[Document] = substitute(when, values)
    if filled is when or all(isinstance(one.get("input", ""), str) for one in filled):
        return filled
    return [{**one, "input": _as_text(one["input"])} if "input" in one else one for one in filled]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
