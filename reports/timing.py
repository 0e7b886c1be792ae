"""A timing: where in the life of an execution or a remediation it begins and ends.

Either is anything that has the fields of its line in a record, as attributes or as a dict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Subject = Literal["execution", "remediation"]


@dataclass(frozen=True, slots=True)
class Timing:
    """The time from one instant to another; ``start`` and ``end`` name fields, or instants that follow from some."""

    name: str
    start: str
    end: str
    meaning: str
    occasional: bool = False
    """Whether it is left out where nothing has its start."""
    subject: Subject = "execution"

    @property
    def counted(self) -> str:
        """What there are n of."""
        return f"{self.subject}s"

    def of_us(self, subject: object) -> int | None:
        """Microseconds, or None when either instant was not reached."""
        start, end = _instant(subject, self.start), _instant(subject, self.end)
        return None if start is None or end is None else end - start

    def is_open(self, subject: object) -> bool:
        """Whether it had begun and might still have ended, had the run gone on: a censored value, not a missing one."""
        if _instant(subject, self.start) is None or _instant(subject, self.end) is not None:
            return False
        if self.end == "lock_released_us":
            return _field(subject, "pipeline_run") is not None and _instant(subject, "deleted_us") is None
        return bool(_field(subject, "censored"))

    def spent_us(self, subject: object) -> Sequence[int]:
        """Its one value, or none."""
        value = self.of_us(subject)
        return () if value is None else (value,)


@dataclass(frozen=True, slots=True)
class Stay:
    """The time of each stay of a remediation in one phase; what a deletion cut short is no value."""

    name: str
    phase: str
    meaning: str
    occasional: bool = False
    """Whether it is left out where nothing was ever in the phase."""

    @property
    def subject(self) -> Subject:
        return "remediation"

    @property
    def counted(self) -> str:
        """What there are n of."""
        return "stays"

    def spent_us(self, subject: object) -> Sequence[int]:
        """One value for each stay that is over, in microseconds."""
        return [
            until - since for (phase, since), (_, until) in pairwise(_field(subject, "phases")) if phase == self.phase
        ]

    def is_open(self, subject: object) -> bool:
        """Whether it was there when the run ended."""
        return bool(_field(subject, "phase") == self.phase and _field(subject, "censored"))


Measure = Timing | Stay


def _executing_us(remediation: object) -> int | None:
    return next((at_us for phase, at_us in _field(remediation, "phases") if phase == "Executing"), None)


def _remediated_us(remediation: object) -> int | None:
    at_us: int | None = _field(remediation, "terminal_us")
    return at_us if _field(remediation, "outcome") == "Remediated" else None


_DERIVED: Mapping[str, Callable[[object], int | None]] = {
    "executing_us": _executing_us,
    "remediated_us": _remediated_us,
}
"""Instants that are no field of a remediation's line."""


def _instant(subject: object, name: str) -> int | None:
    derived = _DERIVED.get(name)
    if derived is not None:
        return derived(subject)
    value: int | None = _field(subject, name)
    return value


def _field(subject: object, name: str) -> Any:
    if isinstance(subject, dict):
        return subject.get(name)
    return getattr(subject, name, None)
