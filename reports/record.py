"""Reading a record: one pass over its lines, or one clear sentence about what is wrong with it."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from reports import lines
from reports.text import clean

_LINE_LIMIT_BYTES = 4 * 1024 * 1024  # far above any honest line; a file without newlines must not fill the memory
_parse = TypeAdapter[lines.AnyLine](Annotated[lines.AnyLine, Field(discriminator="kind")]).validate_json


class RecordError(Exception):
    """The record cannot be read. Its text is one line: file, line number, field and the expected form."""


@dataclass(slots=True)
class ScenarioRecord:
    """All lines of one scenario, in the order they were written; ``wall_seconds`` None when nobody measured."""

    head: lines.Scenario
    steps: list[lines.Step] = field(default_factory=list)
    executions: list[lines.Execution] = field(default_factory=list)
    routing: lines.Routing | None = None
    remediations: list[lines.Remediation] = field(default_factory=list)
    situations: list[lines.Situation] = field(default_factory=list)
    spans: list[lines.Span] = field(default_factory=list)
    calls: list[lines.Calls] = field(default_factory=list)
    requests: int = 0
    end: lines.ScenarioEnd = field(init=False)
    wall_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record. ``wall_seconds`` comes from the file beside it and is None without one."""

    path: Path
    run: lines.Run
    scenarios: list[ScenarioRecord]
    wall_seconds: float | None


def read(path: str | Path) -> Record:
    """Read RECORD.jsonl and, if it is there, RECORD.wall.json beside it. Raises RecordError."""
    path = Path(path)
    try:
        with path.open("rb") as file, _all_kept():
            run, scenarios = _Reader(path, file).read()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from error
    wall = _read_wall(path.with_suffix(".wall.json"))
    if wall is not None:
        for scenario in scenarios:
            scenario.wall_seconds = wall.scenarios.get(str(scenario.head.id))
    return Record(path, run, scenarios, None if wall is None else wall.wall_seconds)


