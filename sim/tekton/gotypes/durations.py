"""Go's ``time.Duration``: nanoseconds, read and written as Go's standard library does."""

import re
from fractions import Fraction
from functools import lru_cache

_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_NUMBER = re.compile(r"\d*(?:\.\d*)?", re.ASCII)
_UNIT = re.compile(r"[^.0-9]*")
_MOST_NS = 2**63 - 1


@lru_cache(maxsize=1024)
def parse_ns(text: str) -> int:
    """Nanoseconds, negative ones too. Raises ValueError with the text of Go's ``time.ParseDuration``."""
    invalid = f'time: invalid duration "{text:.256}"'
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(invalid)
    total_ns = 0
    while rest:
        number = _NUMBER.match(rest)
        digits = number[0] if number else ""
        if not digits or digits == ".":
            raise ValueError(invalid)
        rest = rest[len(digits) :]
        unit = (_UNIT.match(rest) or [""])[0]
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text:.256}"')
        if unit not in _UNIT_NS:
            raise ValueError(f'time: unknown unit "{unit:.64}" in duration "{text:.256}"')
        rest = rest[len(unit) :]
        whole, _, decimals = digits.partition(".")
        fraction = Fraction(int(decimals), 10 ** len(decimals)) if decimals else Fraction(0)
        total_ns += int(whole or 0) * _UNIT_NS[unit] + int(fraction * _UNIT_NS[unit])
        if total_ns > _MOST_NS:
            raise ValueError(invalid)
    return -total_ns if text[0] == "-" else total_ns


@lru_cache(maxsize=1024)
def format_ns(ns: int) -> str:
    """As ``Duration.String``: ``1h30m0s``, ``1.5s``, ``-2m0s``, ``0s``."""
    if ns < 0:
        return "-" + format_ns(-ns)
    if ns == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if ns < size * 1000 and ns < 1_000_000_000:
            return f"{_decimal(ns, size)}{unit}"
    minutes, rest_ns = divmod(ns, _UNIT_NS["m"])
    seconds = f"{_decimal(rest_ns, _UNIT_NS['s'])}s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(ns: int, unit_ns: int) -> str:
    whole, rest = divmod(ns, unit_ns)
    if not rest:
        return str(whole)
    return f"{whole}.{rest:0{len(str(unit_ns)) - 1}d}".rstrip("0")
