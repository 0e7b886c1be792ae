"""``x-kubernetes-validations``: CEL rules of a structural schema, compiled once, evaluated where something changed.

Ratcheting, as in 1.33 and later: an ordinary rule is not applied to a value that did not change. A transition rule
(one that names ``oldSelf``) needs an old value and is always applied; the result for an unchanged value is remembered.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import cel
from cel.stdlib import add_stdlib_to_context

from sim.apiserver.causes import ruled_out
from sim.apiserver.errors import Cause

_REMEMBERED = 4096
_REFLEXIVE = re.compile(r"\s*(self\s*==\s*oldSelf|oldSelf\s*==\s*self)\s*")
_TRANSITION = re.compile(r"\boldSelf\b")


class RuleError(ValueError):
    """A rule that does not compile; names the rule and the compiler's complaint."""


class Rule:
    """One entry of ``x-kubernetes-validations``."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        source: str = entry["rule"]
        self.is_transition = _TRANSITION.search(source) is not None
        self._is_equality = _REFLEXIVE.fullmatch(source) is not None
        self._program = _compile(source)
        expression = entry.get("messageExpression")
        self._message_program = _compile(expression) if expression else None
        self._message = (entry.get("message") or "").strip() or f"failed rule: {source.strip()}"
        self._source = source.strip()
        self._reason: str = entry.get("reason") or "FieldValueInvalid"
        self._field_path: str = entry.get("fieldPath") or ""
        self._context = _context()
        self._remembered: dict[tuple[int, int], tuple[Any, Any, str | None]] = {}

    def check(self, value: Any, old: Any, field: str) -> Cause | None:
        """``old`` is the value before, or None on create; transition rules are called only with one."""
        if self._is_equality and value is old:
            return None  # holds for whatever it is: nothing to compute
        complaint = self._evaluate_once(value, old)
        if complaint is None:
            return None
        return ruled_out((field + self._field_path).lstrip("."), self._reason, value, complaint)

    def _evaluate_once(self, value: Any, old: Any) -> str | None:
        key = (id(value), id(old))
        found = self._remembered.get(key)
        if found is not None:
            return found[2]
        complaint = self._evaluate(value, old)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = (value, old, complaint)  # holds both, so that their ids stay theirs
        return complaint

    def _evaluate(self, value: Any, old: Any) -> str | None:
        variables = {"self": value, "oldSelf": old} if self.is_transition else {"self": value}
        try:
            self._context.update(variables)
            if self._program.execute(self._context) is True:
                return None
        except (RuntimeError, TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
            text = f"no such key: {error.args[0]}" if isinstance(error, KeyError) else str(error).split(":", 1)[0]
            return f"{text} evaluating rule: {self._message}"
        return self._explain(variables)

    def _explain(self, variables: Mapping[str, Any]) -> str:
        if self._message_program is None:
            return self._message
        try:
            self._context.update(dict(variables))
            text = self._message_program.execute(self._context)
        except (RuntimeError, TypeError, ValueError, KeyError, IndexError, ArithmeticError):
            return self._message
        usable = isinstance(text, str) and text.strip() and "\n" not in text and len(text) <= 5120
        return text.strip() if usable else self._message


Check = Callable[[Any, Any, str, list[Cause]], None]
"""``check(value, old, field, causes)``: applies the rules at and below a value; appends what they find."""


def compile_rules(schema: Mapping[str, Any]) -> Check | None:
    """None where a schema has no rules at all. Raises RuleError for a rule that does not compile."""
    rules = tuple(Rule(entry) for entry in schema.get("x-kubernetes-validations") or ())
    properties = {
        key: check for key, child in (schema.get("properties") or {}).items() if (check := compile_rules(child))
    }
    additional = schema.get("additionalProperties")
    rest = compile_rules(additional) if isinstance(additional, Mapping) else None
    items = compile_rules(schema["items"]) if schema.get("items") else None
    if not (rules or properties or rest or items):
        return None
    in_list = _item_checking(items, schema.get("x-kubernetes-list-map-keys")) if items else None
    return _checking(rules, properties, rest, in_list)


def _checking(
    rules: tuple[Rule, ...],
    properties: Mapping[str, Check],
    rest: Check | None,
    in_list: Check | None,
) -> Check:
    transitions = tuple(rule for rule in rules if rule.is_transition)

    def check(value: Any, old: Any, field: str, causes: list[Cause]) -> None:
        if not rules:
            applied = rules
        elif old is None:
            applied = tuple(rule for rule in rules if not rule.is_transition)
        else:
            applied = transitions if value is old or value == old else rules
        for rule in applied:
            cause = rule.check(value, old, field)
            if cause is not None:
                causes.append(cause)
        if type(value) is dict:
            before = old if type(old) is dict else {}
            for key, child in properties.items():
                if (item := value.get(key)) is not None:
                    child(item, before.get(key), f"{field}.{key}", causes)
            if rest is not None:
                for key, item in value.items():
                    if key not in properties and item is not None:
                        rest(item, before.get(key), f"{field}[{key}]", causes)
        elif in_list is not None and type(value) is list:
            in_list(value, old, field, causes)

    return check


def _item_checking(items: Check, map_keys: Sequence[str] | None) -> Check:
    """Only items of a list with map keys have a predecessor that ``oldSelf`` can name."""
    keys = tuple(map_keys or ())

    def check(value: Any, old: Any, field: str, causes: list[Cause]) -> None:
        before: dict[tuple[Any, ...], Any] = {}
        if keys and type(old) is list:
            before = {tuple(item.get(key) for key in keys): item for item in old if type(item) is dict}
        for index, item in enumerate(value):
            known = before and type(item) is dict
            counterpart = before.get(tuple(item.get(key) for key in keys)) if known else None
            items(item, counterpart, f"{field}[{index}]", causes)

    return check


def _compile(source: str) -> cel.Program:
    try:
        return cel.compile(source)
    except ValueError as error:
        raise RuleError(f"{source!r} does not compile: {error}") from error


def _context() -> cel.Context:
    context = cel.Context()
    add_stdlib_to_context(context)
    context.add_function("find", _find)
    context.add_function("findAll", lambda text, pattern: [match.group(0) for match in re.finditer(pattern, text)])
    context.add_function("isSorted", lambda values: all(a <= b for a, b in pairwise(values)))
    return context


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group(0) if match else ""


class Expression:
    """An expression over named variables. Raises RuleError where it does not compile."""

    def __init__(self, source: str) -> None:
        self._program = _compile(source)
        self._context = _context()

    def value(self, variables: Mapping[str, Any]) -> Any:
        """Raises ValueError with CEL's complaint."""
        try:
            self._context.update(dict(variables))
            return self._program.execute(self._context)
        except (RuntimeError, TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
            text = f"no such key: {error.args[0]}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
            raise ValueError(text) from None


class Conditions:
    """``matchConditions`` of a webhook or policy: all have to hold."""

    def __init__(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        self._expressions = [Expression(one["expression"]) for one in conditions]

    def hold(self, variables: Mapping[str, Any]) -> bool:
        """One that does not hold decides, whatever cannot be told of others. Raises ValueError."""
        complaint: ValueError | None = None
        for expression in self._expressions:
            try:
                if expression.value(variables) is not True:
                    return False
            except ValueError as error:
                complaint = complaint or error
        if complaint is not None:
            raise complaint
        return True
