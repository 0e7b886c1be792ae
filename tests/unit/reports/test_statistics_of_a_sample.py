import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.statistics import Statistics, describe, mean, quantile, statistic

finite = st.floats(-1e12, 1e12, allow_subnormal=False)


def sample(n: int) -> list[float]:
    draw = random.Random(n)
    return [draw.lognormvariate(0, 1.5) for _ in range(n)]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 99, 100, 101, 1000])
def test_all_statistics_agree_with_numpy_and_scipy(n: int) -> None:
    values = sample(n)
    found = describe(values)
    assert found.n == n
    assert found.mean == pytest.approx(float(np.mean(values)), rel=1e-12)
    assert found.max == float(np.max(values))
    for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert getattr(found, name) == float(np.percentile(values, percent, method="linear"))
        assert getattr(found, name) == pytest.approx(stats.mstats.mquantiles(values, [percent / 100], 1, 1)[0])


@given(st.lists(finite, min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_lies_within_the_sample_and_is_numpys(values: list[float], q: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, q)
    assert ordered[0] <= found <= ordered[-1]
    assert found == pytest.approx(float(np.quantile(ordered, q)), rel=1e-9, abs=1e-9)


def test_an_empty_sample_has_no_statistics_but_its_n() -> None:
    assert describe([]) == Statistics(0, None, None, None, None, None)
    assert statistic("n", []) == 0
    assert [statistic(name, []) for name in ("mean", "min", "max", "p95")] == [None] * 4


def test_the_order_of_the_values_does_not_matter_and_they_are_left_alone() -> None:
    values = [3.0, 1.0, 2.0]
    assert describe(values) == describe(reversed(values))
    assert values == [3.0, 1.0, 2.0]


def test_small_values_survive_beside_large_ones_in_the_mean() -> None:
    assert mean([1e16, 1.0, -1e16, 1.0]) == 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [("n", 4), ("mean", 2.5), ("min", 1), ("max", 4), ("median", 2.5), ("P50", 2.5), ("p95", 3.85), (" p99.9 ", 3.997)],
)
def test_a_statistic_is_found_by_the_name_a_step_gives_it(name: str, expected: float) -> None:
    assert statistic(name, [4, 2, 1, 3]) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["p100", "p-1", "average", "", "p"])
def test_an_unknown_statistic_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match="known are n, mean, min, max, median and percentiles like p95"):
        statistic(name, [1.0])


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="expected finite numbers"):
        describe([1.0, wrong])
    with pytest.raises(ValueError, match="expected finite numbers"):
        statistic("p95", [wrong])
    with pytest.raises(ValueError, match="expected a quantile from 0 to 1"):
        quantile([1.0], wrong)


def test_statistics_and_timings_can_be_imported_without_the_drawing_library() -> None:
    program = (
        "import sys, reports.statistics, reports.timings; sys.exit('numpy' in sys.modules or 'jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
