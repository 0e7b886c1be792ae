import re
from pathlib import Path
from typing import Any

from synthetic_record import S, Shape, record_lines, write
from synthetic_remediations import HAPPY, REFUSED, remediation, rows, storm
from test_the_page import Page, page_of

from reports.record import read


def test_the_page_shows_how_the_states_add_up_and_every_fate(tmp_path: Path) -> None:
    page = Page(page_of(tmp_path, rows(storm(24), executions=3)))
    assert (page.unbalanced, page.open) == ([], [])
    ended = "4 completed + 2 failed + 6 skipped + 2 timed out + 2 cancelled"
    assert f"24 admitted = {ended} + 2 blocked + 4 running + 2 deleted" in page.text
    for phrase in ("DuplicateInProgress", "ExponentialBackoff", "Timings of remediations", "signal to decision"):
        assert phrase in page.text
    assert "Wasted executions" in page.text
    assert re.search(r"Remediations\s+24", page.text)


def test_wasted_executions_are_shown_by_why(tmp_path: Path) -> None:
    lines = rows([remediation("rr", 0, HAPPY, executions=["increase-memory-1"])], executions=1)
    for line in lines:
        if line["kind"] == "execution":
            line |= {"namespace": "payment", "phase": "Failed", "reason": "ExecutionRaceCondition"}
    assert "1 lost the lock, 0 repeated" in Page(page_of(tmp_path, lines)).text


def test_the_page_says_nothing_about_remediations_where_there_were_none(tmp_path: Path) -> None:
    text = Page(page_of(tmp_path, list(record_lines(1, (Shape("Busy", "many", 40),))))).text
    assert "emediation" not in text
    assert "signal to" not in text


def test_a_scenario_without_any_says_nothing_beside_one_with_some(tmp_path: Path) -> None:
    lines = list(record_lines(1, (Shape("With", "some", 0), Shape("Without", "any", 5))))
    end = next(number for number, line in enumerate(lines) if line["kind"] == "scenario_end")
    lines[end:end] = [remediation(f"rr-{n}", n, REFUSED, reason="ResourceBusy") for n in range(3)]
    text = page_of(tmp_path, lines)
    first, second = text.index('id="scenario-1"'), text.index('id="scenario-2"')
    assert "What became of the remediations" in text[first:second]
    assert "emediation" not in text[second : text.index('id="reading"')]


def test_texts_of_remediations_are_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'{{ 7 * 7 }}\x1b[2J"
    lines = [
        remediation(evil, n, "Blocked 1, Failed 60", reason=evil, message=evil, blocked_us={evil: 59 * S})
        for n in range(3)
    ]
    text = page_of(tmp_path, rows(lines))
    assert "<script" not in text
    assert "\x1b" not in text


def test_a_flood_of_reasons_does_not_make_a_flood_of_page(tmp_path: Path) -> None:
    lines = [
        remediation(
            f"rr-{n}", n, "Blocked 1, Failed 9", reason="x" * 9000, message="y" * 9000, blocked_us={"z" * 90: S}
        )
        for n in range(50)
    ]
    assert len(page_of(tmp_path, rows(lines))) < 400_000


def test_an_execution_that_version_3_1_skipped_is_read_and_counted(tmp_path: Path) -> None:
    lines = list(record_lines(1, (Shape("Upgrade", "from 3.1", 3),)))
    for line in lines:
        if line["kind"] == "execution":
            line |= {"phase": "Skipped", "terminal_us": None, "censored": False}
    record: Any = read(write(tmp_path / "run.jsonl", lines))
    assert record.scenarios[0].executions[0].phase == "Skipped"
    assert "Skipped" in Page(page_of(tmp_path, lines)).text
