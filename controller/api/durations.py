"""Go durations, as the API spells them: ``1h30m``, ``45s``, ``500ms``."""

import re
from decimal import Decimal

_UNITS_S = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_PART = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h)"
_WHOLE = re.compile(rf"(?:{_PART})+", re.ASCII)
_PARTS = re.compile(r"([0-9.]+)([a-zµμ]+)")
_TEXT_LIMIT = 64


def parse_duration(text: str) -> float:
    """Seconds of a positive Go duration. Raises ValueError for anything else, zero included."""
    if len(text) > _TEXT_LIMIT or _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{text[:_TEXT_LIMIT]!r} is not a duration such as 30m or 1h30m")
    total = sum((Decimal(number) * _UNITS_S[unit] for number, unit in _PARTS.findall(text)), Decimal(0))
    if total <= 0:
        raise ValueError(f"{text!r} is not a positive duration")
    return float(total)


def format_duration(seconds: float) -> str:
    """As Go prints a duration rounded to the second: ``0s``, ``45s``, ``1m30s``, ``1h0m5s``."""
    whole = max(0, int(seconds + 0.5))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
