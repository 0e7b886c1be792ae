"""The time of day in the simulated world: an epoch plus the loop's microseconds."""

from datetime import UTC, datetime, timedelta

from sim.loop import Loop

EPOCH = datetime(2026, 1, 5, 8, 0, 0, tzinfo=UTC)  # a Monday morning, far from any leap second
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Implements ``controller.ports.Clock`` and formats the API server's timestamps.

    ``skew_s`` shifts what one process believes the time to be.
    """

    def __init__(self, loop: Loop, *, epoch: datetime = EPOCH, skew_s: float = 0.0) -> None:
        self._loop = loop
        self._epoch = epoch + timedelta(seconds=skew_s)
        self._epoch_us = (self._epoch - _UNIX) // timedelta(microseconds=1)
        self._second = -1
        self._text = ""

    def utcnow(self) -> datetime:
        return self._epoch + timedelta(microseconds=self._loop.now_us)

    def unix_us(self) -> int:
        """The same in microseconds since 1970: for those who tell the time often, and need no datetime."""
        return self._epoch_us + self._loop.now_us

    def timestamp(self) -> str:
        """Now as ``metav1.Time``: RFC 3339, truncated to the second."""
        second = self._loop.now_us // 1_000_000
        if second != self._second:
            self._second = second
            self._text = (self._epoch + timedelta(seconds=second)).isoformat()[:19] + "Z"  # strftime is dear
        return self._text

    def microtimestamp(self) -> str:
        """Now as ``metav1.MicroTime``: RFC 3339 with six decimals."""
        return self.utcnow().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
