import random

import pytest

from controller.runtime.backoff import ItemBackoff, JitteredBackoff


def test_an_item_waits_twice_as_long_each_time_from_5_ms_up_to_1000_s() -> None:
    backoff: ItemBackoff[str] = ItemBackoff()
    waits = [backoff.next_s("a") for _ in range(20)]
    assert waits[:5] == pytest.approx([0.005, 0.010, 0.020, 0.040, 0.080])
    assert waits[17:] == pytest.approx([0.005 * 2**17, 1000.0, 1000.0])


def test_items_do_not_share_their_failures() -> None:
    backoff: ItemBackoff[str] = ItemBackoff()
    for _ in range(5):
        backoff.next_s("a")
    assert backoff.next_s("b") == 0.005
    assert (backoff.failures("a"), backoff.failures("b"), backoff.failures("c")) == (5, 1, 0)


def test_a_forgotten_item_starts_over() -> None:
    backoff: ItemBackoff[str] = ItemBackoff()
    backoff.next_s("a")
    backoff.next_s("a")
    backoff.forget("a")
    backoff.forget("never seen")
    assert backoff.failures("a") == 0
    assert backoff.next_s("a") == 0.005


def test_endless_failure_does_not_overflow() -> None:
    backoff: ItemBackoff[str] = ItemBackoff()
    assert max(backoff.next_s("a") for _ in range(5_000)) == 1000.0


def test_a_jittered_wait_lies_between_once_and_twice_its_base() -> None:
    backoff = JitteredBackoff(random.Random(1))
    for base_s in [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]:
        assert base_s <= backoff.next_s() <= 2 * base_s
    backoff.reset()
    assert backoff.next_s() <= 1.6


def test_jitter_repeats_with_its_stream() -> None:
    assert JitteredBackoff(random.Random(3)).next_s() == JitteredBackoff(random.Random(3)).next_s()
    assert JitteredBackoff(random.Random(3)).next_s() != JitteredBackoff(random.Random(4)).next_s()
