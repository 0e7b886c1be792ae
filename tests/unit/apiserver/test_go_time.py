"""Times are read and written as by Go's time package; the complaints are that package's own."""

import pytest

from sim.apiserver.gotime import canonical

SECONDS = {
    "2026-01-05T10:00:00Z": "2026-01-05T10:00:00Z",
    "2026-01-05T10:00:00.75+02:00": "2026-01-05T08:00:00Z",
    "2026-01-05T1:00:00Z": "2026-01-05T01:00:00Z",
    "0024-02-29T10:00:00-05:30": "0024-02-29T15:30:00Z",
}
COMPLAINTS = {
    "now": 'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    "2026-01-05": 'parsing time "2026-01-05" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"',
    "2026-13-05T10:00:00Z": 'parsing time "2026-13-05T10:00:00Z": month out of range',
    "2026-02-30T10:00:00Z": 'parsing time "2026-02-30T10:00:00Z": day out of range',
    "2026-01-05T24:00:00Z": 'parsing time "2026-01-05T24:00:00Z": hour out of range',
    "2026-01-05T10:00:00Zx": 'parsing time "2026-01-05T10:00:00Zx": extra text: "x"',
}


@pytest.mark.parametrize(("text", "written"), SECONDS.items())
def test_a_time_is_written_in_utc_and_whole_seconds(text: str, written: str) -> None:
    assert canonical(text, micro=False) == written


@pytest.mark.parametrize(("text", "complaint"), COMPLAINTS.items())
def test_what_is_no_time_is_refused_in_the_words_of_go(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"parsing") as refused:
        canonical(text, micro=False)

    assert str(refused.value) == complaint


def test_a_micro_time_has_six_digits_in_and_out() -> None:
    assert canonical("2026-01-05T10:00:00.120000+02:00", micro=True) == "2026-01-05T08:00:00.120000Z"
    with pytest.raises(ValueError, match=r'cannot parse "Z" as "\.000000"'):
        canonical("2026-01-05T10:00:00Z", micro=True)
