"""Recorded arrivals, from files that people wrote."""

import csv
import json
import re
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

from sim.workload.arrival import Arrival

_LINES_MAX = 10_000_000
_SECONDS_MAX = 3_155_760_000  # a hundred years
_NAME = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_TARGET = re.compile(rf"(?:{_NAME}/)?[A-Z][A-Za-z0-9]{{0,62}}/{_NAME}")


def read_trace(path: Path) -> list[Arrival]:
    """Arrivals from a file, sorted by time.

    ``.csv``: a line is ``seconds`` or ``seconds,target``; a first line that says so is skipped. ``.jsonl``: a line is a
    number or ``{"seconds": 1.5, "target": "team/Deployment/api"}``. Blank lines are skipped. Raises ValueError
    naming file, line and what is expected.
    """
    read = {".csv": _csv_row, ".jsonl": _json_row}.get(path.suffix)
    if read is None:
        raise ValueError(f"{path}: expected a .csv or .jsonl file")
    arrivals: list[Arrival] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, line in enumerate(lines, start=1):
                if number > _LINES_MAX:
                    raise ValueError(f"{path}: expected {_LINES_MAX} lines at most")
                text = line.strip()
                if text and not (number == 1 and text.replace(" ", "") in ("seconds", "seconds,target")):
                    arrivals.append(_row(read, text, f"{path}, line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    arrivals.sort(key=lambda arrival: arrival.at_us)
    return arrivals


def _row(read: Callable[[str], Arrival], text: str, place: str) -> Arrival:
    try:
        return read(text)
    except (ValueError, csv.Error, RecursionError) as error:
        raise ValueError(f"{place}: {error}") from None


def _csv_row(line: str) -> Arrival:
    fields = [field.strip() for field in next(csv.reader([line], strict=True))]
    if not 1 <= len(fields) <= 2:
        raise ValueError(f"expected seconds[,target], not {line!r:.80}")
    try:
        seconds = float(fields[0])
    except ValueError:
        raise ValueError(f"expected seconds as a number, not {fields[0]!r:.80}") from None
    return _arrival(seconds, fields[1] if len(fields) == 2 and fields[1] else None)


def _json_row(line: str) -> Arrival:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(row, dict):
        row = {"seconds": row}
    if not {"seconds"} <= set(row) <= {"seconds", "target"}:
        raise ValueError(f'expected {{"seconds": …, "target": …}}, not {line!r:.80}')
    return _arrival(row["seconds"], row.get("target"))


def _arrival(seconds: Any, target: Any) -> Arrival:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError(f"expected seconds as a number, not {seconds!r:.80}")
    if not (isfinite(seconds) and 0 <= seconds <= _SECONDS_MAX):
        raise ValueError(f"expected seconds between 0 and {_SECONDS_MAX}, not {seconds!r:.80}")
    if target is not None and not (isinstance(target, str) and _TARGET.fullmatch(target)):
        raise ValueError(f"expected a target like namespace/Kind/name, not {target!r:.80}")
    return Arrival(round(seconds * 1_000_000), target)
