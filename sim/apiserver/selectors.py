"""Label and field selectors: the grammar of apimachinery ``labels`` and ``fields``, compiled to predicates."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from controller.ports import Document
from sim.apiserver.errors import bad_request
from sim.apiserver.names import label_value, qualified_name

Predicate = Callable[[Document], bool]
FieldGetter = Callable[[Document], str]
Requirement = Callable[[Mapping[str, str]], bool]

_PUNCTUATION = "!=,()<>"
_EQUALITY = re.compile(r"\s*([A-Za-z0-9_./-]+)\s*==?\s*([A-Za-z0-9_.-]+)\s*")
_NO_KEY = "=,()<>"
_NONE: Mapping[str, str] = {}


class _Malformed(Exception):
    pass


def _tokens(text: str) -> list[str]:
    """Words and operators; ``==``, ``!=``, ``(`` and so on are tokens of their own."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
        elif text[at : at + 2] in ("==", "!="):
            tokens.append(text[at : at + 2])
            at += 2
        elif char in _PUNCTUATION:
            tokens.append(char)
            at += 1
        else:
            end = at
            while end < len(text) and text[end] not in _PUNCTUATION and not text[end].isspace():
                end += 1
            tokens.append(text[at:end])
            at = end
    return tokens


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        word = self._peek()
        self._at += 1
        return word

    def requirements(self) -> list[Requirement]:
        if self._peek()[0] in _NO_KEY or self._peek() == "!=":
            raise _Malformed(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        found = [self._understood()]
        while self._peek():
            word = self._take()
            if word != ",":
                raise _Malformed(f"found '{word}', expected: ',' or 'end of string'")
            if not self._peek() or self._peek()[0] in _NO_KEY:
                raise _Malformed(f"found '{self._peek()}', expected: identifier after ','")
            found.append(self._understood())
        return found

    def _understood(self) -> Requirement:
        try:
            return self._requirement()
        except _Malformed as error:
            raise _Malformed(f"unable to parse requirement: {error}") from None

    def _key(self) -> str:
        key = self._take()
        if not key or key[0] in _PUNCTUATION:
            raise _Malformed(f"found '{key}', expected: identifier")
        complaints = qualified_name(key)
        if complaints:
            raise _Malformed(f'key: Invalid value: "{key}": {"; ".join(complaints)}')
        return key

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            key = self._key()
            return lambda labels: key not in labels
        key = self._key()
        operator = self._take()
        if operator in ("", ","):
            self._at -= 1
            return lambda labels: key in labels
        if operator in ("<", ">"):
            return self._comparison(key, operator)
        if operator in ("=", "==", "!="):
            values = frozenset((self._value(key),))
        elif operator in ("in", "notin"):
            values = self._values(key)
        else:
            raise _Malformed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        if operator in ("!=", "notin"):
            return lambda labels: labels.get(key) not in values
        return lambda labels: labels.get(key) in values

    def _value(self, key: str) -> str:
        if self._peek() in ("", ","):
            return ""
        value = self._take()
        if value[0] in _PUNCTUATION:
            raise _Malformed(f"found '{value}', expected: identifier")
        return _checked(key, value)

    def _values(self, key: str) -> frozenset[str]:
        word = self._take()
        if word != "(":
            raise _Malformed(f"found '{word}' expected: '('")
        values: list[str] = []
        expect_value = True
        while True:
            word = self._take()
            if word == "":
                wanted = "',' or ')'" if values else "',', ')' or identifier"
                raise _Malformed(f"found '', expected: {wanted}")
            if word in (",", ")"):
                if expect_value:
                    values.append("")
                if word == ")":
                    return frozenset(values)
                expect_value = True
            elif not expect_value or word[0] in _PUNCTUATION:
                raise _Malformed(f"found '{word}', expected: ',', or ')'")
            else:
                values.append(_checked(key, word))
                expect_value = False

    def _comparison(self, key: str, operator: str) -> Requirement:
        value = self._take()
        try:
            bound = int(value)
        except ValueError:
            raise _Malformed(
                f"values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
            ) from None

        def holds(labels: Mapping[str, str]) -> bool:
            try:
                number = int(labels[key])
            except (KeyError, ValueError):
                return False
            return number > bound if operator == ">" else number < bound

        return holds


def _checked(key: str, value: str) -> str:
    complaints = label_value(value)
    if complaints:
        raise _Malformed(f'values[0][{key}]: Invalid value: "{value}": {"; ".join(complaints)}')
    return value


@lru_cache(maxsize=4096)
def label_predicate(text: str) -> Predicate | None:
    """The documents a label selector finds; None stands for all. Raises ApiError 400 on bad syntax."""
    if not text.strip():
        return None
    try:
        requirements = _Parser(text).requirements()
    except _Malformed as error:
        raise bad_request(str(error)) from None
    if len(requirements) == 1:
        only = requirements[0]
        return lambda document: only(document["metadata"].get("labels") or _NONE)

    def holds(document: Document) -> bool:
        labels = document["metadata"].get("labels") or _NONE
        return all(requirement(labels) for requirement in requirements)

    return holds


def _split_field_terms(text: str) -> list[tuple[str, str, str]]:
    terms = []
    for raw in text.split(","):
        term = raw.strip()
        if not term:
            continue
        for operator in ("!=", "==", "="):
            field, found, value = term.partition(operator)
            if found:
                terms.append((field, operator, value))
                break
        else:
            raise bad_request(f"invalid field selector: invalid selector: '{text}'; can't understand '{term}'")
    return terms


@lru_cache(maxsize=4096)
def field_equalities(text: str) -> tuple[tuple[str, str], ...]:
    """The fields that a selector wants to have one value, with that value."""
    return tuple((field, value) for field, operator, value in _split_field_terms(text) if operator != "!=")


@lru_cache(maxsize=4096)
def label_equalities(text: str) -> tuple[tuple[str, str], ...]:
    """The labels that a well-formed selector wants to have one value, with that value."""
    outside = re.sub(r"\([^)]*\)", "", text).split(",")
    return tuple(found.groups() for term in outside if (found := _EQUALITY.fullmatch(term)))  # type: ignore[misc]


def field_predicate(
    text: str, fields: Mapping[str, FieldGetter], refuse: Callable[[str, str], Exception]
) -> Predicate | None:
    """The documents a field selector finds; ``fields`` are those the kind offers.

    ``refuse(field, value)`` makes the error for a field that the kind does not offer.
    """
    tests: list[tuple[FieldGetter, bool, str]] = []
    for field, operator, value in _split_field_terms(text):
        getter = fields.get(field)
        if getter is None:
            raise refuse(field, value)
        tests.append((getter, operator != "!=", value))
    if not tests:
        return None
    return lambda document: all((getter(document) == value) is wanted for getter, wanted, value in tests)
