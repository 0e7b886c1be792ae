"""Types by name: ``core.v1.PodSpec`` to its fields."""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

SCALARS = frozenset(("string", "bool", "bytes", "int32", "int64", "double"))
_TYPES = Path(__file__).parent / "types"
_PACKAGES = {"": "core"}
_META = ("DeleteOptions", "Status")
"""Kinds that every group version has."""


class Field(NamedTuple):
    """``type`` is a scalar or another type's whole name; ``keys`` are those of a list that is a map."""

    name: str
    number: int
    type: str
    repeated: bool
    mapped: bool
    inline: bool
    required: bool
    pointer: bool
    merge_key: str
    strategy: str
    list_type: str
    list_keys: tuple[str, ...]
    map_type: str


class Message(NamedTuple):
    """``listed`` is a type that is no more than a list of strings."""

    fields: tuple[Field, ...]
    listed: bool


@cache
def _package(name: str) -> dict[str, list[str]]:
    path = _TYPES / f"{name}.json"
    found: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}
    return found


@cache
def message(name: str) -> Message | None:
    """The type called ``name``; None for one that this package does not describe."""
    package, _, short = name.rpartition(".")
    lines = _package(package).get(short)
    if lines is None:
        return None
    if lines == ["=list"]:
        return Message((), listed=True)
    return Message(tuple(_field(package, line) for line in lines), listed=False)


def _field(package: str, line: str) -> Field:
    name, number, kind, *flags = line.split(" ")
    told = dict(flag.partition("=")[::2] for flag in flags)
    bare = kind.lstrip(">*{}")
    lists, _, keys = told.get("l", "").partition(":")
    return Field(
        name.removesuffix("!"),
        int(number),
        bare if bare in SCALARS or "." in bare else f"{package}.{bare}",
        "*" in kind,
        "{}" in kind,
        ">" in kind,
        name.endswith("!"),
        "p" in told,
        told.get("k", ""),
        told.get("s", ""),
        lists,
        tuple(keys.split(",")) if keys else (),
        told.get("m", ""),
    )


def kind_name(api_version: str, kind: str) -> str:
    """The type of a kind as ``apps/v1`` and ``Deployment`` name it; it need not be known."""
    if kind in _META:
        return f"meta.v1.{kind}"
    group, _, version = api_version.rpartition("/")
    return f"{package_of(group)}.{version}.{kind}"


def package_of(group: str) -> str:
    return _PACKAGES.get(group) or group.partition(".")[0]


def is_described(api_version: str, kind: str) -> bool:
    return message(kind_name(api_version, kind)) is not None
