"""YAML as the API server's decoder reads it: one document of what JSON can say, bounded in depth and in aliases."""

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_DEPTH_MAX = 900  # as deep as documents are ever walked here; libyaml's own composer would overflow the stack
_COPIES_MAX = 400_000  # values that aliases repeat
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_EXACT = 1e21  # beyond it Go writes floats with an exponent

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's complaints are those of the Go library
_scalars = yaml.SafeLoader("")
_resolve: Callable[..., str] = _scalars.resolve
_NO_KEY, _MERGED = object(), object()


class _Open:
    """A mapping or sequence whose end has not come. ``copies`` counts the values in it, those of aliases included."""

    __slots__ = ("anchor", "copies", "key", "merged", "value")

    def __init__(self, anchor: str | None, value: "dict[str, Any] | list[Any]") -> None:
        self.anchor = anchor
        self.value = value
        self.key: Any = _NO_KEY  # whose value comes next
        self.merged: dict[str, Any] = {}
        self.copies = 1


def read_yaml(body: bytes, repeated: list[str] | None = None) -> Any:
    """The first document of ``body``; None when there is none. Keys become text, and timestamps stay it.

    What stands twice in a mapping counts the last time, and is told in ``repeated``.
    Raises ValueError in the words of go-yaml.
    """
    try:
        return _Reader(repeated).read(body)
    except yaml.YAMLError as error:
        raise ValueError(_complaint(error)) from None


class _Reader:
    def __init__(self, repeated: list[str] | None) -> None:
        self._repeated = repeated
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}  # 0 copies: not yet at its end
        self._copies = 0
        self._whole: Any = None

    def read(self, body: bytes) -> Any:
        for event in yaml.parse(body, Loader=_Parser):
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._begin(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end(event)
            elif kind is yaml.DocumentEndEvent:
                break
        return self._whole

    def _scalar(self, event: Any) -> None:
        value = _value(event)
        if value is _MERGED and not self._at_key():
            value = event.value
        if event.anchor:
            self._anchors[event.anchor] = value, 1
        self._put(value, 1, event)

    def _alias(self, event: Any) -> None:
        value, copies = self._anchors.get(event.anchor, (None, -1))
        if copies < 0:
            raise ValueError(f"unknown anchor '{event.anchor}' referenced")
        if not copies:
            raise ValueError(f"anchor '{event.anchor}' value contains itself")
        self._copies += copies
        if self._copies > _COPIES_MAX:
            raise ValueError("document contains excessive aliasing")
        self._put(value, copies, event)

    def _begin(self, event: Any, value: "dict[str, Any] | list[Any]") -> None:
        if len(self._open) >= _DEPTH_MAX:
            raise ValueError("exceeded max depth of 10000")
        if event.anchor:
            self._anchors[event.anchor] = value, 0
        self._open.append(_Open(event.anchor, value))

    def _end(self, event: Any) -> None:
        ended = self._open.pop()
        if ended.merged:
            assert isinstance(ended.value, dict)
            ended.value.update({**ended.merged, **ended.value})
        if ended.anchor:
            self._anchors[ended.anchor] = ended.value, ended.copies
        self._put(ended.value, ended.copies, event)

    def _at_key(self) -> bool:
        return bool(self._open) and type(self._open[-1].value) is dict and self._open[-1].key is _NO_KEY

    def _put(self, value: Any, copies: int, event: Any) -> None:
        """Where it belongs: as the whole, an item, a key or the value of one."""
        if not self._open:
            self._whole = value
            return
        holder = self._open[-1]
        holder.copies += copies
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif holder.key is _NO_KEY:
            holder.key = value if value is _MERGED else _key(value)
            if self._repeated is not None and holder.key in holder.value:
                self._repeated.append(f'line {event.start_mark.line + 1}: key "{holder.key}" already set in map')
        else:
            if holder.key is _MERGED:
                _merge(holder.merged, value)
            else:
                holder.value[holder.key] = value
            holder.key = _NO_KEY


def _merge(merged: dict[str, Any], value: Any) -> None:
    """What comes first counts."""
    for one in value if type(value) is list else [value]:
        if type(one) is not dict:
            raise ValueError("map merge requires map or sequence of maps as the value")
        merged.update({**one, **merged})


def _key(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in (int, float):
        return f"{value:g}" if type(value) is float else str(value)
    raise ValueError(f"unsupported map key of type: {'<nil>' if value is None else type(value).__name__}")


def _value(event: yaml.ScalarEvent) -> Any:
    text, tag, plain = event.value, event.tag, event.implicit[0]
    if tag is None or tag == "!":
        if not plain:
            return text
        tag = _resolve(yaml.ScalarNode, text, (True, False))
    construct = _CONSTRUCTED.get(tag)
    # The Go library knows no sexagesimals, but floats without a point.
    if construct is None or ":" in text:
        return _float(text) if plain and _FLOAT.fullmatch(text) else text
    try:
        return construct(text)
    except (KeyError, ValueError, IndexError) as error:
        raise ValueError(f"cannot decode !!{tag.removeprefix(_TAG)} `{text[:60]}`: {error}") from None


def _integer(text: str) -> int | float:
    value = int(_scalars.construct_yaml_int(yaml.ScalarNode(f"{_TAG}int", text)))
    return value if -(1 << 63) <= value < 1 << 64 else float(value)


def _float(text: str) -> int | float:
    value = float(_scalars.construct_yaml_float(yaml.ScalarNode(f"{_TAG}float", text)))
    if not math.isfinite(value):
        raise ValueError("json: unsupported value")
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


_CONSTRUCTED: Mapping[str, Callable[[str], Any]] = {
    f"{_TAG}merge": lambda _: _MERGED,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: _scalars.bool_values[text.lower()],
    f"{_TAG}int": _integer,
    f"{_TAG}float": _float,
    f"{_TAG}binary": lambda text: base64.b64decode(text).decode("utf-8", "replace"),
}


def _complaint(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0][:200]
    line = mark.line if mark is not None else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    return f"line {line}: {problem}" if line else problem
