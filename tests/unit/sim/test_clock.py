from datetime import UTC, datetime, timedelta

from sim.clock import EPOCH, Clock
from sim.loop import Loop


def test_the_time_of_day_is_the_epoch_plus_virtual_time() -> None:
    loop = Loop()
    clock = Clock(loop)
    assert clock.utcnow() == EPOCH
    loop.run_until(90_000_001)
    assert clock.utcnow() == EPOCH + timedelta(seconds=90, microseconds=1)
    assert clock.utcnow().tzinfo is UTC


def test_timestamps_are_truncated_to_the_second_as_the_api_server_does() -> None:
    loop = Loop()
    clock = Clock(loop, epoch=datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC))
    assert clock.timestamp() == "2026-02-28T23:59:59Z"
    loop.run_until(999_999)
    assert clock.timestamp() == "2026-02-28T23:59:59Z"
    loop.run_until(1_000_000)
    assert clock.timestamp() == "2026-03-01T00:00:00Z"


def test_microtimestamps_have_six_decimals() -> None:
    loop = Loop()
    clock = Clock(loop)
    assert clock.microtimestamp() == "2026-01-05T08:00:00.000000Z"
    loop.run_until(1_250_000)
    assert clock.microtimestamp() == "2026-01-05T08:00:01.250000Z"


def test_a_skewed_clock_differs_by_its_skew_only() -> None:
    loop = Loop()
    clock = Clock(loop, skew_s=-2.5)
    loop.run_until(10_000_000)
    assert clock.utcnow() == EPOCH + timedelta(seconds=7.5)
    assert clock.microtimestamp() == "2026-01-05T08:00:07.500000Z"
