"""Time on an axis: which unit to use, and how to write an instant on a logarithmic axis."""


def unit(longest_s: float) -> tuple[float, str]:
    """Seconds per unit and the unit's name, so that the longest time is a number people read."""
    if longest_s < 1:
        return 0.001, "ms"
    if longest_s < 900:
        return 1.0, "s"
    if longest_s < 4 * 3600:
        return 60.0, "min"
    if longest_s < 4 * 86400:
        return 3600.0, "h"
    return 86400.0, "days"


def spoken(seconds: float) -> str:
    """A time in its own unit, three digits at most: ``4.3 ms``, ``15 s``, ``17 min``, ``3.2 h``."""
    return _written(seconds, "g")


def aligned(seconds: float) -> str:
    """As :func:`spoken`, but always three digits, for tables: ``4.30 ms``, ``15.0 s``."""
    return _written(seconds, "#g")


def _written(seconds: float, form: str) -> str:
    for limit, size, name in (
        (1e-3, 1e-6, "µs"),
        (1, 1e-3, "ms"),
        (900, 1, "s"),
        (14400, 60, "min"),
        (345600, 3600, "h"),
    ):
        if abs(seconds) < limit:
            return f"{_three(seconds / size, form)} {name}" if seconds else "0 s"
    return f"{_three(seconds / 86400, form)} days"


def _three(number: float, form: str) -> str:
    if abs(number) >= 99.95:
        return f"{number:,.0f}"
    return f"{number:{form.replace('g', '.3g')}}"
