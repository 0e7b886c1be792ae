"""When work arrives: arrivals with whole microseconds since the world began, in order of time.

The short form, in YAML:

* ``{burst: {count: 100, at: 5s}}``: all at one instant
* ``{fixed: {per_second: 6, count: 1000}}``: one after the other, evenly
* ``{poisson: {per_second: 6, count: 1000}}``: independently of each other, at that rate on average
* ``{trace: arrivals.csv}``: as recorded, see :mod:`sim.workload.trace`
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, log
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sim.workload.arrival import Arrival
from sim.workload.durations import format_us, parse_us
from sim.workload.trace import read_trace

_COUNT_MAX = 10_000_000


class Arrivals(Protocol):
    """Frozen and stateless: shared freely between runs."""

    def sample(self, stream: Random) -> Iterator[Arrival]:
        """The arrivals of one run, as they are needed, in order of time; draws from ``stream`` alone."""
        ...

    def describe(self) -> str:
        """The arrivals in a reader's words."""
        ...


@dataclass(frozen=True, slots=True)
class Burst:
    count: int
    at_us: int = 0

    def sample(self, stream: Random) -> Iterator[Arrival]:  # noqa: ARG002 - nothing to draw
        arrival = Arrival(self.at_us)
        for _ in range(self.count):
            yield arrival

    def describe(self) -> str:
        return f"{self.count} at once, after {format_us(self.at_us)}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """The first arrival is at once. Roundings do not add up."""

    per_second: float
    count: int

    def sample(self, stream: Random) -> Iterator[Arrival]:  # noqa: ARG002 - nothing to draw
        interval_us = 1_000_000 / self.per_second
        for number in range(self.count):
            yield Arrival(round(number * interval_us))

    def describe(self) -> str:
        return f"{self.count}, {self.per_second:g} a second, evenly"


@dataclass(frozen=True, slots=True)
class Poisson:
    """The first arrival comes after a first wait."""

    per_second: float
    count: int

    def sample(self, stream: Random) -> Iterator[Arrival]:
        mean_us, draw, at_us = 1_000_000 / self.per_second, stream.random, 0.0
        for _ in range(self.count):
            at_us -= log(1.0 - draw()) * mean_us
            yield Arrival(round(at_us))

    def describe(self) -> str:
        return f"{self.count}, {self.per_second:g} a second on average (Poisson)"


@dataclass(frozen=True, slots=True)
class Trace:
    arrivals: tuple[Arrival, ...]
    name: str

    def sample(self, stream: Random) -> Iterator[Arrival]:  # noqa: ARG002 - nothing to draw
        return iter(self.arrivals)

    def describe(self) -> str:
        return f"{len(self.arrivals)}, as recorded in {self.name}"


def parse(form: Any, folder: Path = Path()) -> Arrivals:
    """Read the short form (see the module); a trace's path is relative to ``folder``.

    Raises ValueError: one line naming the bad part and what is expected.
    """
    if not isinstance(form, Mapping) or len(form) != 1 or next(iter(form)) not in _PARSERS:
        raise ValueError(f"arrivals are exactly one of {', '.join(_PARSERS)}, not {form!r:.80}")
    ((name, fields),) = form.items()
    return _PARSERS[name](name, fields, folder)


def _burst(name: str, fields: Any, _: Path) -> Arrivals:
    if not isinstance(fields, Mapping):
        fields = {"count": fields}
    at = fields.get("at", "0")
    (count,) = _fields(name, {key: fields[key] for key in fields if key != "at"}, ("count",), "{count: 100, at: 5s}")
    try:
        return Burst(_count(name, count), parse_us(at))
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith(name) else f"{name}.at: {error}") from None


def _rated(kind: Callable[[float, int], Arrivals]) -> Callable[[str, Any, Path], Arrivals]:
    def parse_rated(name: str, fields: Any, _: Path) -> Arrivals:
        rate, count = _fields(name, fields, ("per_second", "count"), "{per_second: 6, count: 1000}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not (isfinite(rate) and rate > 0):
            raise ValueError(f"{name}.per_second: expected a number above 0, not {rate!r:.60}")
        return kind(float(rate), _count(name, count))

    return parse_rated


def _trace(name: str, path: Any, folder: Path) -> Arrivals:
    if not isinstance(path, str) or not path:
        raise ValueError(f"{name}: expected the path of a .csv or .jsonl file, not {path!r:.60}")
    arrivals = tuple(read_trace(folder / path))
    if not arrivals:
        raise ValueError(f"trace: {folder / path} holds no arrival; expected one a line")
    return Trace(arrivals, path)


_PARSERS: Mapping[str, Callable[[str, Any, Path], Arrivals]] = {
    "burst": _burst,
    "fixed": _rated(Fixed),
    "poisson": _rated(Poisson),
    "trace": _trace,
}


def _fields(name: str, form: Any, expected: tuple[str, ...], example: str) -> list[Any]:
    if not isinstance(form, Mapping) or set(form) != set(expected):
        raise ValueError(f"{name}: expected the form {example}, not {form!r:.80}")
    return [form[field] for field in expected]


def _count(name: str, count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= _COUNT_MAX:
        raise ValueError(f"{name}.count: expected a whole number from 1 to {_COUNT_MAX}, not {count!r:.60}")
    return count
