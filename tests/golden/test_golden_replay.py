"""The simulated Tekton writes what the recorded one wrote: conditions, children, step states, deletions, Events."""

from itertools import chain, repeat
from typing import Any

import pytest
from golden_convert import ONCE, RACES, SCENARIOS
from golden_milestones import (
    BACKGROUND_ORDERS,
    BUNDLE_ORDERS,
    FOREGROUND_ORDERS,
    HURRIED_ORDERS,
    INLINE_ORDERS,
    ORDERS,
    UNHURRIED_ORDERS,
    UNREFUSED_ORDERS,
    broken_orders,
    recorded_order,
)
from golden_player import DATA, Played, Player, load

RECORDINGS = sorted((path.parent.name, path.stem) for path in DATA.glob("*/*.json") if path.stem not in RACES)
_PLAY_S = 15.0
_PLAY_LONG_S = 70.0  # a run that hangs on a quota is looked at again after a minute
_RACES_RUN = 600
_played: dict[tuple[str, str], Played] = {}


def replay(version: str, scenario: str) -> tuple[dict[str, Any], Played]:
    """One replay per recording serves all tests of it."""
    recording = load(version, scenario)
    known = _played.get((version, scenario))
    if known is None:
        player = Player(recording)
        known = _played[version, scenario] = player.play(_PLAY_LONG_S if "quota" in recording else _PLAY_S)
    return recording, known


def comparable(write: dict[str, Any], *, flags: bool) -> dict[str, Any]:
    """A replayed write as the recorder would have kept it: with the feature flags of Tekton, or without."""
    provenance = write.get("status", {}).get("provenance", {})
    if flags or "featureFlags" not in provenance:
        return write
    return {**write, "status": {**write["status"], "provenance": {**provenance, "featureFlags": True}}}


def sides(recording: dict[str, Any], played: Played, symbol: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was written to one object in the replay, and what was recorded."""
    recorded = recording["expect"][symbol]
    flags = chain((write.get("flags", True) for write in recorded), repeat(True))
    got = [comparable(write, flags=next(flags)) for write in played.writes.get(symbol, ())]
    return got, [{key: value for key, value in write.items() if key != "flags"} for write in recorded]


def test_both_releases_are_covered_by_the_same_scenarios() -> None:
    expected = {(version, scenario) for version in ("v1.7.0", "v1.15.0") for scenario in SCENARIOS}
    assert set(RECORDINGS) == expected | set(ONCE)


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_every_object_is_written_as_recorded(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert sorted(played.writes) == sorted(recording["expect"])
    for symbol in recording["expect"]:
        got, expected = sides(recording, played, symbol)
        assert got == expected, symbol


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_the_same_events_are_told(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert sorted(played.told) == [tuple(told) for told in recording["events"]]


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_documented_orders_across_kinds_hold(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    orders = [*ORDERS, *(BUNDLE_ORDERS if "bundle" in recording else INLINE_ORDERS)]
    if "quota" not in recording:
        orders += UNREFUSED_ORDERS
    reached = recorded_order(played.ordered)
    orders += HURRIED_ORDERS if "task told to stop" in reached else UNHURRIED_ORDERS
    propagation = {action.get("propagation") for action in recording["actions"]}
    if "Background" in propagation:
        orders += BACKGROUND_ORDERS
    if "Foreground" in propagation:
        orders += FOREGROUND_ORDERS
    assert sorted(reached) == sorted(recording["order"])
    assert broken_orders(recording["order"], orders) == [], "the recording contradicts what is documented"
    assert broken_orders(reached, orders) == []


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_the_webhooks_refuse_and_fill_in_what_the_recorded_ones_did(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert played.refusal == recording.get("refusal", [])
    assert played.returned_spec == recording["returned_spec"]


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_name_under_foreground_deletion_is_refused_until_the_run_is_gone(version: str) -> None:
    recording, played = replay(version, "delete-foreground-recreate")
    assert set(played.refusals) == {recording["actions"][1]["first_refusal"]}
    assert len([symbol for symbol in played.writes if symbol.startswith("PipelineRun/")]) == 2


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_run_out_of_quota_hangs_for_a_minute_and_then_starts(version: str) -> None:
    _, played = replay(version, "quota-pods-exceeded")
    assert played.calls["tekton-controller create pods ->403"] == 2
    assert played.calls["tekton-controller create pods"] == 1


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
@pytest.mark.parametrize("seed", [2, 3])
def test_late_caches_cost_conflicts_but_change_nothing_that_is_written(version: str, scenario: str, seed: int) -> None:
    recording = load(version, scenario)
    player = Player(recording, seed=seed, late_caches=True)
    played = player.play(_PLAY_LONG_S if "quota" in recording else _PLAY_S)
    for symbol, expected in recording["expect"].items():
        assert [write.get("status", {}).get("conditions") for write in played.writes[symbol]] == [
            write.get("status", {}).get("conditions") for write in expected
        ], symbol


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize("scenario", RACES)
def test_a_recorded_race_is_among_those_that_late_caches_bring_about(version: str, scenario: str) -> None:
    recording = load(version, scenario)
    for seed in range(_RACES_RUN):
        played = Player(recording, seed=seed, late_caches=True).play(_PLAY_S)
        pairs = [sides(recording, played, symbol) for symbol in recording["expect"]]
        if len(played.writes) == len(pairs) and all(got == expected for got, expected in pairs):
            return
    pytest.fail(f"{_RACES_RUN} replays, and none wrote what was recorded")


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize(
    ("scenario", "recorded"),
    [("success-1", (31, 43)), ("success-3seq", (87, 96)), ("bundle-success", (41, 49))],
)
def test_a_run_costs_about_as_many_calls_as_recorded(version: str, scenario: str, recorded: tuple[int, int]) -> None:
    counts = []
    for seed in range(4):
        calls = Player(load(version, scenario), seed=seed, late_caches=True).play(_PLAY_S).calls
        counts.append(sum(count for name, count in calls.items() if name.startswith("tekton-controller ")))
    mean = sum(counts) / len(counts)
    assert recorded[0] * 0.9 <= mean <= recorded[1] * 1.1
