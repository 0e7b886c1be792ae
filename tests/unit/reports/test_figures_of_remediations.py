import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from synthetic_record import SUITE, S, record_lines, write
from synthetic_remediations import HAPPY, REFUSED, remediation, scenario_of, storm

from reports.figures import Drawing, draw
from reports.record import read

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["flow", "fates", "blocks", "decisions", "remediation latency"]


def figures(tmp_path: Path, lines: list[dict[str, Any]]) -> dict[str, Drawing]:
    drawings = draw(scenario_of(tmp_path, lines))
    return {drawing.name: drawing for drawing in drawings if drawing.about == "remediations"}


def texts(drawing: Drawing) -> list[str]:
    assert drawing.svg is not None, drawing.note
    return ["".join(text.itertext()).strip() for text in ET.fromstring(drawing.svg).iter(f"{SVG}text")]


def clipped(drawing: Drawing) -> list[str]:
    """Texts that begin or end outside the picture, by the width of the page's widest font."""
    assert drawing.svg is not None
    svg = ET.fromstring(drawing.svg)
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    out = []
    for text in svg.iter(f"{SVG}text"):
        place = text.attrib.get("transform", "")
        turned = re.search(r"rotate\(-?90", place)
        x, y = (float(text.attrib.get(key, 0)) for key in "xy")
        if moved := re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", place):
            x, y = float(moved[1]), float(moved[2])
        said = "".join(text.itertext())
        long = len(said) * 6.0
        anchor = re.search(r"text-anchor: (\w+)", text.attrib.get("style", ""))
        begin = {"middle": x - long / 2, "end": x - long}.get(anchor[1] if anchor else "", x)
        if not turned and not (begin >= -2 and begin + long <= width + 2 and 0 <= y <= height):
            out.append(said)
    return out


@pytest.mark.parametrize("n", [2, 3, 13, 240, 3000])
def test_few_and_many_remediations_are_drawn_with_n_and_nothing_clipped(tmp_path: Path, n: int) -> None:
    found = figures(tmp_path, storm(n, gap_s=60))
    assert list(found) == NAMES
    for drawing in found.values():
        assert drawing.svg is None or clipped(drawing) == []
    assert f"{n:,}" in texts(found["flow"])
    assert any(f"(n = {n:,})" in text for text in texts(found["fates"]))
    assert len(found["flow"].svg or "") + len(found["fates"].svg or "") < 200_000


def test_the_flow_says_how_many_came_how_far_and_to_what(tmp_path: Path) -> None:
    said = texts(figures(tmp_path, storm(120))["flow"])
    assert [text for text in said if text in {"signals", "analysed", "executed"}] == ["signals", "analysed", "executed"]
    assert {"120", "70 (58.3%)", "20 (16.7%)"} <= set(said)
    assert {text.replace("  ", " ") for text in said} >= {
        "completed: Remediated 10 (8.3%)",
        "skipped: ResourceBusy 20 (16.7%)",
        "timed out: AwaitingApproval 10 (8.3%)",
        "blocked: ExponentialBackoff 10 (8.3%)",
        "deleted: Analyzing 10 (8.3%)",
    }


def test_the_legend_over_time_counts_every_remediation(tmp_path: Path) -> None:
    said = texts(figures(tmp_path, storm(240))["fates"])
    counts = [int(match[1]) for text in said if (match := re.search(r" (\d+) \([\d.]+%\)$", text))]
    assert sum(counts) == 240
    assert "signals in 5 s (n = 240)" in said


def test_rare_reasons_are_drawn_together_and_still_counted(tmp_path: Path) -> None:
    lines = [remediation(f"rr-{n}", n, "Failed 1", reason=f"Reason{n % 40}") for n in range(400)]
    said = texts(figures(tmp_path, lines)["flow"])
    assert any(re.fullmatch(r"failed: other reasons\s+280 \(70.0%\)", text) for text in said)


def test_one_remediation_is_told_in_sentences(tmp_path: Path) -> None:
    found = figures(tmp_path, [remediation("only", 5, HAPPY)])
    assert [found[name].svg for name in NAMES] == [None] * 5
    assert found["fates"].note == "The only remediation: completed: Remediated."
    assert found["flow"].note == "The only remediation was analysed and executed."
    assert found["blocks"].note == "No remediation was blocked."
    assert found["decisions"].note == "The only decision came after 10 ms."
    assert "executed" in figures(tmp_path, [remediation("only", 5)])["flow"].note
    assert figures(tmp_path, [remediation("only", 5)])["decisions"].note == "Nothing was decided."


def test_remediations_that_all_went_the_same_way_are_a_sentence(tmp_path: Path) -> None:
    found = figures(tmp_path, [remediation(f"rr-{n}", n, REFUSED, reason="ResourceBusy") for n in range(9)])
    assert found["flow"].svg is None
    assert found["flow"].note == "All 9 remediations were neither analysed nor executed; skipped: ResourceBusy."


def test_signals_that_came_at_once_are_a_sentence_not_a_bar(tmp_path: Path) -> None:
    found = figures(tmp_path, storm(50, gap_s=0.01))
    assert found["fates"].svg is None
    assert found["fates"].note == "All 50 signals came within 490 ms: there is nothing to tell apart over time."


def test_decisions_show_their_percentiles_where_there_are_enough(tmp_path: Path) -> None:
    few = [remediation(f"rr-{n}", n, f"Skipped {0.01 + n / 1000}") for n in range(21)]
    said = texts(figures(tmp_path, few)["decisions"])
    assert {"median 20 ms", "p95 29 ms"} <= set(said)
    assert not any(text.startswith("p99") for text in said)
    undecided = [*few, remediation("late", 40)]
    assert "1 were still undecided when the run ended" in figures(tmp_path, undecided)["decisions"].note


def test_equal_decisions_are_a_sentence(tmp_path: Path) -> None:
    equal = [remediation(f"rr-{n}", n, REFUSED) for n in range(5)]
    assert figures(tmp_path, equal)["decisions"].note == "All 5 decisions came after 10 ms."


def test_time_blocked_stands_beside_its_reason(tmp_path: Path) -> None:
    lines = [
        remediation(f"rr-{n}", n, "Blocked 1, Skipped 61", blocked_us={"ExponentialBackoff": 60 * S}) for n in range(60)
    ]
    found = figures(tmp_path, lines)["blocks"]
    assert "ExponentialBackoff" in texts(found)
    assert "60 min in 60" in "\n".join(texts(found))
    assert "virtual time of all together (min)" in texts(found)


def test_untrusted_reasons_are_drawn_as_bounded_text(tmp_path: Path) -> None:
    evil = "$\\frac{1}{$ <script>alert(1)</script> \x1b[31m 名" + "x" * 500
    lines = [
        remediation(f"rr-{n}", n, "Blocked 1, Failed 61", reason=evil, blocked_us={evil: 60 * S}) for n in range(9)
    ]
    for drawing in figures(tmp_path, lines).values():
        assert "<script" not in (drawing.svg or "")
        assert drawing.svg is None or max(map(len, texts(drawing))) < 80


def test_the_same_record_gives_the_same_figures(tmp_path: Path) -> None:
    assert figures(tmp_path, storm(60)) == figures(tmp_path, storm(60))


def test_a_scenario_without_remediations_has_no_figures_of_them(tmp_path: Path) -> None:
    record = read(write(tmp_path / "run.jsonl", record_lines(3, SUITE[:2])))
    assert {drawing.about for scenario in record.scenarios for drawing in draw(scenario)} == {"executions"}
