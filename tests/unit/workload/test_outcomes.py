import random
from collections import Counter
from typing import Any

import pytest

from sim.workload.outcomes import Mix


def test_outcomes_are_drawn_in_proportion_to_their_weights() -> None:
    mix, stream = Mix({"success": 6, "oom": 3, "never": 0, "timeout": 1}), random.Random(1)
    drawn = Counter(mix.draw(stream) for _ in range(20_000))
    assert drawn.keys() == {"success", "oom", "timeout"}
    assert drawn["success"] / 20_000 == pytest.approx(0.6, abs=0.02)
    assert drawn["timeout"] / 20_000 == pytest.approx(0.1, abs=0.02)


def test_shares_are_the_probabilities() -> None:
    assert Mix({"a": 3, "b": 0, "c": 1}).shares() == pytest.approx({"a": 0.75, "c": 0.25})


def test_a_draw_repeats_with_its_stream_and_takes_one_uniform() -> None:
    mix, stream, twin = Mix({"a": 1, "b": 1}), random.Random(1), random.Random(1)
    assert [mix.draw(stream) for _ in range(50)] == [mix.draw(twin) for _ in range(50)]
    assert stream.random() == twin.random()


def test_the_order_of_the_names_decides_and_not_their_hash() -> None:
    class Fixed(random.Random):
        def random(self) -> float:
            return 0.4

    assert Mix({"a": 1, "b": 1}).draw(Fixed()) == "a"
    assert Mix({"b": 1, "a": 1}).draw(Fixed()) == "b"


def test_the_largest_uniform_still_draws_something() -> None:
    class Largest(random.Random):
        def random(self) -> float:
            return 1.0

    assert Mix({"a": 0.1, "b": 0.2}).draw(Largest()) == "b"


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({}, "at least one weight above 0"),
        ({"a": 0}, "at least one weight above 0"),
        ({"a": -1}, "outcome 'a': expected a weight of 0 or more, not -1"),
        ({"a": float("nan")}, "outcome 'a'"),
        ({"a": "often"}, "outcome 'a'"),
        ({"a": True}, "outcome 'a'"),
        ({"a": 1e308, "b": 1e308}, "finite sum"),
    ],
)
def test_a_mix_that_cannot_be_drawn_from_is_refused(weights: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Mix(weights)
