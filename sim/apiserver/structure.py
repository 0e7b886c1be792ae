"""Checks of objects and lists against a structural schema, and of the combinators (``allOf`` and its kin).

Ratcheting, as in 1.33 and later: what did not change is not reported. A subtree that is the very object the old
document holds is not even looked at; one that is merely equal is forgiven after the fact.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.apiserver.causes import bad_value, duplicate, literal, too_many, unsupported
from sim.apiserver.errors import Cause, required
from sim.apiserver.valuechecks import (
    ABSENT,
    Check,
    Path,
    boolean_check,
    int_or_string_check,
    number_check,
    spelled,
    string_check,
    wrong_type,
)

_TRUSTED = 1024
_NOTHING: Mapping[str, Any] = {}


def compile_check(schema: Mapping[str, Any]) -> Check:
    """The check of everything but CEL rules."""
    check = _by_type(schema)
    further = _combinators(schema)
    if schema.get("x-kubernetes-embedded-resource"):
        further.append(_embedded_check)
    if further:
        check = _followed_by(check, further)
    return _nullable(check) if schema.get("nullable") else check


def _by_type(schema: Mapping[str, Any]) -> Check:
    if schema.get("x-kubernetes-int-or-string"):
        return int_or_string_check(schema)
    kind = schema.get("type")
    if kind in _MAKERS:
        return _MAKERS[kind](schema)
    if schema.get("properties") or schema.get("required"):
        return _members_check(schema)
    return _anything


def _anything(_value: Any, _old: Any, _path: Path, _causes: list[Cause]) -> None:
    return None


def _nullable(check: Check) -> Check:
    def nullable(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        if value is not None:
            check(value, old, path, causes)

    return nullable


def _followed_by(first: Check, rest: Sequence[Check]) -> Check:
    def both(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        first(value, old, path, causes)
        for check in rest:
            check(value, old, path, causes)

    return both


def _embedded_check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
    if type(value) is dict:
        for key in ("apiVersion", "kind"):
            if key not in value:
                causes.append(required(spelled((path, f".{key}")), "must not be empty"))
            elif type(value[key]) is not str or not value[key]:
                text = "must not be empty" if value[key] == "" else "must be a string"
                causes.append(bad_value(spelled((path, f".{key}")), value[key], text))


def same(new: Any, old: Any) -> bool:
    """Equality of JSON values: unlike Python's, true is not 1."""
    if new is old:
        return True
    if type(new) is not type(old):
        return False
    if type(new) is dict:
        return new.keys() == old.keys() and all(same(item, old[key]) for key, item in new.items())
    if type(new) is list:
        return len(new) == len(old) and all(same(a, b) for a, b in zip(new, old, strict=True))
    return bool(new == old)


