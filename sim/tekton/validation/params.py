"""Declarations of parameters, and the parameters handed to tasks."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.ports import Document
from sim.tekton.goformat import listed
from sim.tekton.validation.fielderrors import FieldError, both, generic, invalid_value, missing, under
from sim.tekton.validation.variables import (
    not_isolated,
    prohibited,
    prohibited_whole,
    unknown,
    whole_reference,
)

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_OBJECT_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
_NAME_RULES = (
    "String/Array Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_), and dots (.)\n"
    "Must begin with a letter or an underscore (_)"
)
_OBJECT_RULES = (
    "Object Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_) \n"
    "Must begin with a letter or an underscore (_)"
)


@dataclass(frozen=True, slots=True)
class Declared:
    """Names of declared parameters: all, those of type array, and the keys of those of type object."""

    names: frozenset[str]
    arrays: frozenset[str]
    keys: Mapping[str, tuple[str, ...]]


def declared(specs: Iterable[Document]) -> Declared:
    names, arrays, keys = set(), set(), {}
    for spec in specs:
        names.add(spec["name"])
        if spec.get("type") == "array":
            arrays.add(spec["name"])
        elif spec.get("type") == "object":
            keys[spec["name"]] = tuple(spec.get("properties") or ())
    return Declared(frozenset(names), frozenset(arrays), keys)


def type_of(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


def repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Index and name of every name that was there before, whatever its case."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name.lower() in seen:
            yield index, name
        seen.add(name.lower())


def repeated_params(params: Iterable[Document]) -> Iterator[FieldError]:
    for _, name in repeated(param["name"] for param in params):
        yield from under((both("name"),), f"[{name}]")


def repeated_task_params(params: Iterable[Document]) -> Iterator[FieldError]:
    """The same of a pipeline task, in other words."""
    seen: set[str] = set()
    for index, param in enumerate(params):
        name = param["name"]
        if name in seen:
            text = f'parameter names must be unique, the parameter "{name}" is also defined at'
            yield generic(text, f"[{index}].name")
        seen.add(name)


def type_errors(specs: Iterable[Document]) -> Iterator[FieldError]:
    for spec in specs:
        name, kind = spec["name"], spec.get("type") or ""
        if kind not in ("string", "array", "object"):
            yield invalid_value(kind, f"{name}.type")
            continue
        if spec.get("default") is not None and type_of(spec["default"]) != kind:
            text = f'"{kind}" type does not match default value\'s type: "{type_of(spec["default"])}"'
            yield FieldError(text, (f"{name}.type", f"{name}.default.type"))
            continue
        properties = spec.get("properties") or {}
        wrong = [key for key, one in properties.items() if one.get("type") != "string"]
        if wrong:
            text = f"The value type specified for these keys {listed(wrong)} is invalid"
            yield FieldError(text, (f"{name}.properties",))


def repeated_specs(specs: Iterable[Document]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for spec in specs:
        name = spec["name"]
        if name in seen:
            yield from under((generic("parameter appears more than once", ""),), "params", f"[{name}]")
        seen.add(name)


def enum_errors(specs: Iterable[Document]) -> Iterator[FieldError]:
    for spec in specs:
        allowed = spec.get("enum") or []
        if not allowed:
            continue
        texts = ["feature flag `enable-param-enum` should be set to true to use Enum"]
        if spec.get("type") != "string":
            texts.append("enum can only be set with string type param")
        twice = {value: None for value in allowed if allowed.count(value) > 1}
        texts += [f"parameter enum value {value} appears more than once" for value in twice]
        default = spec.get("default")
        if isinstance(default, str) and default and default not in allowed:
            texts.append(f"param default value {default} not in the enum list")
        yield from under((generic(text, "") for text in texts), f"[{spec['name']}]")


def name_errors(specs: Sequence[Document]) -> Iterator[FieldError]:
    plain = sorted({spec["name"] for spec in specs if spec.get("type") != "object"})
    wrong = [name for name in plain if not _NAME.fullmatch(name)]
    if wrong:
        text = f"The format of following array and string variable names is invalid: {listed(wrong)}"
        yield FieldError(text, ("params",), _NAME_RULES)
    objects: dict[str, list[str]] = {}
    for spec in specs:
        if spec.get("type") != "object":
            continue
        if not _OBJECT_NAME.fullmatch(spec["name"]):
            objects[spec["name"]] = []
        for key in spec.get("properties") or {}:
            if not _OBJECT_NAME.fullmatch(key):
                objects.setdefault(spec["name"], []).append(key)
    if objects:
        spelled = " ".join(f"{name}:{listed(keys)}" for name, keys in sorted(objects.items()))
        yield FieldError(
            f"Object param name and key name format is invalid: map[{spelled}]", ("params",), _OBJECT_RULES
        )


def without_properties(specs: Iterable[Document]) -> Iterator[FieldError]:
    for spec in specs:
        if spec.get("type") == "object" and spec.get("properties") is None:
            yield missing(f"{spec['name']}.properties")


def text_errors(text: str, known: Declared) -> Iterator[FieldError]:
    """A text that may refer to strings and to keys of objects only."""
    yield from unknown(text, "params", known.names)
    yield from _object_errors(text, known.keys)
    yield from prohibited(text, "params", known.arrays)


def item_errors(text: str, known: Declared) -> Iterator[FieldError]:
    """A text that may be one whole array, too."""
    yield from unknown(text, "params", known.names)
    yield from _object_errors(text, known.keys)
    yield from not_isolated(text, "params", known.arrays)


def _object_errors(text: str, keys: Mapping[str, Collection[str]]) -> Iterator[FieldError]:
    for name, its_keys in keys.items():
        yield from unknown(text, rf"params\.{name}", its_keys)
    yield from prohibited_whole(text, "params", keys)


def value_errors(params: Sequence[Document], known: Declared) -> Iterator[FieldError]:
    """Values handed to a task that refer to parameters wrongly."""
    yield from under(repeated_task_params(params), "params")
    for param in params:
        value, place = param.get("value"), ("params", f"[{param['name']}]")
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from under(item_errors(item, known), *place, f"value[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from under(text_errors(item, known), *place, "properties", f"[{key}]")
        elif whole_reference(value or "", "params"):
            yield from under(unknown(value or "", "params", known.names), *place)
        else:
            yield from under(text_errors(value or "", known), *place)
