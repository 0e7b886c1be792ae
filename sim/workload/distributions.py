"""How long things take: every latency and service time of the simulated world is one of these.

A draw consumes exactly one uniform of its stream, whatever the distribution, so that two scenarios which differ
in one distribution meet the same luck everywhere else (common random numbers).

The short form, in YAML:

* ``2s``: always that long
* ``{uniform: {min: 1s, max: 3s}}``
* ``{exponential: {mean: 2s}}``
* ``{lognormal: {median: 1.5s, p99: 10s}}`` or ``{lognormal: {median: 1.5s, sigma: 0.8}}``
* ``{empirical: [1s, 1.2s, 9s]}``: one of the values, all equally likely
* any mapping may say where its numbers come from: ``{constant: 2s, source: "measured, kind 1.35"}``
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from random import Random
from statistics import NormalDist, _normal_dist_inv_cdf  # type: ignore[attr-defined]  # absent from typeshed
from typing import Any, Protocol

from sim.workload.durations import format_us, parse_us

ASSUMED = "assumed"
_Z99 = NormalDist().inv_cdf(0.99)
_TINY = 2.0**-54  # stands in for the uniform 0.0, where quantiles are infinite
_LONGEST_US = 3_155_760_000_000_000  # a hundred years: what an unbounded tail is cut at
_VALUES_MAX = 1_000_000


class Distribution(Protocol):
    """A distribution of durations. Frozen and stateless: shared freely between models, runs and processes."""

    @property
    def source(self) -> str:
        """Where the numbers come from, or ``assumed``."""
        ...

    def sample_us(self, stream: Random) -> int:
        """Draw a duration in microseconds, never negative; takes one ``stream.random()``."""
        ...

    def describe(self) -> str:
        """The distribution in a reader's words, without its source."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    value_us: int
    source: str = ASSUMED

    def sample_us(self, stream: Random) -> int:
        stream.random()
        return self.value_us

    def describe(self) -> str:
        return f"always {format_us(self.value_us)}"


@dataclass(frozen=True, slots=True)
class Uniform:
    min_us: int
    max_us: int
    source: str = ASSUMED

    def __post_init__(self) -> None:
        if self.max_us < self.min_us:
            raise ValueError(f"uniform: max {format_us(self.max_us)} is less than min {format_us(self.min_us)}")

    def sample_us(self, stream: Random) -> int:
        return self.min_us + int(stream.random() * (self.max_us - self.min_us + 1))

    def describe(self) -> str:
        return f"uniform, {format_us(self.min_us)} to {format_us(self.max_us)}"


@dataclass(frozen=True, slots=True)
class Exponential:
    mean_us: int
    source: str = ASSUMED

    def sample_us(self, stream: Random) -> int:
        return round(-log(1.0 - stream.random()) * self.mean_us)

    def describe(self) -> str:
        return f"exponential, mean {format_us(self.mean_us)}"


@dataclass(frozen=True, slots=True)
class Lognormal:
    """``sigma`` is the standard deviation of the logarithm."""

    median_us: int
    sigma: float
    source: str = ASSUMED

    def __post_init__(self) -> None:
        if not self.median_us > 0:
            raise ValueError("lognormal: median must be longer than 0")
        if not (isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"lognormal: sigma must be 0 or more, not {self.sigma!r}")

    def sample_us(self, stream: Random) -> int:
        # NormalDist.inv_cdf checks what holds here anyhow, at twice the price of what it then calls.
        exponent = self.sigma * _normal_dist_inv_cdf(stream.random() or _TINY, 0.0, 1.0)
        # Above e**80 the tail is cut in any case, and exp() would overflow not far beyond.
        if exponent >= 80:
            return _LONGEST_US
        drawn_us = round(self.median_us * exp(exponent))
        return drawn_us if drawn_us < _LONGEST_US else _LONGEST_US

    def describe(self) -> str:
        p99_us = min(self.median_us * exp(min(self.sigma * _Z99, 80)), _LONGEST_US)
        return f"lognormal, median {format_us(self.median_us)}, p99 {format_us(round(p99_us))}"


@dataclass(frozen=True, slots=True)
class Empirical:
    values_us: tuple[int, ...]
    source: str = ASSUMED

    def __post_init__(self) -> None:
        if not 0 < len(self.values_us) <= _VALUES_MAX:
            raise ValueError(f"empirical: between 1 and {_VALUES_MAX} values are needed, not {len(self.values_us)}")

    def sample_us(self, stream: Random) -> int:
        values = self.values_us
        return values[int(stream.random() * len(values))]

    def describe(self) -> str:
        low, high = format_us(min(self.values_us)), format_us(max(self.values_us))
        return f"one of {len(self.values_us)} values, {low} to {high}"


def parse(form: Any) -> Distribution:
    """Read the short form (see the module). Raises ValueError: one line naming the bad part and what is expected."""
    if not isinstance(form, Mapping):
        return Constant(parse_us(form))
    source = form.get("source", ASSUMED)
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"source must be a text, not {source!r:.60}")
    names = [name for name in form if name != "source"]
    if len(names) != 1 or names[0] not in _PARSERS:
        given = ", ".join(f"{name!s:.40}" for name in names) or "nothing"
        raise ValueError(f"a distribution is exactly one of {', '.join(_PARSERS)}, not {given}")
    return _PARSERS[names[0]](form[names[0]], source)


def _fields(name: str, form: Any, expected: Sequence[str]) -> Sequence[Any]:
    if not isinstance(form, Mapping) or set(form) != set(expected):
        raise ValueError(f"{name}: expected {{{', '.join(f'{field}: …' for field in expected)}}}, not {form!r:.80}")
    return [form[field] for field in expected]


def _duration_us(name: str, text: Any) -> int:
    try:
        return parse_us(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _constant(form: Any, source: str) -> Distribution:
    return Constant(_duration_us("constant", form), source)


def _uniform(form: Any, source: str) -> Distribution:
    low, high = _fields("uniform", form, ("min", "max"))
    return Uniform(_duration_us("uniform.min", low), _duration_us("uniform.max", high), source)


def _exponential(form: Any, source: str) -> Distribution:
    (mean,) = _fields("exponential", form, ("mean",))
    return Exponential(_duration_us("exponential.mean", mean), source)


def _lognormal(form: Any, source: str) -> Distribution:
    if isinstance(form, Mapping) and "sigma" in form:
        median, sigma = _fields("lognormal", form, ("median", "sigma"))
        if isinstance(sigma, bool) or not isinstance(sigma, int | float):
            raise ValueError(f"lognormal.sigma: expected a number, not {sigma!r:.60}")
        return Lognormal(_duration_us("lognormal.median", median), float(sigma), source)
    median, p99 = _fields("lognormal", form, ("median", "p99"))
    median_us, p99_us = _duration_us("lognormal.median", median), _duration_us("lognormal.p99", p99)
    if not 0 < median_us <= p99_us:
        raise ValueError(f"lognormal: expected 0 < median <= p99, not median {median}, p99 {p99}")
    return Lognormal(median_us, log(p99_us / median_us) / _Z99, source)


def _empirical(form: Any, source: str) -> Distribution:
    if not isinstance(form, list | tuple):
        raise ValueError(f"empirical: expected a list of durations, not {form!r:.60}")
    return Empirical(tuple(_duration_us(f"empirical[{i}]", text) for i, text in enumerate(form)), source)


_PARSERS: Mapping[str, Callable[[Any, str], Distribution]] = {
    "constant": _constant,
    "uniform": _uniform,
    "exponential": _exponential,
    "lognormal": _lognormal,
    "empirical": _empirical,
}
