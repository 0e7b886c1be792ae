"""The time limits of a run, and the instants they are counted from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sim.clock import Clock
from sim.loop import Loop
from sim.workload.durations import parse_us

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_LIMITS: Mapping[str, Any] = {}
parse_duration_us = lru_cache(maxsize=1024)(parse_us)


@lru_cache(maxsize=65536)
def parse_timestamp_us(text: str) -> int:
    """An RFC 3339 time as microseconds since 1970."""
    return (datetime.fromisoformat(text) - _UNIX) // _MICROSECOND


class Timepiece:
    """The time of day of one process, as text for objects and as microseconds since 1970 for arithmetic."""

    __slots__ = ("_calendar", "_clock", "_offset_us", "_second", "_text")

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._calendar = loop.env
        self._clock = clock
        self._offset_us = (clock.utcnow() - _UNIX) // _MICROSECOND - loop.now_us
        self._second = -1
        self._text = ""

    def now_us(self) -> int:
        return self._calendar._now + self._offset_us

    def timestamp(self) -> str:
        """Now as ``metav1.Time``; asked for several times in nearly every attempt, so the answer is kept."""
        second = self._calendar._now // 1_000_000
        if second != self._second:
            self._second = second
            self._text = self._clock.timestamp()
        return self._text


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Limits of one PipelineRun in microseconds; 0 is no limit, None is not set.

    ``start_us`` and ``finally_start_us`` are whole seconds, as the status keeps them, so a limit is up to a second
    shorter than it says.
    """

    pipeline_us: int
    tasks_us: int | None
    finally_us: int | None
    start_us: int | None
    finally_start_us: int | None

    def pipeline_over(self, now_us: int) -> bool:
        return self.start_us is not None and 0 < self.pipeline_us < now_us - self.start_us

    def pipeline_long_over(self, now_us: int) -> bool:
        return self.start_us is not None and 0 < 2 * self.pipeline_us <= now_us - self.start_us

    def tasks_over(self, now_us: int) -> bool:
        return self.start_us is not None and bool(self.tasks_us) and now_us - self.start_us > self.tasks_us  # type: ignore[operator]

    def finally_over(self, now_us: int) -> bool:
        start_us = self.finally_start_us
        return start_us is not None and bool(self.finally_us) and now_us - start_us > self.finally_us  # type: ignore[operator]

    def part_over(self, now_us: int) -> bool:
        """Whether the time of ``finally`` is over once that has started, before it whether that of the tasks is."""
        return self.tasks_over(now_us) if self.finally_start_us is None else self.finally_over(now_us)

    def wait_us(self, now_us: int) -> int | None:
        """How long until the next limit is due; negative when it has passed; None when there is none."""
        if self.start_us is None:
            return None
        elapsed_us = now_us - self.start_us
        pipeline_us = self.pipeline_us - elapsed_us if self.pipeline_us else None
        if self.finally_start_us is None:
            return self.tasks_us - elapsed_us if self.tasks_us else pipeline_us
        if not self.finally_us:
            return pipeline_us
        finally_us = self.finally_us - (now_us - self.finally_start_us)
        return finally_us if pipeline_us is None else min(finally_us, pipeline_us)


def deadlines_of(pipeline_run: Mapping[str, Any], status: Mapping[str, Any], default_us: int) -> Deadlines:
    """The limits of a PipelineRun. ``tasks`` and ``finally`` follow from each other where one is left out."""
    timeouts = pipeline_run["spec"].get("timeouts") or _NO_LIMITS
    get = timeouts.get
    return _deadlines(
        get("pipeline"),
        get("tasks"),
        get("finally"),
        status.get("startTime"),
        status.get("finallyStartTime"),
        default_us,
    )


@lru_cache(maxsize=4096)
def _deadlines(
    pipeline: str | None,
    tasks: str | None,
    final: str | None,
    start: str | None,
    finally_start: str | None,
    default_us: int,
) -> Deadlines:
    pipeline_us = parse_duration_us(pipeline) if pipeline else default_us
    tasks_us = parse_duration_us(tasks) if tasks else None
    finally_us = parse_duration_us(final) if final else None
    if pipeline:
        if tasks_us is None and finally_us is not None:
            tasks_us = pipeline_us - finally_us if pipeline_us and finally_us else None
        elif finally_us is None and tasks_us is not None:
            finally_us = pipeline_us - tasks_us if pipeline_us and tasks_us else None
    return Deadlines(
        pipeline_us,
        tasks_us,
        finally_us,
        parse_timestamp_us(start) if start else None,
        parse_timestamp_us(finally_start) if finally_start else None,
    )
