"""The machine's own time of day."""

from datetime import UTC, datetime


class SystemClock:
    """Implements ``controller.ports.Clock``."""

    def utcnow(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  # the one place that may look at the clock on the wall
