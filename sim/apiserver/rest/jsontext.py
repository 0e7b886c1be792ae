"""JSON as the API server's decoder reads it: the same values, the same tolerance, the same complaints."""

import json
import re
from typing import Any

import orjson

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_WHOLE = re.compile(r"0|[1-9][0-9]*")
_FRACTION = re.compile(r"\.([0-9]*)")
_EXPONENT = re.compile(r"[eE][+-]?([0-9]*)")
_ESCAPE = re.compile(r"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|(u[dD][89a-fA-F]..)|.)")
_LITERALS = ("true", "false", "null")
_END = "unexpected end of JSON input"
_DEPTH_MAX = 10_000


def read_json(body: bytes) -> Any:
    """The value that ``body`` is. Bytes and escapes that are no text become U+FFFD, huge integers floats.

    Raises ValueError in the words of Go's encoding/json, and RecursionError for what nobody nests so deeply.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace")
    complaint = _complaint(body.decode("utf-8", "surrogateescape") + " ")  # so does Go find the end of numbers
    if complaint:
        raise ValueError(complaint)
    return json.loads(_ESCAPE.sub(_as_text, text), parse_int=_integer)


def _as_text(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape[2] else escape[0]


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)


def _complaint(text: str) -> str:
    """What is wrong first; empty when nothing is."""
    closers: list[str] = []
    at = _skipped(text, 0)
    wanted = "value"
    while True:
        if wanted == "value":
            if text[at : at + 1] and text[at] in "[{":
                closers.append("]" if text[at] == "[" else "}")
                if len(closers) > _DEPTH_MAX:
                    return "exceeded max depth"
                at = _skipped(text, at + 1)
                if text[at : at + 1] == closers[-1]:
                    closers.pop()
                    at = _skipped(text, at + 1)
                    wanted = "more"
                else:
                    wanted = "value" if closers[-1] == "]" else "key"
                continue
            at, wrong = _scalar(text, at)
            wanted = "more"
        elif wanted == "key":
            at, wrong = _key(text, at)
            wanted = "value"
        else:
            if not closers:
                return _strange(text, at, "after top-level value") if at < len(text) else ""
            at, wanted, wrong = _after(text, at, closers)
        if wrong:
            return wrong
        at = _skipped(text, at)


def _after(text: str, at: int, closers: list[str]) -> tuple[int, str, str]:
    """After an element: the next one, or the end of what holds it."""
    found, closer = text[at : at + 1], closers[-1]
    if found == closer:
        closers.pop()
        return at + 1, "more", ""
    if found == ",":
        return at + 1, "value" if closer == "]" else "key", ""
    return at, "", _strange(text, at, "after array element" if closer == "]" else "after object key:value pair")


def _key(text: str, at: int) -> tuple[int, str]:
    if text[at : at + 1] != '"':
        return at, _strange(text, at, "looking for beginning of object key string")
    at, wrong = _string(text, at)
    at = _skipped(text, at)
    if not wrong and text[at : at + 1] != ":":
        wrong = _strange(text, at, "after object key")
    return at + 1, wrong


def _scalar(text: str, at: int) -> tuple[int, str]:
    first = text[at : at + 1]
    if first == '"':
        return _string(text, at)
    if first and first in "-0123456789":
        return _number(text, at)
    for literal in _LITERALS:
        if first == literal[0]:
            for offset, letter in enumerate(literal):
                if text[at + offset : at + offset + 1] != letter:
                    return at, _strange(text, at + offset, f"in literal {literal} (expecting '{letter}')")
            return at + len(literal), ""
    return at, _strange(text, at, "looking for beginning of value")


def _string(text: str, at: int) -> tuple[int, str]:
    end = _STRING.match(text, at).end()  # type: ignore[union-attr]  # the quote is there
    found = text[end : end + 1]
    if found == '"':
        return end + 1, ""
    if found != "\\":
        return end, _strange(text, end, "in string literal")
    if text[end + 1 : end + 2] != "u":
        return end, _strange(text, end + 1, "in string escape code")
    wrong = next(i for i in range(end + 2, end + 7) if text[i : i + 1] not in tuple("0123456789abcdefABCDEF"))
    return end, _strange(text, wrong, r"in \u hexadecimal character escape")


def _number(text: str, at: int) -> tuple[int, str]:
    at += text[at] == "-"
    whole = _WHOLE.match(text, at)
    if whole is None:
        return at, _strange(text, at, "in numeric literal")
    at = whole.end()
    for part, where in (
        (_FRACTION, "after decimal point in numeric literal"),
        (_EXPONENT, "in exponent of numeric literal"),
    ):
        found = part.match(text, at)
        if found is not None:
            at = found.end()
            if not found[1]:
                return at, _strange(text, at, where)
    return at, ""


def _skipped(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches nothing, too


def _strange(text: str, at: int, where: str) -> str:
    if at >= len(text):
        return _END
    found = chr(text[at].encode("utf-8", "surrogateescape")[0])  # the decoder looks at bytes
    shown = {"'": r"\'", '"': '"', "\\": r"\\"}.get(found) or (
        found if found.isprintable() else json.dumps(found)[1:-1].replace(r"\u00", r"\x")
    )
    return f"invalid character '{shown}' {where}"
