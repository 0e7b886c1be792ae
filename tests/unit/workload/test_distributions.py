import random
import statistics

import pytest
import yaml

from sim.workload.distributions import Constant, Lognormal, parse

FORMS = [
    "2s",
    "{uniform: {min: 1s, max: 3s}}",
    "{exponential: {mean: 2s}}",
    "{lognormal: {median: 1.5s, p99: 10s}}",
    "{lognormal: {median: 1.5s, sigma: 0.8}}",
    "{empirical: [1s, 1.2s, 9s]}",
]


def draws(form: str, count: int = 20_000, seed: int = 7) -> list[int]:
    distribution, stream = parse(yaml.safe_load(form)), random.Random(seed)
    return [distribution.sample_us(stream) for _ in range(count)]


@pytest.mark.parametrize("form", FORMS)
def test_draws_are_whole_microseconds_never_negative_and_repeat_with_the_seed(form: str) -> None:
    first = draws(form, 1_000)
    assert all(type(us) is int and us >= 0 for us in first)
    assert draws(form, 1_000) == first


@pytest.mark.parametrize("form", FORMS)
def test_a_draw_takes_exactly_one_uniform_of_its_stream(form: str) -> None:
    stream, twin = random.Random(3), random.Random(3)
    distribution = parse(yaml.safe_load(form))
    for _ in range(10):
        distribution.sample_us(stream)
        twin.random()
    assert stream.random() == twin.random()


def test_a_bare_duration_is_always_that_long() -> None:
    assert set(draws("1m30s", 100)) == {90_000_000}


def test_uniform_draws_fill_their_range_and_keep_to_it() -> None:
    values = draws("{uniform: {min: 1s, max: 3s}}")
    assert min(values) >= 1_000_000
    assert max(values) <= 3_000_000
    assert statistics.fmean(values) == pytest.approx(2_000_000, rel=0.02)
    assert set(draws("{uniform: {min: 1us, max: 3us}}")) == {1, 2, 3}


def test_exponential_draws_have_their_mean_and_median() -> None:
    values = draws("{exponential: {mean: 2s}}")
    assert statistics.fmean(values) == pytest.approx(2_000_000, rel=0.03)
    assert statistics.median(values) == pytest.approx(2_000_000 * 0.6931, rel=0.03)


def test_lognormal_draws_have_the_median_and_p99_that_were_given() -> None:
    values = sorted(draws("{lognormal: {median: 1.5s, p99: 10s}}", 100_000))
    assert values[50_000] == pytest.approx(1_500_000, rel=0.02)
    assert values[99_000] == pytest.approx(10_000_000, rel=0.05)


def test_lognormal_by_p99_and_by_sigma_are_the_same_thing() -> None:
    by_p99 = parse({"lognormal": {"median": "1.5s", "p99": "10s"}})
    assert isinstance(by_p99, Lognormal)
    assert draws(f"{{lognormal: {{median: 1.5s, sigma: {by_p99.sigma!r}}}}}", 100) == draws(FORMS[3], 100)


def test_an_absurd_tail_is_cut_instead_of_overflowing() -> None:
    assert max(draws("{lognormal: {median: 1h, sigma: 500}}", 1_000)) == 3_155_760_000_000_000
    assert parse({"lognormal": {"median": "1h", "sigma": 500}}).describe().startswith("lognormal, median 1h0m0s")


def test_the_uniform_zero_is_no_trouble() -> None:
    class Zero(random.Random):
        def random(self) -> float:
            return 0.0

    assert [parse(yaml.safe_load(form)).sample_us(Zero()) for form in FORMS[:3]] == [2_000_000, 1_000_000, 0]
    assert 0 <= parse({"lognormal": {"median": "1s", "p99": "2s"}}).sample_us(Zero()) < 1_000_000


def test_empirical_draws_are_the_given_values_equally_often() -> None:
    values = draws("{empirical: [1s, 1.2s, 9s]}")
    assert [values.count(us) / len(values) for us in (1_000_000, 1_200_000, 9_000_000)] == pytest.approx(
        [1 / 3] * 3, abs=0.02
    )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("250ms", "always 250ms"),
        ("{uniform: {min: 1s, max: 3s}}", "uniform, 1s to 3s"),
        ("{exponential: {mean: 1m30s}}", "exponential, mean 1m30s"),
        ("{lognormal: {median: 1.5s, p99: 10s}}", "lognormal, median 1.5s, p99 10s"),
        ("{empirical: [3s, 1s]}", "one of 2 values, 1s to 3s"),
    ],
)
def test_a_distribution_describes_itself(form: str, words: str) -> None:
    assert parse(yaml.safe_load(form)).describe() == words


def test_numbers_without_a_source_are_assumed() -> None:
    assert parse("2s").source == "assumed"
    assert parse({"uniform": {"min": "1s", "max": "2s"}}).source == "assumed"
    assert parse({"constant": "2s", "source": "measured"}) == Constant(2_000_000, "measured")


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ("-2s", "negative"),
        ("2", "not a duration"),
        ("2.5", "unit"),
        ("{}", "exactly one of"),
        ("{gamma: 2s}", "not gamma"),
        ("{constant: 2s, exponential: {mean: 1s}}", "not constant, exponential"),
        ("{constant: 2s, source: ''}", "source"),
        ("{constant: {a: 1}}", "constant"),
        ("{uniform: {min: 3s, max: 1s}}", "less than min"),
        ("{uniform: {min: 3s}}", "expected {min: …, max: …}"),
        ("{uniform: {min: 3s, max: x}}", "uniform.max"),
        ("{exponential: 2s}", "expected {mean: …}"),
        ("{lognormal: {median: 1s}}", "expected {median: …, p99: …}"),
        ("{lognormal: {median: 1s, p99: 0.5s}}", "median <= p99"),
        ("{lognormal: {median: 0s, p99: 5s}}", "median <= p99"),
        ("{lognormal: {median: 0s, sigma: 1}}", "median must be longer than 0"),
        ("{lognormal: {median: 1s, sigma: -1}}", "sigma must be 0 or more"),
        ("{lognormal: {median: 1s, sigma: .nan}}", "sigma must be 0 or more"),
        ("{lognormal: {median: 1s, sigma: wide}}", "lognormal.sigma"),
        ("{lognormal: {median: 1s, sigma: 1, p99: 2s}}", "expected {median: …, sigma: …}"),
        ("{empirical: []}", "between 1 and"),
        ("{empirical: 2s}", "list of durations"),
        ("{empirical: [1s, 2]}", r"empirical\[1\]"),
    ],
)
def test_a_malformed_form_is_refused_in_one_line_that_names_the_bad_part(form: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        parse(yaml.safe_load(form))
    assert "\n" not in str(refusal.value)