def _object_check(schema: Mapping[str, Any]) -> Check:
    members = _members_check(schema)
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is None and least is None:
        return members

    def check(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        if type(value) is dict and least is not None and len(value) < least:
            field = spelled(path)
            causes.append(bad_value(field, value, f"{field} in body should have at least {least} properties"))
        if type(value) is dict and most is not None and len(value) > most:
            causes.append(too_many(spelled(path), len(value), most))
        members(value, old, path, causes)

    return check


_UNCONSTRAINED = {"string": str, "integer": int, "boolean": bool}
_CONSTRAINTS = (
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    *("allOf", "anyOf", "oneOf", "not"),
)


def _members_check(schema: Mapping[str, Any]) -> Check:
    is_object = schema.get("type") == "object"
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    fields: dict[str, tuple[type | None, Check, str]] = {
        key: (_sufficient_type(child), compile_check(child), f".{key}") for key, child in properties.items()
    }
    additional = schema.get("additionalProperties")
    rest = compile_check(additional) if isinstance(additional, Mapping) else None
    wanted: tuple[str, ...] = tuple(schema.get("required") or ())
    wanted_set = frozenset(wanted)
    if is_object and not fields and rest is None and not wanted:
        return any_object

    def check(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        if type(value) is not dict:
            if is_object:
                causes.append(wrong_type(path, value, "object"))
            return
        before = old if type(old) is dict else _NOTHING
        for key, item in value.items():
            item_old = before.get(key, ABSENT)
            if item is item_old:
                continue
            known = fields.get(key)
            if known is not None:
                fit, child, part = known
                if type(item) is fit:
                    continue
            elif rest is not None:
                child, part = rest, f".{key}"
            else:
                continue
            found = len(causes)
            child(item, item_old, (path, part), causes)
            if len(causes) > found and item_old is not ABSENT and same(item, item_old):
                del causes[found:]
        if wanted and not wanted_set <= value.keys():
            causes.extend(required(spelled((path, f".{key}"))) for key in wanted if key not in value)

    return check


def any_object(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
    """The check of a schema that accepts every object."""
    if type(value) is not dict:
        causes.append(wrong_type(path, value, "object"))


def _sufficient_type(schema: Mapping[str, Any]) -> type | None:
    """The Python type whose values all fit: scalars without further constraints."""
    if any(word in schema for word in _CONSTRAINTS):
        return None
    return _UNCONSTRAINED.get(schema.get("type", ""))


def _list_check(schema: Mapping[str, Any]) -> Check:
    item_check = compile_check(schema["items"]) if schema.get("items") else _anything
    most, least, unique = schema.get("maxItems"), schema.get("minItems"), schema.get("uniqueItems")
    allowed = schema.get("enum")
    keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    trusted: dict[int, Any] = {}

    def check(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        if type(value) is not list:
            causes.append(wrong_type(path, value, "array"))
            return
        before: dict[str | tuple[str, ...], Any] | None = None
        for index, item in enumerate(value):
            if id(item) in trusted:
                continue
            if before is None:
                before = _by_keys(old, keys) if keys and type(old) is list else {}
            item_old = before.get(_key_of(item, keys), ABSENT) if before else ABSENT
            if item is item_old:
                continue
            found = len(causes)
            item_check(item, item_old, (path, f"[{index}]"), causes)
            if len(causes) > found:
                if item_old is not ABSENT and same(item, item_old):
                    del causes[found:]
            elif type(item) is dict and item_old is ABSENT:
                _trust(trusted, item)
        if least is not None and len(value) < least:
            field = spelled(path)
            causes.append(bad_value(field, value, f"{field} in body should have at least {least} items"))
        if most is not None and len(value) > most:
            causes.append(too_many(spelled(path), len(value), most))
        if unique and any(same(a, b) for i, a in enumerate(value) for b in value[:i]):
            field = spelled(path)
            causes.append(bad_value(field, value, f"{field} in body shouldn't contain duplicates"))
        if allowed is not None and value not in allowed:
            causes.append(unsupported(spelled(path), value, allowed))

    return check


def _trust(trusted: dict[int, Any], item: Any) -> None:
    """Remember a valid item by identity: lists are rebuilt at each write, their items mostly shared."""
    if len(trusted) >= _TRUSTED:
        trusted.clear()
    trusted[id(item)] = item


def _by_keys(items: Sequence[Any], keys: tuple[str, ...]) -> dict[str | tuple[str, ...], Any]:
    return {_key_of(item, keys): item for item in items}


def _key_of(item: Any, keys: tuple[str, ...]) -> str | tuple[str, ...]:
    """A value that equal keys share and different ones do not: one string as it is, anything else spelled as JSON."""
    if type(item) is not dict:
        return (literal(item),)
    if len(keys) == 1 and type(only := item.get(keys[0])) is str:
        return only
    return tuple([literal(item[key]) if key in item else "" for key in keys])


def compile_uniqueness(schema: Mapping[str, Any]) -> Check | None:
    """The duplicates that ``x-kubernetes-list-type: set | map`` forbids; None where there are no such lists."""
    kind = schema.get("x-kubernetes-list-type")
    items = compile_uniqueness(schema["items"]) if schema.get("items") else None
    children = {key: c for key, child in (schema.get("properties") or {}).items() if (c := compile_uniqueness(child))}
    additional = schema.get("additionalProperties")
    rest = compile_uniqueness(additional) if isinstance(additional, Mapping) else None
    if kind not in ("set", "map") and not (items or children or rest):
        return None
    keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys") or ())

    def check(value: Any, old: Any, path: Path, causes: list[Cause]) -> None:
        if value is old:
            return
        if type(value) is dict:
            before = old if type(old) is dict else _NOTHING
            for key, item in value.items():
                child = children.get(key, rest)
                if child is not None and item is not before.get(key):
                    child(item, before.get(key), (path, f".{key}"), causes)
        elif type(value) is list:
            repeated = _duplicates(value, keys) if kind in ("set", "map") else ()
            if repeated and not (type(old) is list and _duplicates(old, keys)):
                causes.extend(duplicate(f"{spelled(path)}[{index}]", shown) for index, shown in repeated)
            if items is not None:
                for index, item in enumerate(value):
                    items(item, None, (path, f"[{index}]"), causes)

    return check


def _duplicates(value: Sequence[Any], keys: tuple[str, ...]) -> list[tuple[int, Any]]:
    """The items that repeat an earlier one: their indexes and what of them is repeated."""
    found: list[tuple[int, Any]] = []
    seen: set[str | tuple[str, ...]] = set()
    for index, item in enumerate(value):
        key = _key_of(item, keys) if keys else literal(item)
        if key in seen:
            shown = {name: item[name] for name in keys if name in item} if keys and type(item) is dict else item
            found.append((index, shown))
        seen.add(key)
    return found


def _combinators(schema: Mapping[str, Any]) -> list[Check]:
    made: list[Check] = []
    for word, judge in _JUDGES.items():
        if schema.get(word):
            branches = schema[word] if isinstance(schema[word], list) else [schema[word]]
            made.append(_combinator([compile_check(branch) for branch in branches], judge))
    return made


def _combinator(branches: list[Check], judge: Callable[[int, int], str | None]) -> Check:
    def check(value: Any, _old: Any, path: Path, causes: list[Cause]) -> None:
        passed = 0
        for branch in branches:
            complaints: list[Cause] = []
            branch(value, ABSENT, path, complaints)
            passed += not complaints
        verdict = judge(passed, len(branches))
        if verdict is not None:
            causes.append(bad_value("<nil>", "", f'"{spelled(path)}" {verdict}'))

    return check


def _one_of(passed: int, _count: int) -> str | None:
    if passed == 1:
        return None
    found = "Found none valid" if not passed else f"Found {passed} valid alternatives"
    return f"must validate one and only one schema (oneOf). {found}"


_JUDGES: dict[str, Callable[[int, int], str | None]] = {
    "anyOf": lambda passed, _count: None if passed else "must validate at least one schema (anyOf)",
    "oneOf": _one_of,
    "allOf": lambda passed, count: None if passed == count else "must validate all the schemas (allOf)",
    "not": lambda passed, _count: "must not validate the schema (not)" if passed else None,
}

_MAKERS: dict[str, Callable[[Mapping[str, Any]], Check]] = {
    "string": string_check,
    "integer": number_check,
    "number": number_check,
    "boolean": boolean_check,
    "array": _list_check,
    "object": _object_check,
}
