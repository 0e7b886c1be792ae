import json
from pathlib import Path
from typing import Any

import pytest
from synthetic_record import Shape, record_lines, write

from reports.record import RecordError, read

SHAPES = (Shape("Resource busy", "one waits", 3), Shape("Resource busy", "nothing is asked for", 0))


def rows() -> list[dict[str, Any]]:
    return list(record_lines(1, SHAPES))


def complaint(path: Path) -> str:
    with pytest.raises(RecordError) as caught:
        read(path)
    return str(caught.value)


def edited(tmp_path: Path, kind: str, **fields: Any) -> Path:
    """The record with the first line of ``kind`` changed; a value of ... removes the field."""
    changed = rows()
    row = next(row for row in changed if row["kind"] == kind)
    for name, value in fields.items():
        row.pop(name) if value is ... else row.update({name: value})
    return write(tmp_path / "run.jsonl", changed)


def test_a_whole_record_is_read_scenario_by_scenario(tmp_path: Path) -> None:
    record = read(write(tmp_path / "run.jsonl", rows()))
    assert record.run.seed == 1
    assert [scenario.head.name for scenario in record.scenarios] == ["one waits", "nothing is asked for"]
    first = record.scenarios[0]
    assert [execution.name for execution in first.executions] == [f"increase-memory-{i}" for i in (1, 2, 3)]
    assert (len(first.steps), first.end.status, first.end.executions) == (5, "passed", 3)
    assert {span.execution.split("/")[1] for span in first.spans} == {f"increase-memory-{i}" for i in (1, 2, 3)}
    assert first.calls[0].component == "workflowexecution-controller"


def test_a_field_that_a_newer_writer_added_is_ignored(tmp_path: Path) -> None:
    path = edited(tmp_path, "execution", deleted_us=5, weather="fine")
    assert read(path).scenarios[0].executions[0].deleted_us == 5


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("run", {"schema": 2}, '1: field "schema": expected the number 1, found 2'),
        ("run", {"seed": "7"}, '1: field "seed": expected a whole number, found "7"'),
        ("scenario", {"id": 2}, '2: field "id": expected 1, the next scenario, found 2'),
        ("scenario", {"tags": "x"}, '2: field "tags": expected a list of texts, found "x"'),
        (
            "step",
            {"status": "undefined"},
            '3: field "status": expected "passed", "failed" or "skipped", found "undefined"',
        ),
        ("step", {"start_us": 5, "end_us": 4}, '3: field "end_us": expected 5 (start_us) or more, found 4'),
        (
            "execution",
            {"created_us": "12"},
            '8: field "created_us": expected whole virtual microseconds, 0 to 2^53, found "12"',
        ),
        (
            "execution",
            {"created_us": 1.0},
            '8: field "created_us": expected whole virtual microseconds, 0 to 2^53, found 1.0',
        ),
        ("execution", {"censored": 1}, '8: field "censored": expected true or false, found 1'),
        (
            "execution",
            {"terminal_us": ...},
            '8: field "terminal_us": missing, expected whole virtual microseconds, 0 to 2^53, or null',
        ),
        ("execution", {"scenario": 2}, '8: field "scenario": expected 1, the scenario these lines belong to, found 2'),
        (
            "execution",
            {"phase": "\x1b[2J\n" + "x" * 500},
            '8: field "phase": expected "Pending", "Running", "Completed", "Failed" or "Skipped", found "\\u001b[2J\\n'
            + "x" * 47
            + "…",
        ),
        (
            "calls",
            {"errors": {"409": -1}},
            '59: field "errors.409": expected an object of counts by HTTP status code, found -1',
        ),
        (
            "scenario_end",
            {"executions": 9},
            '81: field "executions": says 9, but 3 lines came: the record is truncated',
        ),
        ("end", {"scenarios": 9}, '89: field "scenarios": says 9, but 2 came: the record is truncated'),
        ("end", {"executions": 9}, '89: field "executions": says 9, but 3 came: the record is truncated'),
    ],
)
def test_a_wrong_field_is_named_with_its_file_line_and_expected_form(
    tmp_path: Path, kind: str, fields: dict[str, Any], expected: str
) -> None:
    path = edited(tmp_path, kind, **fields)
    assert complaint(path) == f"{path}:{expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello\n", ":1: expected one JSON object a line"),
        ("[1]\n", ":1: expected one JSON object a line"),
        ("\n", ":1: expected one JSON object a line"),
        ("{}\n", ':1: field "kind": missing, expected one of "run", "scenario", "step"'),
        ('{"kind":"zebra"}\n', ':1: field "kind": expected one of'),
        ('{"kind":"end","scenarios":0,"executions":0}\n', ':1: field "kind": expected "run" on the first line'),
        ('{"kind":"run","settings":' + "[" * 5000 + "\n", ":1: expected one JSON object a line"),
        ('{"kind":"run","seed":' + "9" * 5000 + "}\n", ":1: "),
        ("", ": is empty; expected a record"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    said = complaint(path)
    assert said.startswith(f"{path}{expected}")
    assert "\n" not in said


def test_a_record_cut_between_two_lines_is_called_truncated(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", rows()[:-1])
    assert complaint(path).startswith(f'{path}: truncated after line 88: its last line must have kind "end"')


def test_a_record_cut_inside_a_line_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", rows())
    path.write_text(path.read_text()[:-9])
    assert complaint(path).startswith(f"{path}:89: expected one JSON object a line (the file is cut in the middle")


def test_lines_out_of_place_are_refused(tmp_path: Path) -> None:
    good = rows()
    end = next(i for i, row in enumerate(good) if row["kind"] == "scenario_end")
    for wrong, expected in (
        (good + good[-1:], 'expected nothing after "end"'),
        (good[:1] + good, 'expected "run" on the first line only'),
        (good[:end] + good[end + 1 :], 'expected "scenario_end" of scenario 1 before the next one'),
        (good[: end + 1] + good[7:8] + good[end + 1 :], 'found "execution" outside a scenario'),
        ([*good[:end], good[-1]], 'expected "scenario_end" of scenario 1 before "end"'),
    ):
        assert complaint(write(tmp_path / "run.jsonl", wrong)).endswith(expected)


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b" " * (5 * 1024 * 1024))
    assert complaint(path) == f"{path}:1: expected a line of at most 4194304 bytes"


def test_a_file_that_is_not_there_or_not_text_is_one_clear_line(tmp_path: Path) -> None:
    assert complaint(tmp_path / "no.jsonl") == f"{tmp_path / 'no.jsonl'}: cannot be read: No such file or directory"
    (tmp_path / "bytes.jsonl").write_bytes(b'{"kind":"\xff"}\n')
    assert "invalid unicode" in complaint(tmp_path / "bytes.jsonl")


def test_wall_clock_seconds_come_from_the_file_beside_the_record(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", rows())
    assert read(path).wall_seconds is None
    (tmp_path / "run.wall.json").write_text(json.dumps({"wall_seconds": 12.3, "scenarios": {"2": 2.1}}))
    record = read(path)
    assert record.wall_seconds == 12.3
    assert [scenario.wall_seconds for scenario in record.scenarios] == [None, 2.1]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"wall_seconds":-1}', '{"wall_seconds":NaN}'])
def test_a_wrong_wall_clock_file_is_refused_by_its_own_name(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "run.jsonl", rows())
    (tmp_path / "run.wall.json").write_text(text)
    assert complaint(path).startswith(f"{tmp_path / 'run.wall.json'}:1: ")
