"""JSON as Go's ``encoding/json`` writes it and complains about it: Tekton's texts quote both."""

import json
import re
from typing import Any

from sim.tekton.goformat import escaped

_LITERALS = {"t": "true", "f": "false", "n": "null"}
_SPACE = " \t\r\n"
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPE = re.compile("[<>&\u2028\u2029]")
_KINDS = ((dict, "object"), (list, "array"), (str, "string"), (bool, "bool"), (int, "number"), (float, "number"))


def compact(value: Any) -> str:
    """``value`` on one line, with what HTML could mistake for markup escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return _ESCAPE.sub(lambda match: _ESCAPED[match[0]], text)


def kind_of(value: Any) -> str:
    """What Go calls the kind of a JSON value."""
    return next((name for type_, name in _KINDS if isinstance(value, type_)), "null")


def complaint(text: str) -> str:
    """What is wrong with a text that is no JSON."""
    start = len(text) - len(text.lstrip(_SPACE))
    if start == len(text):
        return "unexpected end of JSON input"
    literal = _LITERALS.get(text[start])
    if literal is not None:
        return _in_literal(text[start:], literal)
    try:
        _, end = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError as error:
        return _at(text, start, start + error.pos)
    except RecursionError:
        return "exceeded max depth"
    return f"invalid character {_character(text[start:][end:].lstrip(_SPACE)[:1])} after top-level value"


def _in_literal(text: str, literal: str) -> str:
    for wanted, found in zip(literal, text, strict=False):
        if wanted != found:
            return f"invalid character {_character(found)} in literal {literal} (expecting '{wanted}')"
    if len(text) < len(literal):
        return "unexpected end of JSON input"
    return f"invalid character {_character(text[len(literal) :].lstrip(_SPACE)[:1])} after top-level value"


def _at(text: str, start: int, position: int) -> str:
    if position >= len(text) or text[position] == '"':
        return "unexpected end of JSON input"
    if position == start or text[position - 1] in "[:,{":
        return f"invalid character {_character(text[position])} looking for beginning of value"
    return f"invalid character {_character(text[position])} after array element"


def _character(one: str) -> str:
    return {"'": r"'\''", '"': "'\"'"}.get(one, f"'{escaped(one)}'")
