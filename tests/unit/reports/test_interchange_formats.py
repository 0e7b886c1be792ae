import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from synthetic_record import OOM, SUITE, Shape, record_lines, write

from reports.cucumber import to_cucumber
from reports.junit import to_junit
from reports.record import Record, read
from reports.summary import summarise
from reports.trace import write_trace

QUOTA = next(shape for shape in SUITE if shape.fails)
SHAPES = (Shape("Quota", "enough for all", 4, (OOM,)), QUOTA, Shape("Cooldown", "a lock is released", 3, unfinished=3))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    path = write(tmp_path_factory.mktemp("record") / "run.jsonl", record_lines(5, SHAPES))
    path.with_suffix(".wall.json").write_text('{"wall_seconds": 3.5, "scenarios": {"1": 1.5}}')
    return read(path)


@pytest.fixture(scope="module")
def summary(record: Record) -> dict[str, Any]:
    return summarise(record)


def cucumber(summary: dict[str, Any]) -> Any:
    return json.loads(to_cucumber(summary))


def test_junit_has_a_suite_per_feature_and_a_case_per_scenario(summary: dict[str, Any]) -> None:
    root = ET.fromstring(to_junit(summary))
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "3", "1")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("Quota", "2", "1"),
        ("Cooldown", "1", "0"),
    ]
    assert [case.get("name") for case in root.iter("testcase")] == [shape.name for shape in SHAPES]
    assert all(case.get("classname") in {"Quota", "Cooldown"} for case in root.iter("testcase"))


def test_junit_times_are_virtual_and_the_wall_clock_is_a_property(summary: dict[str, Any]) -> None:
    cases = list(ET.fromstring(to_junit(summary)).iter("testcase"))
    for case, scenario in zip(cases, summary["scenarios"], strict=True):
        assert float(case.get("time", "")) == pytest.approx(scenario["virtual_seconds"])
    assert cases[0].find("properties/property[@name='wall_seconds']").get("value") == "1.5"  # type: ignore[union-attr]
    assert cases[1].find("properties/property[@name='wall_seconds']") is None


def test_a_junit_failure_names_the_step_and_its_error(summary: dict[str, Any]) -> None:
    failures = list(ET.fromstring(to_junit(summary)).iter("failure"))
    assert len(failures) == 1
    assert failures[0].get("message") == 'p95 of "creation to running" is 41.2 s; expected below 30 s'
    assert (failures[0].text or "").startswith(
        'Then p95 of "creation to running" is below 30 seconds (line 16)\nAssertion'
    )


def test_cucumber_groups_scenarios_by_feature_with_their_steps(summary: dict[str, Any]) -> None:
    features = cucumber(summary)
    assert [(feature["name"], len(feature["elements"])) for feature in features] == [("Quota", 2), ("Cooldown", 1)]
    steps = features[0]["elements"][1]["steps"]
    assert [step["result"]["status"] for step in steps] == ["passed", "passed", "passed", "failed", "skipped"]
    assert steps[3]["result"]["error_message"].startswith("AssertionError")
    assert features[0]["elements"][0]["tags"] == [{"name": "@executor", "line": 11}, {"name": "@smoke", "line": 11}]
    identifiers = [element["id"] for feature in features for element in feature["elements"]]
    assert len(set(identifiers)) == 3


def test_cucumber_durations_are_nanoseconds_of_virtual_time(summary: dict[str, Any]) -> None:
    first = cucumber(summary)[0]["elements"][0]["steps"][0]
    assert (first["keyword"], first["result"]["duration"]) == ("Given ", 2_000_000_000)


def test_a_scenario_that_failed_outside_its_steps_does_not_look_passed(tmp_path: Path) -> None:
    rows = [row for row in record_lines(1, (QUOTA,)) if row["kind"] != "step"]
    summary = summarise(read(write(tmp_path / "run.jsonl", rows)))
    steps = cucumber(summary)[0]["elements"][0]["steps"]
    assert [step["result"]["status"] for step in steps] == ["failed"]
    assert "41.2 s" in steps[0]["result"]["error_message"]
    assert ET.fromstring(to_junit(summary)).find("testsuite/testcase/failure") is not None


def test_the_trace_has_a_process_per_scenario_and_a_thread_per_lane(record: Record, tmp_path: Path) -> None:
    write_trace(record, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert names == {i: f"{shape.feature}: {shape.name}" for i, shape in enumerate(SHAPES, 1)}
    threads = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    bars = [event for event in events if event["ph"] == "X"]
    assert {(event["pid"], event["tid"]) for event in bars} == threads
    assert len(bars) == sum(len(scenario.spans) for scenario in record.scenarios)
    assert {event["ph"] for event in events} == {"M", "X"}


def test_trace_bars_lie_where_the_spans_do_and_open_ones_reach_the_end(record: Record, tmp_path: Path) -> None:
    write_trace(record, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    spans = [span for scenario in record.scenarios for span in scenario.spans]
    ends = {scenario.head.id: scenario.end.virtual_us for scenario in record.scenarios}
    bars = [event for event in events if event["ph"] == "X"]
    assert any(bar["args"]["open"] for bar in bars)
    for bar, span in zip(bars, spans, strict=True):
        assert (bar["ts"], bar["name"], bar["cat"]) == (span.start_us, span.name, span.status)
        assert bar["ts"] + bar["dur"] == (ends[span.scenario] if span.end_us is None else span.end_us)


def test_a_record_without_spans_gives_an_empty_trace(tmp_path: Path) -> None:
    record = read(write(tmp_path / "run.jsonl", record_lines(1, (Shape("Idle", "idle", 0),))))
    write_trace(record, tmp_path / "trace.json")
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"] == []
