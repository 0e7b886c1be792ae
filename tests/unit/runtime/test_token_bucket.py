import pytest

from controller.runtime.bucket import TokenBucket


def test_a_full_bucket_gives_its_burst_at_once_and_then_one_token_per_interval() -> None:
    bucket = TokenBucket(qps=20, burst=20)
    assert [bucket.reserve_s(100.0) for _ in range(20)] == [0.0] * 20
    assert [bucket.reserve_s(100.0) for _ in range(3)] == pytest.approx([0.05, 0.10, 0.15])


def test_reserved_tokens_are_owed_before_new_ones_are_given() -> None:
    bucket = TokenBucket(qps=1, burst=1)
    assert bucket.reserve_s(0.0) == 0.0
    assert bucket.reserve_s(0.0) == pytest.approx(1.0)
    assert bucket.reserve_s(0.5) == pytest.approx(1.5)
    assert bucket.reserve_s(3.0) == 0.0


def test_an_idle_bucket_saves_no_more_than_its_burst() -> None:
    bucket = TokenBucket(qps=10, burst=3)
    for _ in range(3):
        bucket.reserve_s(0.0)
    assert [bucket.reserve_s(1_000.0) for _ in range(4)] == pytest.approx([0.0, 0.0, 0.0, 0.1])


@pytest.mark.parametrize("qps", [3, 7, 10, 50, 1 / 3])
def test_rounding_never_makes_anyone_wait_for_a_token_that_is_there(qps: float) -> None:
    for tenths in range(50):
        bucket = TokenBucket(qps, 11)
        assert [bucket.reserve_s(tenths / 10) for _ in range(11)] == [0.0] * 11


def test_taking_never_reserves() -> None:
    bucket = TokenBucket(qps=1 / 300, burst=2)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, False, False]
    assert not bucket.take(299.9)
    assert bucket.take(300.0)
    assert not bucket.take(300.0)


def test_long_use_does_not_drift() -> None:
    bucket = TokenBucket(qps=20, burst=20)
    now_s = 0.0
    for _ in range(20_020):
        now_s += bucket.reserve_s(now_s)
    assert now_s == pytest.approx(1_000.0, abs=1e-6)


@pytest.mark.parametrize(("qps", "burst"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_a_bucket_that_never_fills_is_refused(qps: float, burst: int) -> None:
    with pytest.raises(ValueError, match="token bucket"):
        TokenBucket(qps, burst)
