"""The history of a target, kept in step with the cache: as if it were read anew each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from target_history import NOW, ago, execution, failures, ledger_of

from controller.api.timestamps import parse_time
from controller.orchestrator.ledger import Ledger

SINCE = NOW - timedelta(seconds=300)


def read_anew(executions: Sequence[Any], apart_from: str, since: datetime) -> tuple[Any, Any, Any, Any]:
    """What a ledger should say, from a plain reading of all executions."""

    def end(one: Any) -> tuple[datetime, str, str]:
        metadata = one["metadata"]
        return parse_time(one["status"]["completionTime"]), metadata["creationTimestamp"], metadata["name"]

    unfinished = [one for one in executions if one["status"].get("phase", "Pending") in ("Pending", "Running")]
    others = [one for one in unfinished if one["metadata"]["ownerReferences"][0]["uid"] != apart_from]
    others.sort(key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))
    ended = sorted((one for one in executions if one["status"].get("phase") in ("Completed", "Failed")), key=end)
    newest_first = ended[::-1]
    decisive = [
        one
        for one in newest_first
        if one["status"]["phase"] == "Completed" or one["status"]["failureDetails"]["wasExecutionFailure"]
    ]
    row = []
    for one in newest_first:
        if one in decisive or "annotations" in one["metadata"]:
            break
        row.append(one)
    completed = [one for one in decisive if one["status"]["phase"] == "Completed" and end(one)[0] >= since]
    return (others or [None])[0], (decisive or [None])[0], tuple(reversed(row)), tuple(completed)


def random_version(stream: Random, number: int) -> dict[str, Any]:
    phase = stream.choice(["", "Pending", "Running", "Completed", "Failed", "Failed", "Skipped"])
    return execution(
        f"we-{number}",
        phase,
        ago(stream.randrange(600)) if phase in ("Completed", "Failed", "Skipped") else None,
        ran=stream.random() < 0.3 if phase == "Failed" else None,
        cleared=stream.random() < 0.15,
        owner=stream.choice(["uid-rr-1", "uid-other"]),
        created=ago(600 + stream.randrange(40)),
    )


def test_whatever_comes_changes_and_goes_it_says_what_a_plain_reading_says() -> None:
    stream, ledger = Random(7), Ledger()
    present: dict[str, dict[str, Any]] = {}
    for _ in range(3_000):
        number = stream.randrange(40)
        name = f"we-{number}"
        if stream.random() < 0.2:
            ledger.remove(("ns", name))
            present.pop(name, None)
        else:
            present[name] = random_version(stream, number)
            ledger.put(present[name])
        told = ledger.history("uid-rr-1", SINCE)
        expected = read_anew([*present.values()], "uid-rr-1", SINCE)
        assert (told.unfinished, told.decisive, told.failures, told.completed) == expected
        assert bool(ledger) == any(one["status"].get("phase") != "Skipped" for one in present.values())


def test_a_decision_does_not_walk_through_years_of_successes() -> None:
    ledger = Ledger()
    asked = []
    for number in range(2_000):
        one = execution(f"we-{number}", "Completed", NOW - timedelta(days=3000 - number))
        asked.append(one)
        ledger.put(one)
    ledger.put(execution("we-new", "Completed", ago(10)))
    ledger._documents = Counting(ledger._documents)
    assert [one["metadata"]["name"] for one in ledger.history("", SINCE).completed] == ["we-new"]
    assert ledger._documents.looked_at == 1


class Counting(dict[Any, Any]):
    looked_at = 0

    def __getitem__(self, key: Any) -> Any:
        self.looked_at += 1
        return super().__getitem__(key)


def test_an_execution_that_does_not_say_when_it_ended_counts_from_its_creation() -> None:
    silent = execution("we-a", "Failed", created=ago(100), ran=False)
    newer = execution("we-b", "Completed", ago(50))
    older = execution("we-c", "Completed", ago(150))
    assert ledger_of(silent, newer).history("", SINCE).failures == ()
    assert ledger_of(silent, older).history("", SINCE).failures == (silent,)


def test_of_two_that_end_in_the_same_second_the_one_made_later_is_the_newer() -> None:
    done = execution("we-a", "Completed", ago(10), created=ago(30))
    failed = execution("we-b", "Failed", ago(10), created=ago(20), ran=True)
    assert ledger_of(done, failed).history("", SINCE).decisive is failed
    assert ledger_of(failed, done).history("", SINCE).decisive is failed


def test_failures_are_told_oldest_first() -> None:
    row = failures(3)
    assert ledger_of(row[2], row[0], row[1]).history("", SINCE).failures == tuple(row)
