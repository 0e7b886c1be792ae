"""One arrival, as processes draw it and traces record it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request for work. ``target`` is None where the workload is to choose one."""

    at_us: int
    target: str | None = None
