"""Durations in files: written as Kubernetes writes them, kept in seconds."""

from typing import Annotated

from pydantic import AfterValidator, PlainValidator

from sim.workload.durations import format_us, parse_us


class Duration(float):
    """Seconds that are shown as Kubernetes writes durations."""

    def __str__(self) -> str:
        return format_us(self.us)

    @property
    def us(self) -> int:
        return round(self * 1_000_000)


def _above_zero(seconds: Duration) -> Duration:
    if seconds <= 0:
        raise ValueError("expected a duration above 0, such as 5m")
    return seconds


Seconds = Annotated[Duration, PlainValidator(lambda form: Duration(parse_us(form) / 1_000_000))]
"""A duration such as ``5m``, kept in seconds."""

SomeSeconds = Annotated[Seconds, AfterValidator(_above_zero)]
"""As :data:`Seconds`, and longer than nothing."""
