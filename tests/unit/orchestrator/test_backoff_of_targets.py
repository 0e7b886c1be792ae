"""How long a target rests."""

import pytest

from controller.orchestrator.backoff import delay_s
from controller.orchestrator.settings import Backoff

RULES = Backoff()


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(-1, 0), (0, 0), (1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (6, 600), (1_000, 600)],
)
def test_a_rest_doubles_from_base_to_cap(failures: int, seconds: float) -> None:
    assert delay_s(failures, RULES, 0.5) == seconds


@pytest.mark.parametrize(
    ("failures", "shortest", "longest"),
    [(1, 60, 66), (2, 108, 132), (3, 216, 264), (4, 432, 528), (5, 540, 600), (9, 540, 600)],
)
def test_jitter_is_a_tenth_to_either_side_within_base_and_cap(failures: int, shortest: float, longest: float) -> None:
    assert delay_s(failures, RULES, 0.0) == pytest.approx(shortest)
    assert delay_s(failures, RULES, 1 - 2**-53) == pytest.approx(longest)
    assert all(shortest <= delay_s(failures, RULES, draw / 97) <= longest for draw in range(97))


def test_without_jitter_the_draw_does_not_matter() -> None:
    rules = Backoff(base_s=1, cap_s=100, jitter=0)
    assert {delay_s(3, rules, draw / 7) for draw in range(7)} == {4.0}


def test_a_cap_between_two_doublings_holds() -> None:
    assert [delay_s(n, Backoff(base_s=10, cap_s=25, jitter=0), 0.5) for n in (1, 2, 3)] == [10, 20, 25]
