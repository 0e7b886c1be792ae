import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_record import OOM, Shape, record_lines, write

from reports import build as building
from reports.build import FILES, ReportError, build
from reports.record import RecordError

SHAPES = (Shape("Busy", "many", 30, (OOM,)), Shape("Busy", "one", 1))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return write(tmp_path / "run.jsonl", record_lines(1, SHAPES))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_record_gives_every_file_in_the_directory(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    written = build([record], out)
    assert written == [out / name for name in FILES]
    assert set(contents(out)) == set(FILES)
    assert json.loads((out / "report.json").read_text())["executions"] == 31


def test_several_records_get_a_folder_each_and_an_index(record: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    same_name = write(tmp_path / "other" / "run.jsonl", record_lines(2, SHAPES))
    out = tmp_path / "out"
    written = build([record, same_name], out)
    assert set(written) == {out / "index.html"} | {out / folder / name for folder in ("run", "run-2") for name in FILES}
    assert json.loads((out / "run-2" / "report.json").read_text())["seed"] == 2
    assert all(path.is_file() for path in written)


def test_a_second_report_replaces_the_first_and_leaves_other_files_alone(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([record], out)
    (out / "notes.txt").write_text("mine")
    write(record, record_lines(9, SHAPES))
    build([record], out)
    assert json.loads((out / "report.json").read_text())["seed"] == 9
    assert set(contents(out)) == {*FILES, "notes.txt"}


def test_the_same_record_gives_the_same_bytes_in_another_process(record: Path, tmp_path: Path) -> None:
    build([record], tmp_path / "here")
    program = "import sys; from reports.build import build; build([sys.argv[1]], sys.argv[2])"
    environment = os.environ | {"PYTHONHASHSEED": "4242"}
    there = str(tmp_path / "there")
    subprocess.run([sys.executable, "-c", program, str(record), there], check=True, env=environment)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_broken_record_leaves_nothing_behind(record: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    with pytest.raises(RecordError, match=r"broken\.jsonl:1"):
        build([record, broken], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failure_halfway_keeps_the_earlier_report_whole(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    build([record], out)
    before = contents(out)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building, "write_trace", full)
    write(record, record_lines(9, SHAPES))
    with pytest.raises(ReportError) as caught:
        build([record], out)
    assert str(caught.value) == f"{out}: cannot be written: No space left on device; expected a writable directory"
    assert contents(out) == before
    with pytest.raises(ReportError):
        build([record], tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


def test_a_place_that_cannot_be_written_is_one_clear_line(record: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(ReportError) as caught:
            build([record], place)
        assert str(caught.value).startswith(f"{place}: cannot be written: ")
        assert "\n" not in str(caught.value)


def test_no_record_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"expected at least one RECORD\.jsonl"):
        build([], tmp_path / "out")
