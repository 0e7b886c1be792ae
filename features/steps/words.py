"""Durations and counts as people say them."""

import re

from scenarios.errors import BadInput

_UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "millisecond": 0.001}
_LONGEST_S = 366 * 24 * 3600.0  # an idle cluster lives through a year in half a minute
_TERM = re.compile(r"(\d+(?:\.\d+)?) (millisecond|second|minute|hour)s?")


def seconds(words: str) -> float:
    """``5 minutes 10 seconds`` in seconds. Raises BadInput for anything else."""
    total, position = 0.0, 0
    while term := _TERM.match(words, position):
        total += float(term[1]) * _UNITS_S[term[2]]
        position = term.end() + 1
    if total > _LONGEST_S:
        raise BadInput("step", f'"{words}" is too long', "a year at most")
    if not words or position != len(words) + 1:
        raise BadInput("step", f'"{words}" is not a duration', 'words such as "30 seconds" or "5 minutes 10 seconds"')
    return total
