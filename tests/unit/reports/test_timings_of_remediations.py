from types import SimpleNamespace

import pytest
from synthetic_record import S
from synthetic_remediations import HAPPY, LATE_REFUSED, REFUSED, remediation

from reports.timings import REMEDIATION_TIMINGS, TIMINGS, seconds, table, timing

RECOVERED = remediation(
    "recovered",
    100,
    "Processing 0.01, Analyzing 1, Executing 11, Analyzing 20, Blocked 26, Executing 86, Completed 100",
    recoveries=1,
    blocked_us={"ExponentialBackoff": 60 * S},
)
APPROVED = remediation("approved", 0, "Processing 1, Analyzing 2, AwaitingApproval 9, Executing 309, Failed 400")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signal to decision", [0.01]),
        ("signal to execution", [11.0]),
        ("signal to end", [100.0]),
        ("signal to remediated", [100.0]),
        ("analysis", [10.0, 6.0]),
        ("execution", [9.0, 14.0]),
        ("blocked", [60.0]),
        ("approval", []),
    ],
)
def test_each_timing_of_a_recovered_remediation(name: str, expected: list[float]) -> None:
    assert seconds(timing(name), [RECOVERED]) == pytest.approx(expected)
    assert seconds(timing(name), [SimpleNamespace(**RECOVERED)]) == pytest.approx(expected)


def test_approval_is_the_time_until_somebody_answers() -> None:
    assert seconds(timing("Approval"), [APPROVED]) == [300.0]


def test_what_was_skipped_has_an_end_but_is_not_remediated() -> None:
    skipped = [remediation(phases=REFUSED), remediation(phases=LATE_REFUSED)]
    assert seconds(timing("signal to end"), skipped) == [0.01, 12.0]
    assert seconds(timing("signal to remediated"), skipped) == []
    assert not any(timing("signal to remediated").is_open(each) for each in skipped)
    assert not any(timing("signal to execution").is_open(each) for each in skipped)


def test_names_of_executions_and_of_remediations_do_not_collide() -> None:
    names = [each.name.lower() for each in (*TIMINGS, *REMEDIATION_TIMINGS)]
    assert len(names) == len(set(names))
    assert {timing(each.name).subject for each in REMEDIATION_TIMINGS} == {"remediation"}
    assert {timing(each.name).subject for each in TIMINGS} == {"execution"}


def test_the_known_names_of_remediations_are_listed_for_an_unknown_one() -> None:
    with pytest.raises(ValueError, match=r'known are .*"creation to running".*"signal to decision".*"blocked"'):
        timing("signal to lunch")


def test_what_had_not_ended_is_counted_as_unfinished_and_what_was_deleted_is_not() -> None:
    undecided = remediation("undecided")
    analysed = remediation("analysed", 0, "Processing 0.01, Analyzing 0.02")
    withdrawn = remediation("withdrawn", 0, "Processing 0.01, Analyzing 0.02", deleted_us=5 * S)
    rows = table(REMEDIATION_TIMINGS, [undecided, analysed, withdrawn, remediation(phases=HAPPY)])
    assert {name: (row["n"], row["unfinished"]) for name, row in rows.items()} == {
        "signal to decision": (3, 1),
        "signal to execution": (1, 2),
        "signal to end": (1, 2),
        "signal to remediated": (1, 2),
        "analysis": (1, 1),
        "execution": (1, 0),
    }


def test_an_occasional_stay_is_told_of_as_soon_as_one_remediation_is_there() -> None:
    waiting = remediation("waiting", 0, "Blocked 0.01", reason="ExponentialBackoff")
    assert table(REMEDIATION_TIMINGS, [waiting])["blocked"]["unfinished"] == 1
    assert "approval" not in table(REMEDIATION_TIMINGS, [waiting])
