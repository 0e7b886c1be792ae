"""Times of API objects, read and written as Go's ``metav1.Time`` and ``metav1.MicroTime`` are."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_SECONDS = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_WRITTEN = {False: re.compile(_SECONDS + "Z"), True: re.compile(_SECONDS + r"\.[0-9]{6}Z")}
_LAYOUTS = {False: "2006-01-02T15:04:05Z07:00", True: "2006-01-02T15:04:05.000000Z07:00"}
_ZONE = ("Z07:00", re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}"), "", 0)
_DATE = tuple(
    (element, re.compile(pattern), name, most)
    for element, pattern, name, most in (
        ("2006", "[0-9]{4}", "", 0),
        ("-", "-", "", 0),
        ("01", "[0-9]{2}", "month", 12),
        ("-", "-", "", 0),
        ("02", "[0-9]{2}", "", 0),
        ("T", "T", "", 0),
        ("15", "[0-9]{1,2}", "hour", 23),
        (":", ":", "", 0),
        ("04", "[0-9]{2}", "minute", 59),
        (":", ":", "", 0),
        ("05", "[0-9]{2}", "second", 59),
    )
)
_PARTS = {
    False: (*_DATE, ("", re.compile(r"(?:[.,][0-9]+)?"), "", 0), _ZONE),
    True: (*_DATE, (".000000", re.compile(r"[.,][0-9]{6}"), "", 0), _ZONE),
}
"""What stands one after the other: the element of Go's layout, its form, its name, and the most it may be."""


@lru_cache(maxsize=4096)
def canonical(text: str, *, micro: bool) -> str:
    """``text`` in UTC, with as many digits as Go writes: none below the second, or six where ``micro``.

    Raises ValueError in Go's words.
    """
    at, hour = 0, ""
    for element, pattern, name, most in _PARTS[micro]:
        found = pattern.match(text, at)
        if found is None:
            raise ValueError(f'parsing time "{text}" as "{_LAYOUTS[micro]}": cannot parse "{text[at:]}" as "{element}"')
        if name and (int(found[0]) > most or (name == "month" and found[0] == "00")):
            raise ValueError(f'parsing time "{text}": {name} out of range')
        if name == "hour":
            hour = found[0]
        at = found.end()
    if at < len(text):
        raise ValueError(f'parsing time "{text}": extra text: "{text[at:]}"')
    if len(hour) == 1:
        return canonical(text.replace(f"T{hour}:", f"T0{hour}:"), micro=micro)
    try:
        found_at = datetime.fromisoformat(text.replace(",", "."))
        if _WRITTEN[micro].fullmatch(text) is None:
            unzoned = found_at.astimezone(UTC).replace(tzinfo=None)
            text = f"{unzoned.isoformat(timespec='microseconds' if micro else 'seconds')}Z"
        return text
    except (ValueError, OverflowError):
        raise ValueError(f'parsing time "{text}": day out of range') from None