@contextmanager
def _all_kept() -> Iterator[None]:
    """No search for garbage meanwhile: there is none among what is read, and looking for it costs most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Reader:
    """Holds the place in the file, so that every complaint can name it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._number = 0

    def read(self) -> tuple[lines.Run, list[ScenarioRecord]]:
        rows = self._rows()
        run = next(rows, None)
        if run is None:
            raise RecordError(f'{self._path}: is empty; expected a record, whose first line has kind "run"')
        if not isinstance(run, lines.Run):
            raise self._error("kind", 'expected "run" on the first line')
        scenarios: list[ScenarioRecord] = []
        current: ScenarioRecord | None = None
        for row in rows:
            if isinstance(row, lines.End):
                self._finish(row, scenarios, current, rows)
                return run, scenarios
            if isinstance(row, lines.Run):
                raise self._error("kind", 'expected "run" on the first line only')
            if isinstance(row, lines.Scenario):
                current = self._begin(row, len(scenarios), current)
            elif current is None:
                raise self._error("kind", f'expected "scenario" or "end", found "{row.kind}" outside a scenario')
            elif self._add(row, current):
                scenarios.append(current)
                current = None
        raise RecordError(
            f'{self._path}: truncated after line {self._number}: its last line must have kind "end";'
            " the run did not finish or the file was cut"
        )

    def _begin(self, row: lines.Scenario, before: int, open_: ScenarioRecord | None) -> ScenarioRecord:
        if open_ is not None:
            raise self._error("kind", f'expected "scenario_end" of scenario {open_.head.id} before the next one')
        if row.id != before + 1:
            raise self._error("id", f"expected {before + 1}, the next scenario, found {row.id}")
        return ScenarioRecord(row)

    def _add(self, row: lines.ScenarioLine, to: ScenarioRecord) -> bool:
        """Put the line into its scenario; True when it was the scenario's last."""
        if row.scenario != to.head.id:
            raise self._error(
                "scenario", f"expected {to.head.id}, the scenario these lines belong to, found {row.scenario}"
            )
        if isinstance(row, lines.Execution):
            to.executions.append(row)
        elif isinstance(row, lines.Remediation):
            to.remediations.append(row)
        elif isinstance(row, lines.Routing):
            to.routing = row
        elif isinstance(row, lines.Situation):
            to.situations.append(row)
        elif isinstance(row, lines.ScenarioEnd):
            self._end(row, to)
            return True
        elif isinstance(row, lines.Calls):
            to.calls.append(row)
        elif isinstance(row, lines.Outside):
            self._outside(row, to)
        else:
            if row.end_us is not None and row.end_us < row.start_us:
                raise self._error("end_us", f"expected {row.start_us} (start_us) or more, found {row.end_us}")
            if isinstance(row, lines.Step):
                to.steps.append(row)
            else:
                to.spans.append(row)
        return False

    def _outside(self, row: lines.Outside, to: ScenarioRecord) -> None:
        if isinstance(row, lines.Request):
            to.requests += 1
        elif isinstance(row, lines.HangUp) and row.request > to.requests:
            raise self._error("request", f"expected one of the {to.requests} requests so far, found {row.request}")

    def _end(self, row: lines.ScenarioEnd, to: ScenarioRecord) -> None:
        if row.executions != len(to.executions):
            raise self._error(
                "executions", f"says {row.executions}, but {len(to.executions)} lines came: the record is truncated"
            )
        self._check_remediations(to)
        to.end = row

    def _check_remediations(self, scenario: ScenarioRecord) -> None:
        said, came = scenario.routing and scenario.routing.remediations, len(scenario.remediations)
        if said is not None and said != came:
            raise self._error("kind", f'expected {said} lines of kind "remediation", found {came}: it is truncated')

    def _finish(
        self,
        row: lines.End,
        scenarios: list[ScenarioRecord],
        open_: ScenarioRecord | None,
        rest: Iterator[lines.AnyLine],
    ) -> None:
        if open_ is not None:
            raise self._error("kind", f'expected "scenario_end" of scenario {open_.head.id} before "end"')
        executions = sum(len(scenario.executions) for scenario in scenarios)
        for name, said, came in (
            ("scenarios", row.scenarios, len(scenarios)),
            ("executions", row.executions, executions),
        ):
            if said != came:
                raise self._error(name, f"says {said}, but {came} came: the record is truncated")
        if next(rest, None) is not None:
            raise self._error("kind", 'expected nothing after "end"')

    def _rows(self) -> Iterator[lines.AnyLine]:
        while raw := self._file.readline(_LINE_LIMIT_BYTES + 1):
            self._number += 1
            if len(raw) > _LINE_LIMIT_BYTES:
                raise RecordError(f"{self._path}:{self._number}: expected a line of at most {_LINE_LIMIT_BYTES} bytes")
            try:
                yield _parse(raw)
            except ValidationError as error:
                raise RecordError(f"{self._path}:{self._number}: {_explain(error, raw)}") from None

    def _error(self, name: str, expected: str) -> RecordError:
        return RecordError(f'{self._path}:{self._number}: field "{name}": {expected}')


def _read_wall(path: Path) -> lines.Wall | None:
    try:
        return lines.Wall.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise RecordError(f"{path}:1: {_first(error, lines.Wall)}") from None


def _explain(error: ValidationError, raw: bytes) -> str:
    """Pydantic's first complaint about one line, in one sentence."""
    first = error.errors(include_url=False)[0]
    kinds = ", ".join(f'"{kind}"' for kind in lines.MODELS)
    if first["type"] == "json_invalid":
        hint = "" if raw.endswith(b"\n") else " (the file is cut in the middle of this line)"
        return f"expected one JSON object a line{hint}: {clean(first['msg'], 120)}"
    if first["type"] == "union_tag_not_found":
        return f'field "kind": missing, expected one of {kinds}'
    if first["type"] == "union_tag_invalid":
        return f'field "kind": expected one of {kinds}, found {_shown(first["input"]["kind"])}'
    if not first["loc"]:
        return "expected one JSON object a line"
    return _first(error, lines.MODELS[str(first["loc"][0])], skip=1)


def _first(error: ValidationError, model: type[BaseModel], *, skip: int = 0) -> str:
    first = error.errors(include_url=False)[0]
    where = first["loc"][skip:]
    if not where:
        return f"expected a JSON object: {clean(first['msg'], 120)}"
    name = str(where[0])
    fields = {info.alias or key: info for key, info in model.model_fields.items()}
    expected = fields[name].description
    if first["type"] == "missing":
        return f'field "{name}": missing, expected {expected}'
    place = ".".join(clean(str(part), 60) for part in where)
    return f'field "{place}": expected {expected}, found {_shown(first["input"])}'


def _shown(value: object) -> str:
    return clean(json.dumps(value, default=str), 60)
