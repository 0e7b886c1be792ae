import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from synthetic_record import OOM, SUITE, S, Shape, record_lines, write

from reports.figures import Drawing, draw
from reports.figures.active import counted, thinned
from reports.figures.timescale import aligned, spoken, unit
from reports.record import read


def figures(tmp_path: Path, shape: Shape, **changes: Any) -> dict[str, Drawing]:
    """The figures of one invented scenario; ``changes`` are written over every execution."""
    rows = [row | changes if row["kind"] == "execution" else row for row in record_lines(3, (shape,))]
    record = read(write(tmp_path / "run.jsonl", rows))
    return {drawing.name: drawing for drawing in draw(record.scenarios[0])}


def words(drawing: Drawing) -> str:
    """Everything a reader can read in the figure."""
    assert drawing.svg is not None
    svg = ET.fromstring(drawing.svg)
    return "\n".join("".join(text.itertext()).strip() for text in svg.iter("{http://www.w3.org/2000/svg}text"))


def test_every_figure_of_a_large_scenario_has_labelled_axes_with_units_and_n(tmp_path: Path) -> None:
    found = figures(tmp_path, Shape("Busy", "many", 1000, (OOM,)))
    assert list(found) == ["outcomes", "active", "latency", "gantt"]
    assert "executions (of n = 1000)" in words(found["outcomes"])
    assert "executions (of n = 1000)" in words(found["active"])
    assert "virtual time since the scenario began (min)" in words(found["active"])
    assert "share of executions at or below" in words(found["latency"])
    assert words(found["latency"]).count("(n = 1000, median") == 5
    assert "virtual time since the execution was created (s)" in words(found["gantt"])
    assert "n = 1000" in found["gantt"].note


def test_one_execution_gives_its_time_line_and_sentences_instead_of_empty_figures(tmp_path: Path) -> None:
    found = figures(tmp_path, SUITE[0])
    assert found["gantt"].svg is not None
    assert found["outcomes"].note == "The only execution: Completed."
    assert [name for name, drawing in found.items() if drawing.svg is None] == ["outcomes", "active", "latency"]


def test_nothing_to_show_is_said_not_drawn(tmp_path: Path) -> None:
    found = figures(tmp_path, Shape("Idle", "idle", 0))
    assert all(drawing.svg is None and drawing.note.endswith(".") for drawing in found.values())


def test_equal_values_are_a_sentence_not_a_vertical_line(tmp_path: Path) -> None:
    equal = {
        "created_us": 0,
        "pipeline_run_created_us": 0,
        "running_us": S,
        "pipeline_run_finished_us": 5 * S,
        "terminal_us": 5 * S,
        "lock_released_us": 305 * S,
    }
    found = figures(tmp_path, Shape("Equal", "equal", 50), **equal)
    assert found["latency"].svg is None
    assert "creation to running 1 s (n = 50)" in found["latency"].note
    assert found["active"].svg is not None


