"""Building the report: every file of it, or none.

One record gives its files in the output directory; several give a folder each and an ``index.html`` that leads to them.
"""

import shutil
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from reports.cucumber import to_cucumber
from reports.figures import draw
from reports.html import to_html, to_index
from reports.junit import to_junit
from reports.record import Record, read
from reports.summary import summarise, to_json
from reports.trace import write_trace

FILES = ("report.html", "report.json", "junit.xml", "cucumber.json", "trace.json")


class ReportError(Exception):
    """The report cannot be written. Its text is one line that names the place and the cause."""


def build(record_paths: Sequence[str | Path], out_dir: str | Path) -> list[Path]:
    """Write the reports of the records into ``out_dir``, which is made if need be; answers the written files.

    All records are read before anything is written, and every file takes its place whole: a failure leaves what was
    there before. Raises RecordError for a record that cannot be read, ReportError for a place that cannot be written.
    """
    out_dir = Path(out_dir)
    if not record_paths:
        raise ReportError("no record to report on: expected at least one RECORD.jsonl")
    records = [read(path) for path in record_paths]
    made = not out_dir.exists()
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        # Inside the directory, so that moving a finished file is one rename on one file system.
        staging = Path(tempfile.mkdtemp(prefix=".report-", dir=out_dir))
    except OSError as error:
        raise _unwritable(out_dir, error) from error
    try:
        names = _write_all(records, staging)
        for folder in dict.fromkeys(name.parent for name in names):
            (out_dir / folder).mkdir(exist_ok=True)
        for name in names:
            (staging / name).replace(out_dir / name)
    except OSError as error:
        raise _unwritable(out_dir, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if made and not any(out_dir.iterdir()):
            out_dir.rmdir()
    return [out_dir / name for name in names]


def _unwritable(out_dir: Path, error: OSError) -> ReportError:
    return ReportError(f"{out_dir}: cannot be written: {error.strerror or error}; expected a writable directory")


def _write_all(records: list[Record], staging: Path) -> list[Path]:
    if len(records) == 1:
        _write(records[0], staging)
        return [Path(name) for name in FILES]
    names: list[Path] = []
    entries: list[tuple[str, dict[str, Any]]] = []
    for folder, record in zip(_folders(records), records, strict=True):
        (staging / folder).mkdir()
        entries.append((folder, _write(record, staging / folder)))
        names += [Path(folder, name) for name in FILES]
    (staging / "index.html").write_text(to_index(entries), encoding="utf-8")
    return [Path("index.html"), *names]


def _write(record: Record, folder: Path) -> dict[str, Any]:
    summary = summarise(record)
    drawings = [draw(scenario) for scenario in record.scenarios]
    page, numbers, junit, cucumber, trace = (folder / name for name in FILES)
    page.write_text(to_html(summary, drawings, list(FILES[1:])), encoding="utf-8")
    numbers.write_text(to_json(summary), encoding="utf-8")
    junit.write_bytes(to_junit(summary))
    cucumber.write_text(to_cucumber(summary), encoding="utf-8")
    write_trace(record, trace)
    return summary


def _folders(records: list[Record]) -> list[str]:
    """A folder name per record: its file's stem, numbered where two are alike."""
    names: list[str] = []
    for record in records:
        stem = record.path.stem.lstrip(".") or "record"
        candidates = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        names.append(next(name for name in candidates if name not in names))
    return names
