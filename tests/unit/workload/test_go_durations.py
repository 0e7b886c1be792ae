import pytest

from sim.workload.durations import format_us, parse_us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0", 0),
        (0, 0),
        ("0s", 0),
        ("250ms", 250_000),
        ("1m30s", 90_000_000),
        ("1.5s", 1_500_000),
        (".5s", 500_000),
        ("1.s", 1_000_000),
        ("2h", 7_200_000_000),
        ("7us", 7),
        ("7µs", 7),
        ("1499ns", 1),
        ("1501ns", 2),
        ("0.1s", 100_000),
    ],
)
def test_a_go_duration_is_read_in_whole_microseconds(text: object, us: int) -> None:
    assert parse_us(text) == us


@pytest.mark.parametrize(
    "text",
    ["", "s", "2", "2 s", " 2s", "1s ", "-1s", "+1s", "1d", "1e3s", "1s2", "1..5s", "٣s", "9" * 30 + "h", "1s" * 99],
)
def test_a_malformed_duration_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        parse_us(text)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("value", [2, 1.5, True, False, None, [], {"s": 2}])
def test_a_number_without_a_unit_is_not_a_duration(value: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_us(value)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0s"),
        (7, "7µs"),
        (1_500, "1.5ms"),
        (1_005, "1.005ms"),
        (250_000, "250ms"),
        (1_000_000, "1s"),
        (1_000_001, "1.000001s"),
        (60_000_000, "1m0s"),
        (90_000_000, "1m30s"),
        (3_600_000_000, "1h0m0s"),
        (5_430_250_000, "1h30m30.25s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it_and_reads_back(us: int, text: str) -> None:
    assert format_us(us) == text
    assert parse_us(text) == us
