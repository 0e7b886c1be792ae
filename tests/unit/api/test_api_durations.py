import pytest

from controller.api.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("45s", 45), ("500ms", 0.5), ("1m0.5s", 60.5), ("10us", 1e-5)],
)
def test_go_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "1h ", "0s", "-1s", "1d", ".s", "9" * 100 + "s", "\uff11m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (59.6, "1m0s"), (90, "1m30s"), (3605, "1h0m5s"), (-3, "0s"), (0.5, "1s")],
)
def test_durations_are_written_as_go_rounds_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
