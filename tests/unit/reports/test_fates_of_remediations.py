import random
from pathlib import Path
from typing import Any

import pytest
from synthetic_record import S, write
from synthetic_remediations import ENDED, HAPPY, REFUSED, parsed, remediation, rows, scenario_of, storm

from reports import remediations
from reports.fates import STATES, balance, fate_of, fates
from reports.record import RecordError, read
from reports.summary import summarise, to_json


def fate(phases: str, **fields: Any) -> str:
    return fate_of(parsed(phases, **fields)).name


@pytest.mark.parametrize(
    ("phases", "fields", "expected"),
    [
        (HAPPY, {}, "completed: Remediated"),
        ("Analyzing 1, Completed 9", {"outcome": "NoActionRequired"}, "completed: NoActionRequired"),
        ("Failed 1", {"reason": "ExhaustedRetries"}, "failed: ExhaustedRetries"),
        (REFUSED, {"reason": "ResourceBusy"}, "skipped: ResourceBusy"),
        ("Analyzing 1, TimedOut 9", {"reason": "Analyzing"}, "timed out: Analyzing"),
        ("Cancelled 1", {}, "cancelled"),
        ("Blocked 1", {"reason": "ExponentialBackoff"}, "blocked: ExponentialBackoff"),
        ("Processing 1, Analyzing 2", {}, "running: Analyzing"),
        ("", {}, "running: Pending"),
        ("Processing 1, Analyzing 2", {"deleted_us": 5 * S}, "deleted: Analyzing"),
        ("Blocked 1", {"reason": "ResourceBusy", "deleted_us": 5 * S}, "deleted: Blocked"),
        (HAPPY, {"deleted_us": 99 * S}, "completed: Remediated"),
    ],
)
def test_every_remediation_has_one_fate(phases: str, fields: dict[str, Any], expected: str) -> None:
    assert fate(phases, **fields) == expected


def test_whatever_happens_the_states_add_up_to_what_was_admitted(tmp_path: Path) -> None:
    draw = random.Random(4)
    phases = [*ENDED, "Pending", "Processing", "Analyzing", "AwaitingApproval", "Executing", "Blocked"]
    for round_ in range(30):
        lines = [
            remediation(
                f"rr-{number}",
                draw.random() * 900,
                f"{draw.choice(phases)} {draw.random() * 60}",
                reason=draw.choice([None, "ResourceBusy", "OOMKilled", ""]),
                outcome=draw.choice([None, "Remediated", "ManualReviewRequired"]),
                deleted_us=draw.choice([None, None, 2000 * S]),
            )
            for number in range(draw.randrange(1, 60))
        ]
        told = remediations.summarise(scenario_of(tmp_path, lines))
        assert told is not None, round_
        assert list(told["states"]) == list(STATES)
        assert sum(told["states"].values()) == told["admitted"] == len(lines)
        assert sum(row["count"] for row in told["fates"]) == len(lines)
        for state, count in told["states"].items():
            assert count == sum(row["count"] for row in told["fates"] if row["state"] == state)


def test_a_remediation_that_is_not_accounted_for_stops_the_report(tmp_path: Path) -> None:
    found = fates(scenario_of(tmp_path, storm(24)).remediations)
    balance(found, 24)
    with pytest.raises(AssertionError, match="25 remediations were admitted, but 24 are accounted for"):
        balance(found, 25)


def test_a_record_that_lost_a_remediation_is_truncated(tmp_path: Path) -> None:
    lines = rows(storm(5))
    lost = next(number for number, row in enumerate(lines) if row["kind"] == "remediation")
    path = write(tmp_path / "run.jsonl", lines[:lost] + lines[lost + 1 :])
    with pytest.raises(RecordError, match='expected 5 lines of kind "remediation", found 4: it is truncated'):
        read(path)


def test_rows_come_by_state_then_by_count_with_the_first_as_example(tmp_path: Path) -> None:
    told = remediations.summarise(scenario_of(tmp_path, storm(24)))
    assert told is not None
    states = [row["state"] for row in told["fates"]]
    assert states == sorted(states, key=STATES.index)
    busy = next(row for row in told["fates"] if row["reason"] == "ResourceBusy")
    assert (busy["count"], busy["share"], busy["example"]) == (4, 4 / 24, "payment/rr-1")
    assert [row["reviews"] for row in told["fates"] if row["state"] == "failed"] == [2] == [told["reviews"]]


def test_duplicates_recoveries_and_notifications_are_added_up(tmp_path: Path) -> None:
    lines = [
        remediation("original", 0, HAPPY, duplicates=2, notifications=1),
        *(
            remediation(f"twin-{n}", 1, REFUSED, reason="DuplicateInProgress", duplicate_of="original")
            for n in range(2)
        ),
        remediation("waiting", 1, "Blocked 1", reason="DuplicateInProgress", duplicate_of="original"),
        remediation("repeated", 2, REFUSED, reason="RecentlyRemediated", duplicate_of="original"),
        remediation("stubborn", 3, HAPPY, recoveries=2, analyses=3, executions=["a", "b", "c"]),
        remediation("hopeless", 4, "Failed 1800", recoveries=3, notifications=1, outcome="ManualReviewRequired"),
    ]
    told = remediations.summarise(scenario_of(tmp_path, lines))
    assert told is not None
    assert told["duplicates"] == {"folded": 2, "originals": 1, "counted_by_originals": 2}
    assert told["recoveries"] == {"attempts": 5, "remediations": 2, "remediated": 1}
    assert (told["notifications"], told["analyses"], told["executions"]) == (2, 4, 4)
    assert told["per_hour"]["ended"] == pytest.approx(6 / (1804 / 3600))
    assert told["per_hour"]["remediated"] == pytest.approx(2 / (1804 / 3600))


def test_rates_need_time_to_have_passed(tmp_path: Path) -> None:
    told = remediations.summarise(scenario_of(tmp_path, [remediation("undecided")]))
    assert told is not None
    assert told["per_hour"] == {"admitted": None, "ended": None, "remediated": None}


def test_the_report_counts_remediations_of_all_scenarios_and_has_none_where_there_were_none(tmp_path: Path) -> None:
    summary = summarise(read(write(tmp_path / "some.jsonl", rows(storm(7)))))
    assert (summary["remediations"], summary["scenarios"][0]["remediations"]["admitted"]) == (7, 7)
    assert '"folded": 1' in to_json(summary)
    none = summarise(read(write(tmp_path / "none.jsonl", rows([], executions=3))))
    assert (none["remediations"], none["scenarios"][0]["remediations"]) == (0, None)


def test_a_phase_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", rows([remediation(phase="Asleep")]))
    with pytest.raises(RecordError, match='field "phase": expected a phase of a RemediationRequest, found "Asleep"'):
        read(path)
