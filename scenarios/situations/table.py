"""The table of situations as text: one block a situation, both releases in one where they agree."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scenarios.situations.row import Row

_WIDTHS = (50, 11, 36, 6)
_STARTED = {None: "", True: "yes", False: "no"}


def text(rows: Iterable[Row]) -> str:
    """A line of facts for each situation; under it Tekton's own verdict and the summary, word for word."""
    lines = [_line("situation", "Tekton", "execution", "ran", "noticed after"), "-" * 120]
    for group in grouped(rows):
        lines += ["", *_block(group)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def grouped(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows of one situation that differ in nothing but release and time, together; in the order of their first."""
    groups: dict[Row, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.situation, _number(row.version))):
        groups.setdefault(replace(row, version="", noticed_us=None), []).append(row)
    yield from groups.values()


def releases(group: Sequence[Row]) -> str:
    """``1.7, 1.15``"""
    return ", ".join(row.version.removeprefix("v").removesuffix(".0") for row in group)


def noticed(group: Sequence[Row]) -> str:
    """``12 ms`` or ``12 to 15 ms``; empty for what was not noticed."""
    times = sorted({round(row.noticed_us / 1000) for row in group if row.noticed_us is not None})
    if not times:
        return ""
    return f"{times[0]} ms" if len(times) == 1 else f"{times[0]} to {times[-1]} ms"


def _block(group: Sequence[Row]) -> Iterator[str]:
    row = group[0]
    ended = f"{row.phase}/{row.reason}" if row.reason else row.phase
    yield _line(row.situation, releases(group), ended, _STARTED[row.started], noticed(group))
    if row.verdict:
        yield f"    Tekton: {row.verdict}"
    elif row.evidence:
        yield f"    {row.evidence}"
    yield from (f"    | {line}" for line in row.summary.splitlines())


def _line(*cells: str) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, (*_WIDTHS, 0), strict=True))


def _number(version: str) -> list[int]:
    return [int(part) for part in version.removeprefix("v").split(".")]
