import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from synthetic_record import OOM, SUITE, Shape, record_lines, write

from reports.figures import draw
from reports.html import to_html, to_index
from reports.record import read
from reports.summary import summarise


class Page(HTMLParser):
    """What a browser would make of it: elements, attributes, words, and whether tags balance."""

    VOID = frozenset(("meta", "br", "path", "use", "rect", "image"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and (not self.open or self.open.pop() != tag):
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(tmp_path: Path, rows: list[dict[str, Any]]) -> str:
    record = read(write(tmp_path / "run.jsonl", rows))
    return to_html(summarise(record), [draw(scenario) for scenario in record.scenarios], ["report.json"])


SHAPES = (
    Shape("Busy", "many & more", 150, (OOM,)),
    next(shape for shape in SUITE if shape.fails),
    Shape("Few", "a handful", 12),
    Shape("Idle", "nothing", 0),
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(tmp_path_factory.mktemp("page"), list(record_lines(2, SHAPES)))


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(page: Page, text: str) -> None:
    assert (page.unbalanced, page.open) == ([], [])
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "img", "object", "embed"}
    addresses = [
        value for _, attrs in page.elements for key, value in attrs.items() if key in {"src", "href"} and value
    ]
    assert all(address.startswith("#") or address == "report.json" for address in addresses)
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    assert "default-src 'none'" in text


def test_every_link_within_the_page_leads_somewhere(page: Page) -> None:
    targets = {attrs["id"] for _, attrs in page.elements if attrs.get("id")}
    links = {attrs["href"][1:] for tag, attrs in page.elements if tag == "a" and (attrs["href"] or "").startswith("#")}  # type: ignore[index]
    assert links == {"scenario-1", "scenario-2", "scenario-3", "scenario-4"}
    assert links <= targets


def test_the_header_says_what_was_run_and_how_it_went(page: Page) -> None:
    assert "1 of 4 scenarios failed" in page.text
    assert "23 of 362 executions had not ended" in page.text
    assert "rehearse run features --scale 100 --seed 2" in page.text


def test_each_scenario_shows_its_verdict_steps_outcomes_and_settings(page: Page) -> None:
    for phrase in (
        "many & more",
        "lognormal, median 4 ms (recorded)",
        'AssertionError: p95 of "creation to running" is 41.2 s',
        "ResourceExhausted",
        "23 of 200 executions had not ended when the run did",
        "How to read this",
    ):
        assert phrase in page.text


def test_percentiles_with_too_few_values_are_grey_and_explained(text: str) -> None:
    few = text[text.index('id="scenario-3"') : text.index('id="scenario-4"')]
    many = text[text.index('id="scenario-1"') : text.index('id="scenario-2"')]
    assert few.count('class="number weak"') == 10
    assert "* Grey: too few executions" in few
    assert 'class="number weak"' not in many
    assert "* Grey: too few executions" not in many


def test_text_from_the_record_is_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}&amp;\x1b[2J</td></svg>"
    rows = list(record_lines(2, (Shape("Evil", "evil", 5),)))
    spoil = {
        "run": ("command", "version", "backend", "epoch"),
        "scenario": ("feature", "name", "description", "file"),
        "step": ("text", "keyword", "error"),
        "execution": ("reason", "message", "name", "namespace"),
        "span": ("lane", "name"),
        "calls": ("component", "verb", "resource"),
        "scenario_end": ("error",),
    }
    for row in rows:
        row.update(dict.fromkeys(spoil.get(row["kind"], ()), evil))
        if row["kind"] in {"run", "scenario"}:
            row["settings"] = {evil: {evil: evil}}
        if row["kind"] == "scenario":
            row["tags"] = [evil]
        if row["kind"] == "calls":
            row["errors"] = {evil: 1}
    text = page_of(tmp_path, rows)
    page = Page(text)
    assert (page.unbalanced, page.open) == ([], [])
    assert not {tag for tag, _ in page.elements} & {"script", "img"}
    assert not any(key.startswith("on") for _, attrs in page.elements for key in attrs)
    assert "\x1b" not in text
    assert "{{ 7 * 7 }}" in page.text


def test_a_flood_of_text_does_not_make_a_flood_of_page(tmp_path: Path) -> None:
    rows = list(record_lines(2, (Shape("Flood", "flood", 1),)))
    for row in rows:
        row |= {name: "x" * 500_000 for name in ("message", "error", "command", "description") if name in row}
    assert len(page_of(tmp_path, rows)) < 200_000


def test_a_run_without_scenarios_is_said_to_be_one(tmp_path: Path) -> None:
    assert "No scenario was run." in page_of(tmp_path, list(record_lines(2, ())))


def test_the_index_leads_to_every_report_and_says_which_failed(tmp_path: Path) -> None:
    good = summarise(read(write(tmp_path / "a.jsonl", list(record_lines(1, SHAPES[2:3])))))
    bad = summarise(read(write(tmp_path / "b.jsonl", list(record_lines(2, SHAPES[1:2])))))
    page = Page(to_index([("seed 1", good), ("<seed> 2", bad)]))
    links = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    assert links == ["seed%201/report.html", "%3Cseed%3E%202/report.html"]
    assert "1 failed" in page.text
    assert (page.unbalanced, page.open) == ([], [])
