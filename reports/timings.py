"""The named timings of an execution, in the words that features use: `Then p95 of "creation to running" …`.

An execution is anything that has the ``*_us`` fields of a record's ``execution`` line, as attributes or as a dict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """The time from one instant of an execution to another; ``start`` and ``end`` name its fields."""

    name: str
    start: str
    end: str
    meaning: str
    occasional: bool = False
    """Whether it is left out where no execution has its start."""

    def of_us(self, execution: object) -> int | None:
        """Microseconds, or None when either instant was not reached."""
        start, end = _instant(execution, self.start), _instant(execution, self.end)
        return None if start is None or end is None else end - start

    def is_open(self, execution: object) -> bool:
        """Whether it had begun and might still have ended, had the run gone on: a censored value, not a missing one."""
        if _instant(execution, self.start) is None or _instant(execution, self.end) is not None:
            return False
        if self.end == "lock_released_us":
            return _field(execution, "pipeline_run") is not None and _instant(execution, "deleted_us") is None
        return bool(_field(execution, "censored"))


TIMINGS: tuple[Timing, ...] = (
    Timing(
        "creation to PipelineRun",
        "created_us",
        "pipeline_run_created_us",
        "from the creation of the WorkflowExecution to that of its PipelineRun, which is the lock on the target",
    ),
    Timing(
        "creation to running",
        "created_us",
        "running_us",
        "from the creation of the WorkflowExecution until its phase is Running",
    ),
    Timing(
        "running to terminal",
        "running_us",
        "terminal_us",
        "from phase Running to phase Completed or Failed",
    ),
    Timing(
        "PipelineRun finished to noticed",
        "pipeline_run_finished_us",
        "terminal_us",
        "from the end of the PipelineRun until the WorkflowExecution says so: how late the controller is",
    ),
    Timing(
        "terminal to lock released",
        "terminal_us",
        "lock_released_us",
        "from phase Completed or Failed until the PipelineRun, and with it the lock, is gone: the cooldown",
    ),
    Timing(
        "hazard to terminal",
        "hazard_us",
        "terminal_us",
        "from the instant at which something befell the execution until its phase is Completed or Failed",
        occasional=True,
    ),
)
_BY_NAME = {timing.name.lower(): timing for timing in TIMINGS}


def timing(name: str) -> Timing:
    """The timing called ``name``, in any casing. Raises ValueError that lists the known ones."""
    found = _BY_NAME.get(" ".join(name.lower().split()))
    if found is None:
        known = ", ".join(f'"{each.name}"' for each in TIMINGS)
        raise ValueError(f'unknown timing "{name}"; known are {known}')
    return found


def seconds(which: Timing, executions: Iterable[object]) -> list[float]:
    """The timing of every execution that reached both instants, in seconds and in the order given."""
    values = (which.of_us(execution) for execution in executions)
    return [value / _US for value in values if value is not None]


def _instant(execution: object, name: str) -> int | None:
    value: int | None = _field(execution, name)
    return value


def _field(execution: object, name: str) -> Any:
    if isinstance(execution, dict):
        return execution.get(name)
    return getattr(execution, name, None)
