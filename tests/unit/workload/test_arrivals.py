import random
import statistics
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from sim.workload.arrival import Arrival
from sim.workload.arrivals import Poisson, parse

FORMS = [
    "{burst: {count: 100, at: 5s}}",
    "{fixed: {per_second: 6, count: 100}}",
    "{poisson: {per_second: 6, count: 100}}",
]


def instants(form: str, seed: int = 1) -> list[int]:
    return [arrival.at_us for arrival in parse(yaml.safe_load(form)).sample(random.Random(seed))]


@pytest.mark.parametrize("form", FORMS)
def test_arrivals_are_as_many_as_asked_for_in_order_and_repeat_with_the_seed(form: str) -> None:
    first = instants(form)
    assert len(first) == 100
    assert all(type(at_us) is int for at_us in first)
    assert first == sorted(first) == instants(form)


def test_a_burst_comes_at_one_instant() -> None:
    assert instants("{burst: 3}") == [0, 0, 0]
    assert instants("{burst: {count: 2, at: 1m}}") == [60_000_000] * 2


def test_a_fixed_rate_does_not_add_up_its_roundings() -> None:
    assert instants("{fixed: {per_second: 3, count: 7}}") == [0, 333333, 666667, 1000000, 1333333, 1666667, 2000000]


def test_poisson_arrivals_keep_their_rate_and_vary_like_poisson_arrivals() -> None:
    at_us = instants("{poisson: {per_second: 6, count: 20000}}")
    gaps = [later - earlier for earlier, later in pairwise(at_us)]
    assert statistics.fmean(gaps) == pytest.approx(1_000_000 / 6, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(1_000_000 / 6, rel=0.03)
    assert instants(FORMS[2], seed=1) != instants(FORMS[2], seed=2)


def test_arrivals_are_drawn_only_as_far_as_they_are_needed() -> None:
    stream, twin = random.Random(1), random.Random(1)
    list(islice(Poisson(6.0, 10_000_000).sample(stream), 3))
    for _ in range(3):
        twin.random()
    assert stream.random() == twin.random()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (FORMS[0], "100 at once, after 5s"),
        (FORMS[1], "100, 6 a second, evenly"),
        (FORMS[2], "100, 6 a second on average (Poisson)"),
    ],
)
def test_arrivals_describe_themselves(form: str, words: str) -> None:
    assert parse(yaml.safe_load(form)).describe() == words


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ("5", "exactly one of burst, fixed, poisson, trace"),
        ("{}", "exactly one of"),
        ("{burst: 1, fixed: 2}", "exactly one of"),
        ("{gamma: 1}", "exactly one of"),
        ("{burst: 0}", "burst.count: expected a whole number"),
        ("{burst: {count: 1, at: 5}}", "burst.at: 5 is not a duration"),
        ("{burst: {count: true}}", "burst.count"),
        ("{burst: {at: 5s}}", "burst: expected the form"),
        ("{fixed: {per_second: 0, count: 1}}", "fixed.per_second: expected a number above 0"),
        ("{fixed: {per_second: .inf, count: 1}}", "fixed.per_second"),
        ("{poisson: {per_second: -1, count: 1}}", "poisson.per_second"),
        ("{poisson: {per_second: six, count: 1}}", "poisson.per_second"),
        ("{poisson: {per_second: 6}}", "poisson: expected the form"),
        ("{poisson: {per_second: 6, count: 1.5}}", "poisson.count"),
        ("{trace: 5}", "trace: expected the path"),
        ("{trace: nowhere.csv}", "nowhere.csv: cannot be read"),
        ("{trace: file.txt}", "expected a .csv or .jsonl file"),
    ],
)
def test_a_malformed_form_is_refused_in_one_line_that_names_the_bad_part(form: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        parse(yaml.safe_load(form))
    assert "\n" not in str(refusal.value)


def trace(folder: Path, name: str, text: str) -> list[Arrival]:
    (folder / name).write_text(text)
    return list(parse({"trace": name}, folder).sample(random.Random(1)))


def test_a_csv_trace_gives_instants_and_maybe_targets_sorted_by_time(tmp_path: Path) -> None:
    text = 'seconds,target\n2.5,team/Deployment/api\n\n 0.1 \n2.5,"team/Deployment/b-c"\n1,\n'
    assert trace(tmp_path, "a.csv", text) == [
        Arrival(100_000),
        Arrival(1_000_000),
        Arrival(2_500_000, "team/Deployment/api"),
        Arrival(2_500_000, "team/Deployment/b-c"),
    ]
    assert parse({"trace": "a.csv"}, tmp_path).describe() == "4, as recorded in a.csv"


def test_a_json_trace_gives_the_same(tmp_path: Path) -> None:
    text = '3\n{"seconds": 1.5, "target": "Node/n1"}\n{"seconds": 2}\n'
    assert trace(tmp_path, "a.jsonl", text) == [
        Arrival(1_500_000, "Node/n1"),
        Arrival(2_000_000),
        Arrival(3_000_000),
    ]


@pytest.mark.parametrize(
    ("name", "line", "complaint"),
    [
        ("a.csv", "soon", "expected seconds as a number, not 'soon'"),
        ("a.csv", "-1", "expected seconds between 0 and"),
        ("a.csv", "nan", "expected seconds between 0 and"),
        ("a.csv", "1,2,3", "expected seconds"),
        ("a.csv", "1,nonsense", "expected a target like namespace/Kind/name, not 'nonsense'"),
        ("a.csv", "1,team/Deployment/", "expected a target like namespace/Kind/name"),
        ("a.csv", "1,te am/Deployment/api", "expected a target like namespace/Kind/name"),
        ("a.csv", "1,team/Deployment/Api", "expected a target like namespace/Kind/name"),
        ("a.csv", '1,"a/b', "line 2"),
        ("a.jsonl", "{", "not JSON"),
        ("a.jsonl", "true", "expected seconds as a number"),
        ("a.jsonl", '{"second": 1}', "expected {"),
        ("a.jsonl", '{"seconds": 1, "target": 5}', "expected a target"),
        ("a.jsonl", "NaN", "expected seconds between"),
        ("a.jsonl", "[" * 100_000, "line 2"),
    ],
)
def test_a_bad_line_is_reported_with_file_and_line(tmp_path: Path, name: str, line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        trace(tmp_path, name, f"1\n{line}\n")
    assert f"{tmp_path / name}, line 2: " in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_a_trace_without_arrivals_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("seconds,target\n\n")
    with pytest.raises(ValueError, match=r"a\.csv holds no arrival; expected one a line"):
        parse({"trace": "a.csv"}, tmp_path)


def test_a_trace_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1\n\xff\xfe\n")
    with pytest.raises(ValueError, match="cannot be read"):
        parse({"trace": "a.csv"}, tmp_path)


def test_what_is_no_form_of_arrivals_is_refused() -> None:
    for form in (None, [], "burst", {"burst": None}):
        nonsense: Any = form
        with pytest.raises(ValueError, match=r"expected|exactly"):
            parse(nonsense)
