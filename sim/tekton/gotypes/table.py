"""The Go types that Tekton's objects are decoded into, from their field tables.

``types.json`` holds, per type, its fields as ``[*]type[,omitempty]``, an element type (``[]type``, ``map:type``), a
basic kind, or ``custom``. Source: the types of the tag v1.15.0 and the Kubernetes API it is built with.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from sim.tekton.gotypes.values import (
    CUSTOM,
    VALUELESS,
    Decode,
    Path,
    Problems,
    bool_decoder,
    integer_decoder,
    opaque,
    string_decoder,
)
from sim.tekton.substitution import Memo

_BITS = {"int": 64, "int64": 64, "int32": 32}
_SHARED = frozenset({"v1.PipelineSpec", "v1.TaskSpec", "v1.EmbeddedTask"})
_OPEN = frozenset(
    {
        ("v1.PipelineRunSpec", "pipelineSpec"),
        ("v1.TaskRunSpec", "taskSpec"),
        ("v1.PipelineTask", "pipelineSpec"),
        ("v1.PipelineTask", "taskSpec"),
        ("v1.TaskSpec", "volumes"),
        ("v1.WorkspaceBinding", "volumeClaimTemplate"),
        ("pod.Template", "affinity"),
        ("pod.Template", "securityContext"),
        ("pod.Template", "volumes"),
    }
)
"""Fields whose CRD schemas keep what they do not know, so that the webhook meets it, and refuses it."""


_TELLING = frozenset({("v1.ParamSpec", "properties"), ("v1.TaskResult", "properties")})
"""Fields that tell something even when they are empty; defaulting drops them."""


class Field:
    __slots__ = ("kind", "name", "omits", "open", "pointer", "telling", "text")

    def __init__(self, owner: str, name: str, kind: "Type", spec: str) -> None:
        self.name = name
        self.kind = kind
        self.pointer = spec.startswith("*")
        self.omits = "," in spec and (self.pointer or not kind.always)
        self.telling = (owner, name) in _TELLING
        self.open = (owner, name) in _OPEN
        self.text = kind.text


class Type:
    """One Go type. ``decode`` reads a JSON value; ``zero`` is how the zero value is written."""

    __slots__ = ("_memos", "_names", "_required", "always", "decode", "fields", "folded", "name", "text", "zero")

    def __init__(self, name: str) -> None:
        self.name = name
        self.decode: Decode = opaque
        self.zero: Any = None
        self.always = False
        self.text = False
        """Whether any string that is not empty is written as it was read."""
        """Whether Go writes it even under ``omitempty``: structs are never empty."""
        self.fields: dict[str, Field] = {}
        self.folded: dict[str, Field] = {}
        self._required: tuple[tuple[str, Type], ...] = ()
        self._names: tuple[str, ...] = ()
        self._memos = (Memo(), Memo()) if name in _SHARED else None

    def complete(self, fields: dict[str, Field]) -> None:
        self.fields = fields
        self.folded = {name.casefold(): field for name, field in fields.items()}
        self._required = tuple((name, field.kind) for name, field in fields.items() if not field.omits)
        self._names = tuple(name for name, _ in self._required)

    def written_zero(self) -> Any:
        """The zero value of a struct: its fields that are always written."""
        if not self._required:
            return self.zero
        return {name: kind.written_zero() for name, kind in self._required}

    def struct(self, value: Any, path: Path, problems: Problems, strict: bool) -> Any:
        if type(value) is not dict:
            if value is not None:
                problems.mismatch(value, self.name, path)
            return self.written_zero() or {}
        if self._memos is None:
            return self._members(value, path, problems, strict)
        memo = self._memos[strict]
        known = memo.get(value)
        if known is None:
            before = len(problems.texts), problems.valueless
            known = self._members(value, path, problems, strict)
            if before == (len(problems.texts), problems.valueless):
                memo.put(value, known)
                memo.put(known, known)
        return known

    def _members(self, value: dict[str, Any], path: Path, problems: Problems, strict: bool) -> Any:
        changed: dict[str, tuple[str, Any]] = {}
        fields = self.fields
        for key, item in value.items():
            field = fields.get(key) or (self.folded.get(key.casefold()) if strict else None)
            if field is None:
                changed[key] = ("", None)
                if strict:
                    problems.texts.append(f"json: unknown field {json.dumps(key, ensure_ascii=False)}")
                continue
            if field.text and type(item) is str and item and field.name == key:
                continue
            if item is None and field.pointer:
                decoded = None
            else:
                decoded = field.kind.decode(item, (path, key), problems, strict or field.open)
            if field.omits and (decoded is None if field.pointer or field.telling else not decoded):
                changed[key] = ("", None)
            elif decoded is not item or field.name != key:
                changed[key] = (field.name, decoded)
        for name in self._names:
            if name not in value:
                break
        else:
            if not changed:
                return value
        return self._rewritten(value, changed, problems)

    def _rewritten(self, value: dict[str, Any], changed: dict[str, tuple[str, Any]], problems: Problems) -> Any:
        """The members with what changed; an empty name drops one. Fields that are always written are added."""
        written: dict[str, Any] = {}
        for key, item in value.items():
            name, decoded = changed.get(key, (key, item))
            if name:
                written[name] = decoded
        for name, kind in self._required:
            if name not in written:
                zero = written[name] = kind.written_zero()
                problems.valueless = problems.valueless or zero is VALUELESS
        return written


def _slice_decoder(name: str, element: Type) -> Decode:
    def decode(value: Any, path: Path, problems: Problems, strict: bool) -> Any:
        if type(value) is not list:
            if value is not None:
                problems.mismatch(value, name, path)
            return None
        items = [element.decode(item, (path, index), problems, strict) for index, item in enumerate(value)]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items

    return decode


def _map_decoder(name: str, element: Type) -> Decode:
    def decode(value: Any, path: Path, problems: Problems, strict: bool) -> Any:
        if type(value) is not dict:
            if value is not None:
                problems.mismatch(value, name, path)
            return None
        items = {key: element.decode(item, (path, key), problems, strict) for key, item in value.items()}
        return value if all(items[key] is item for key, item in value.items()) else items

    return decode


@cache
def types(absent: frozenset[str]) -> Mapping[str, Type]:
    """Every type by its name. ``absent`` are fields (``type.field``) that a release does not know."""
    source = json.loads((files("sim.tekton.gotypes") / "types.json").read_text())
    table = {name: Type(name) for name in source}
    for name, spec in source.items():
        kind = table[name]
        if isinstance(spec, dict):
            kind.always = True
            kind.decode = kind.struct
            kind.zero = {}
        elif spec == "custom":
            kind.decode, kind.zero = CUSTOM[name]
            kind.text = name == "v1.ParamValue"
            kind.always = name not in ("v1.Time",)
        elif spec.startswith("[]"):
            kind.decode = _slice_decoder(name, table[spec[2:]])
        elif spec.startswith("map:"):
            kind.decode = _map_decoder(name, table[spec[4:]])
        elif spec in _BITS:
            kind.decode, kind.zero = integer_decoder(name, _BITS[spec]), 0
        elif spec == "bool":
            kind.decode, kind.zero = bool_decoder(name), False
        elif spec == "string":
            kind.decode, kind.zero, kind.text = string_decoder(name), "", True
    for name, spec in source.items():
        if isinstance(spec, dict):
            table[name].complete(
                {
                    field: Field(name, field, table[text.removeprefix("*").partition(",")[0]], text)
                    for field, text in spec.items()
                    if f"{name}.{field}" not in absent
                }
            )
    return table
