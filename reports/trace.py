"""The spans of a record in the trace event format, to be opened in ui.perfetto.dev or chrome://tracing.

A process is a scenario, a thread is a lane of one execution. Timestamps are virtual microseconds since the
scenario's world began. Source of the format: the Trace Event Format document of the Chromium project.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reports.lines import Span
from reports.record import Record, ScenarioRecord
from reports.text import clean


def write_trace(record: Record, path: str | Path) -> None:
    """Write the trace as one JSON object, one event a line. Raises OSError."""
    with Path(path).open("w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit":"ms","otherData":')
        other = {"seed": str(record.run.seed), "backend": clean(record.run.backend), "epoch": clean(record.run.epoch)}
        file.write(json.dumps(other, separators=(",", ":")))
        file.write(',"traceEvents":[')
        separator = "\n"
        for scenario in record.scenarios:
            for event in _events(scenario):
                file.write(separator + json.dumps(event, separators=(",", ":")))
                separator = ",\n"
        file.write("\n]}\n")


def _events(scenario: ScenarioRecord) -> Iterator[dict[str, Any]]:
    pid = scenario.head.id
    if not scenario.spans:
        return
    yield _named("process_name", pid, 0, name=clean(f"{scenario.head.feature}: {scenario.head.name}"))
    yield _named("process_sort_index", pid, 0, sort_index=pid)
    threads: dict[tuple[str, str], int] = {}
    for span in scenario.spans:
        lane = (span.execution, span.lane)
        tid = threads.get(lane)
        if tid is None:
            tid = threads[lane] = len(threads) + 1
            yield _named("thread_name", pid, tid, name=clean(f"{span.execution} · {span.lane}"))
            yield _named("thread_sort_index", pid, tid, sort_index=tid)
        yield _complete(span, pid, tid, scenario.end.virtual_us)


def _complete(span: Span, pid: int, tid: int, world_end_us: int) -> dict[str, Any]:
    """One bar. What was still open ends where the world did, and says so."""
    end_us = max(world_end_us, span.start_us) if span.end_us is None else span.end_us
    return {
        "ph": "X",
        "pid": pid,
        "tid": tid,
        "ts": span.start_us,
        "dur": end_us - span.start_us,
        "name": clean(span.name),
        "cat": span.status,
        "args": {"execution": clean(span.execution), "status": span.status, "open": span.end_us is None},
    }


def _named(what: str, pid: int, tid: int, **args: str | int) -> dict[str, Any]:
    return {"ph": "M", "pid": pid, "tid": tid, "name": what, "args": args}
