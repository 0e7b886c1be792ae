"""The table of situations as text: one block a situation, both releases in one where they agree."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scenarios.golden.recording import release_number
from scenarios.situations.row import Row

_WIDTHS = (57, 11, 36, 6)
_PASSING = re.compile(r" after \d\w* with |\b127\.0\.0\.1:\d+|\bbundles-[0-9a-f]{32}\b")
_REPEAT = re.compile(r"-\d+$")
_STARTED = {None: "", True: "yes", False: "no"}


def text(rows: Iterable[Row]) -> str:
    """A line of facts for each situation; under it Tekton's own verdict and the summary, word for word."""
    lines = [_line("situation", "Tekton", "execution", "ran", "noticed after"), "-" * 125]
    for group in grouped(rows):
        lines += ["", *_block(group)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def grouped(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that differ in nothing but release, times, addresses and the number of a repeat, together, by situation."""
    groups: dict[Row, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.situation, release_number(row.version))):
        summary, verdict = _PASSING.sub("", row.summary), _PASSING.sub("", row.verdict)
        situation = _REPEAT.sub("", row.situation)
        groups.setdefault(
            replace(row, situation=situation, version="", noticed_us=None, summary=summary, verdict=verdict), []
        ).append(row)
    yield from groups.values()


def releases(group: Sequence[Row]) -> str:
    """``1.7, 1.15``"""
    versions = sorted({row.version for row in group}, key=release_number)
    return ", ".join(version.removeprefix("v").removesuffix(".0") for version in versions)


def situations(group: Sequence[Row]) -> str:
    """The name; of repeats, the first and how many there are."""
    names = list(dict.fromkeys(row.situation for row in group))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def noticed(group: Sequence[Row]) -> str:
    """``12 ms`` or ``12 to 15 ms``; empty for what was not noticed."""
    times = sorted({round(row.noticed_us / 1000) for row in group if row.noticed_us is not None})
    if not times:
        return ""
    return f"{times[0]} ms" if len(times) == 1 else f"{times[0]} to {times[-1]} ms"


def _block(group: Sequence[Row]) -> Iterator[str]:
    row = group[0]
    ended = f"{row.phase}/{row.reason}" if row.reason else row.phase
    yield _line(situations(group), releases(group), ended, _STARTED[row.started], noticed(group))
    if row.verdict:
        yield f"    Tekton: {row.verdict}"
    elif row.evidence:
        yield f"    {row.evidence}"
    yield from (f"    | {line}" for line in row.summary.splitlines())


def _line(*cells: str) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, (*_WIDTHS, 0), strict=True))
