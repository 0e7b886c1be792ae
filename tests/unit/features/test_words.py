"""Durations in words."""

import pytest

from features.steps.words import seconds
from scenarios.errors import BadInput


@pytest.mark.parametrize(
    ("words", "expected"),
    [("1 second", 1.0), ("30 seconds", 30.0), ("5 minutes 10 seconds", 310.0), ("1.5 hours", 5400.0)],
)
def test_words_are_read_as_seconds(words: str, expected: float) -> None:
    assert seconds(words) == expected


@pytest.mark.parametrize("words", ["", "5", "five minutes", "5 minutes and more", "5m", "-5 minutes"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(BadInput, match="is not a duration"):
        seconds(words)
