"""Durations as Go and Kubernetes write them, in integer microseconds."""

import re
from fractions import Fraction

_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, as Go prints it
    "μs": 1_000,  # U+03BC, as keyboards type it
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TERM = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_TEXT_MAX = 64
_US_MAX = 2**63 // 1000  # Go keeps nanoseconds in an int64: about 292 years


def parse_us(text: object) -> int:
    """Read ``250ms``, ``1m30s``, ``1.5h`` or ``0`` as whole microseconds, rounded to the nearest.

    Raises ValueError, one line, for anything else: no unit, a sign, more than 292 years.
    """
    if text == 0 and not isinstance(text, bool):
        return 0  # YAML reads a bare 0 as a number
    if not isinstance(text, str):
        raise ValueError(f"{text!r:.{_TEXT_MAX}} is not a duration: write a number with a unit, such as 250ms or 1m30s")
    if text == "0":
        return 0
    if text.startswith("-"):
        raise ValueError(f"duration {text!r:.{_TEXT_MAX}} is negative")
    total_ns, position = Fraction(0), 0
    if len(text) <= _TEXT_MAX:
        while term := _TERM.match(text, position):
            total_ns += Fraction(term[1]) * _UNIT_NS[term[2]]
            position = term.end()
    if not text or position != len(text):
        raise ValueError(f"{text!r:.{_TEXT_MAX}} is not a duration: write it like 250ms, 2s or 1m30s")
    total_us = round(total_ns / 1_000)
    if total_us > _US_MAX:
        raise ValueError(f"duration {text!r} is longer than 292 years")
    return total_us


def format_us(us: int) -> str:
    """Write whole microseconds the way Go prints a duration: ``1m30s``, ``1.5s``, ``250ms``, ``7µs``, ``0s``."""
    if us < 1_000_000:
        if us == 0:
            return "0s"
        return f"{us}µs" if us < 1_000 else f"{_decimal(us, 1_000)}ms"
    minutes, rest_us = divmod(us, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest_us, 1_000_000)}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".")