def test_a_wide_spread_of_times_gets_a_logarithmic_axis_and_a_narrow_one_does_not(tmp_path: Path) -> None:
    assert "logarithmic" in words(figures(tmp_path, Shape("Wide", "wide", 50))["latency"])
    alike = list(record_lines(3, (Shape("Narrow", "narrow", 50),)))
    for number, row in enumerate(row for row in alike if row["kind"] == "execution"):
        row |= {"pipeline_run_created_us": None, "pipeline_run_finished_us": None, "lock_released_us": None}
        row |= {"created_us": 0, "running_us": 10 * S + number * S // 10, "terminal_us": 30 * S}
    record = read(write(tmp_path / "narrow.jsonl", alike))
    narrow = {drawing.name: drawing for drawing in draw(record.scenarios[0])}["latency"]
    assert "virtual time (s)" in words(narrow)
    assert words(narrow).count("(n = 50, median") == 2


def test_unfinished_executions_are_stated_beside_the_distribution(tmp_path: Path) -> None:
    found = figures(tmp_path, Shape("Late", "late", 50, unfinished=10))
    assert "10 of 50 executions had not ended" in found["latency"].note
    assert "unfinished: Pending" in words(found["outcomes"])


def test_a_lock_that_outlasts_the_work_is_cut_and_says_until_when(tmp_path: Path) -> None:
    found = figures(tmp_path, Shape("Cooldown", "long", 1))
    assert re.search(r"cooldown, until 3\d\d s ▸", words(found["gantt"]))
    assert "cooldown, until" not in words(figures(tmp_path, Shape("Cooldown", "short", 1, cooldown_s=5))["gantt"])


def test_an_execution_that_never_ended_is_drawn_as_open(tmp_path: Path) -> None:
    found = figures(tmp_path, Shape("Late", "late", 1, unfinished=1))
    assert "still open when the run ended" in words(found["gantt"])
    assert "had not ended when the run did" in found["gantt"].note


def test_a_run_that_hangs_is_drawn_as_long_as_it_hung(tmp_path: Path) -> None:
    rows = list(record_lines(3, (Shape("Hang", "hang", 1, unfinished=1),)))
    end = next(row for row in rows if row["kind"] == "scenario_end")
    end["virtual_us"] = 900 * S
    record = read(write(tmp_path / "run.jsonl", rows))
    gantt = {drawing.name: drawing for drawing in draw(record.scenarios[0])}["gantt"]
    assert "800" in words(gantt).splitlines()


def test_a_world_without_time_and_clocks_that_disagree_still_give_a_report(tmp_path: Path) -> None:
    rows = list(record_lines(3, (Shape("Odd", "odd", 3),)))
    for number, row in enumerate(rows):
        if row["kind"] == "execution":
            row.update(pipeline_run_finished_us=10 * S, terminal_us=9 * S + number, lock_released_us=None)
        if row["kind"] == "scenario_end":
            row["virtual_us"] = 0
    record = read(write(tmp_path / "run.jsonl", rows))
    found = {drawing.name: drawing for drawing in draw(record.scenarios[0])}
    assert found["active"].note == "No virtual time passed in this scenario."
    assert found["latency"].svg is not None


def test_untrusted_names_are_drawn_as_text_and_stay_bounded(tmp_path: Path) -> None:
    evil = "$\\frac{1}{$ <script>alert(1)</script> & \x1b[31m 名" + "x" * 500
    rows = list(record_lines(3, (Shape("Evil", "evil", 5),)))
    for row in rows:
        if row["kind"] == "span":
            row |= {"lane": evil, "name": evil}
        if row["kind"] == "execution" and row["name"].endswith(("1", "2")):
            row |= {"phase": "Failed", "reason": evil}
    path = write(tmp_path / "run.jsonl", rows)
    found = {drawing.name: drawing for drawing in draw(read(path).scenarios[0])}
    for name in ("gantt", "outcomes"):
        assert "<script" not in (found[name].svg or "")
        assert max(map(len, words(found[name]).splitlines())) < 80
    assert "$\\frac{1}{$ <script" in words(found["gantt"])


def test_the_same_record_gives_the_same_figures_without_dates(tmp_path: Path) -> None:
    shape = Shape("Busy", "many", 60, (OOM,))
    first, second = figures(tmp_path, shape), figures(tmp_path, shape)
    assert first == second
    assert all("<metadata" not in (drawing.svg or "") for drawing in first.values())


def test_figures_of_two_scenarios_share_no_identifiers(tmp_path: Path) -> None:
    shape = Shape("Busy", "many", 60, (OOM,))
    record = read(write(tmp_path / "run.jsonl", record_lines(3, (shape, shape))))
    drawn = [drawing.svg or "" for scenario in record.scenarios for drawing in draw(scenario)]
    identifiers = [set(re.findall(r' id="([^"]+)"', svg)) for svg in drawn]
    assert sum(map(len, identifiers)) == len(set().union(*identifiers)) > 0
    for svg, own in zip(drawn, identifiers, strict=True):
        assert set(re.findall(r'(?:url\(#|xlink:href="#)([^)"]+)', svg)) == own


def test_drawing_leaves_the_callers_settings_alone(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    figures(tmp_path, Shape("Busy", "many", 3))
    assert dict(mpl.rcParams) == before


def test_active_executions_are_counted_at_every_instant() -> None:
    assert counted([(1, 5), (3, 9), None, (4, 4)], 10) == [(0, 0), (1, 1), (3, 2), (5, 1), (9, 0), (10, 0)]


def test_what_lasts_until_the_end_does_not_drop_there() -> None:
    assert counted([(0, 10), (2, 10)], 10) == [(0, 1), (2, 2), (10, 2)]


def test_thinning_keeps_the_peak_and_the_ends() -> None:
    points = [(at, 1000 if at == 7777 else at % 7) for at in range(10_000)]
    kept = thinned(points, 10_000)
    assert len(kept) <= 1600
    assert (7777, 1000) in kept
    assert (kept[0], kept[-1]) == (points[0], points[-1])


@pytest.mark.parametrize(
    ("seconds", "said", "in_a_table"),
    [
        (0, "0 s", "0 s"),
        (0.0000042, "4.2 µs", "4.20 µs"),
        (0.0043, "4.3 ms", "4.30 ms"),
        (15, "15 s", "15.0 s"),
        (300.2, "300 s", "300 s"),
        (1020, "17 min", "17.0 min"),
        (18000, "5 h", "5.00 h"),
        (864000, "10 days", "10.0 days"),
    ],
)
def test_times_are_written_in_the_unit_people_use(seconds: float, said: str, in_a_table: str) -> None:
    assert (spoken(seconds), aligned(seconds)) == (said, in_a_table)


def test_the_unit_of_an_axis_follows_its_longest_time() -> None:
    assert [unit(longest)[1] for longest in (0.5, 30, 1800, 36_000, 900_000)] == ["ms", "s", "min", "h", "days"]
