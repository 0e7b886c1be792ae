"""Statistics of a sample: pure functions, cheap, importable alone.

Percentiles are Hyndman and Fan's type 7 (the default of numpy and R): with the values sorted as x[0..n-1] and
h = (n - 1) * p, the percentile is x[floor(h)] interpolated linearly towards x[floor(h) + 1]. The p99 of fewer than
100 values is therefore little more than the maximum: :data:`ENOUGH` says from which n on a percentile speaks.
An empty sample has n = 0 and None for everything else. NaN and infinities are refused.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ENOUGH = {"p95": 20, "p99": 100}
"""The smallest n at which at least one value is expected beyond the percentile."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of ``n`` values, in their own unit."""

    n: int
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


def describe(values: Iterable[float]) -> Statistics:
    """All of them at once; sorts one time. Raises ValueError on NaN or an infinity."""
    ordered = _sorted(values)
    if not ordered:
        return Statistics(0, None, None, None, None, None)
    return Statistics(
        len(ordered),
        mean(ordered),
        quantile(ordered, 0.50),
        quantile(ordered, 0.95),
        quantile(ordered, 0.99),
        float(ordered[-1]),
    )


def statistic(name: str, values: Iterable[float]) -> float | None:
    """The one called ``name``: ``n``, ``mean``, ``min``, ``max``, ``median`` or a percentile (``p95``, ``p99.9``).

    None when there are no values (``n`` is 0 then). Raises ValueError on an unknown name, NaN or an infinity.
    """
    key = name.strip().lower()
    percentile = _PERCENTILE.fullmatch("p50" if key == "median" else key)
    if percentile is None and key not in {"n", "mean", "min", "max"}:
        raise ValueError(f'unknown statistic "{name}"; known are n, mean, min, max, median and percentiles like p95')
    ordered = _sorted(values)
    if key == "n":
        return float(len(ordered))
    if not ordered:
        return None
    if percentile is not None:
        return quantile(ordered, float(percentile[1]) / 100)
    if key == "mean":
        return mean(ordered)
    return float(ordered[0] if key == "min" else ordered[-1])


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value, summed without rounding on the way."""
    return math.fsum(values) / len(values)


def quantile(ordered: Sequence[float], q: float) -> float:
    """The type-7 quantile at ``q`` (0 to 1) of at least one value, already sorted."""
    if not 0 <= q <= 1:
        raise ValueError(f"expected a quantile from 0 to 1, found {q}")
    position = (len(ordered) - 1) * q
    below = math.floor(position)
    if below + 1 >= len(ordered):
        return float(ordered[-1])
    low, high, part = ordered[below], ordered[below + 1], position - below
    # From the nearer end, so that rounding can never carry the result past either of them.
    return float(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))


def _sorted(values: Iterable[float]) -> list[float]:
    ordered = sorted(values)
    if not all(map(math.isfinite, ordered)):
        raise ValueError("expected finite numbers, found NaN or an infinity")
    return ordered
