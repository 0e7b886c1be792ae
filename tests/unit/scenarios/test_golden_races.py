"""What counts as a race between a recording and a play, and what does not."""

from typing import Any

import pytest

from scenarios.golden.deltas import packed, unpacked
from scenarios.golden.races import COALESCED, CONFLICT, TWICE, coalesced, racing_calls, racing_event


def write(text: str, *, status: str = "Unknown", type_: str = "MODIFIED", deleting: bool = False) -> dict[str, Any]:
    return {"type": type_, "deleting": deleting, "status": {"conditions": [[status, "Pending", text]]}}


FIRST, LAST = write("", type_="ADDED"), write("done", status="True")


def test_a_write_between_two_that_both_sides_have_may_be_missing_on_one() -> None:
    extra = write("in between")

    assert coalesced([FIRST, LAST], [FIRST, extra, LAST]) == ([], [extra])
    assert coalesced([FIRST, extra, LAST], [FIRST, LAST]) == ([extra], [])


@pytest.mark.parametrize(
    ("recorded", "simulated"),
    [
        ([FIRST, write("one"), LAST], [FIRST, write("other"), LAST]),
        ([FIRST, LAST], [FIRST, write("x"), write("done", status="False")]),
        ([FIRST, LAST], [FIRST, write("failed", status="False"), LAST]),
        ([FIRST, LAST], [FIRST, write("x", deleting=True), LAST]),
        ([FIRST, LAST], [FIRST, write("x", type_="DELETED"), LAST]),
        ([FIRST, write("a"), write("b"), LAST], [FIRST, write("b"), write("a"), LAST]),
        ([FIRST, LAST], [FIRST]),
        ([], [FIRST]),
    ],
    ids=["another text", "another end", "an end", "a deletion", "gone", "another order", "no end", "no object"],
)
def test_any_other_difference_is_one(recorded: list[dict[str, Any]], simulated: list[dict[str, Any]]) -> None:
    assert coalesced(recorded, simulated) is None


def test_an_event_may_be_missing_if_its_write_is_or_if_a_late_cache_met_a_conflict() -> None:
    only = [write("waiting")]

    assert racing_event(("TaskRun/a", "Pending", "waiting"), only) == COALESCED
    assert racing_event(("TaskRun/a", "Pending", "waiting for more"), only) == ""
    assert racing_event(("TaskRun/a", "Failed", "waiting"), only) == ""
    assert racing_event(("TaskRun/a", "InternalError", 'pods "a" already exists'), []) == CONFLICT


@pytest.mark.parametrize(
    ("call", "recorded", "simulated", "race"),
    [
        ("tekton-controller get taskruns", 1, 3, TWICE),
        ("tekton-controller update taskruns/status ->409", 3, 1, TWICE),
        ("tekton-controller get taskruns", 1, 4, ""),
        ("tekton-controller create pods", 1, 2, ""),
        ("tekton-controller create taskruns", 1, 0, ""),
        ("tekton-controller update taskruns", 1, 2, ""),
    ],
)
def test_only_work_that_a_late_cache_repeats_may_be_done_more_often(
    call: str, recorded: int, simulated: int, race: str
) -> None:
    assert racing_calls(call, recorded, simulated, 2) == race


def test_packed_documents_unpack_to_what_they_were() -> None:
    documents = [
        {"a": 1, "b": {"x": [1, {"y": None}], "z": "gone soon"}, "n": None},
        {"a": 1, "b": {"x": [1]}, "n": None, "c": {}},
        {"a": 2, "b": {"x": [1]}, "c": {"d": "e"}},
    ]

    assert unpacked(packed(documents)) == documents
    assert packed(documents)[2] == {"a": 2, "c": {"d": "e"}, "~gone": ["n"]}
