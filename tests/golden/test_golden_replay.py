"""The simulated Tekton writes what the recorded one wrote: conditions, children, step states, deletions, Events."""

from itertools import chain, repeat
from typing import Any

import pytest

from scenarios.golden.milestones import (
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
from scenarios.golden.player import Played
from scenarios.golden.recording import Recording, bundled, names
from scenarios.golden.simulated import simulate

RACES = ("cancel-immediately",)
"""Situations whose outcome depends on how late the caches were."""
ONCE = ("delete-background-recreate-after-finish", "oom-init-container")
"""Situations of which the other release's recording depends on what ran beside it."""
RECORDINGS = [name for name in names() if name[1] not in RACES]
_RACES_RUN = 600
_played: dict[tuple[str, str], Played] = {}


def replay(version: str, scenario: str) -> tuple[Recording, Played]:
    """One replay per recording serves all tests of it."""
    recording = bundled(version, scenario)
    known = _played.get((version, scenario))
    if known is None:
        known = _played[version, scenario] = simulate(recording)
    return recording, known


def comparable(write: dict[str, Any], *, flags: bool) -> dict[str, Any]:
    """A replayed write as the recorder would have kept it: with the feature flags of Tekton, or without."""
    provenance = write.get("status", {}).get("provenance", {})
    if flags or "featureFlags" not in provenance:
        return write
    return {**write, "status": {**write["status"], "provenance": {**provenance, "featureFlags": True}}}


def sides(recording: Recording, played: Played, symbol: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was written to one object in the replay, and what was recorded."""
    recorded = recording.expect[symbol]
    flags = chain((write.get("flags", True) for write in recorded), repeat(True))
    got = [comparable(write, flags=next(flags)) for write in played.writes.get(symbol, ())]
    return got, [{key: value for key, value in write.items() if key != "flags"} for write in recorded]


def test_both_releases_are_covered_by_the_same_scenarios() -> None:
    by_version = {version: {name for of, name in RECORDINGS if of == version} for version in ("v1.7.0", "v1.15.0")}
    assert by_version["v1.7.0"] ^ by_version["v1.15.0"] <= set(ONCE)
    assert len(RECORDINGS) > 100


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_every_object_is_written_as_recorded(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert sorted(played.writes) == sorted(recording.expect)
    for symbol in recording.expect:
        got, expected = sides(recording, played, symbol)
        assert got == expected, symbol


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_the_same_events_are_told(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert sorted(played.told) == [tuple(told) for told in recording.events]


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_documented_orders_across_kinds_hold(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    orders = [*ORDERS, *(BUNDLE_ORDERS if recording.circumstances.bundle else INLINE_ORDERS)]
    if not recording.circumstances.quotas:
        orders += UNREFUSED_ORDERS
    reached = recorded_order(played.ordered)
    orders += HURRIED_ORDERS if "task told to stop" in reached else UNHURRIED_ORDERS
    propagation = {action.get("propagation") for action in recording.actions}
    if "Background" in propagation:
        orders += BACKGROUND_ORDERS
    if "Foreground" in propagation:
        orders += FOREGROUND_ORDERS
    assert sorted(reached) == sorted(recording.order)
    assert broken_orders(recording.order, orders) == [], "the recording contradicts what is documented"
    assert broken_orders(reached, orders) == []


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_the_webhooks_refuse_and_fill_in_what_the_recorded_ones_did(version: str, scenario: str) -> None:
    recording, played = replay(version, scenario)
    assert played.refusal == recording.refusal
    assert played.returned_spec == recording.returned_spec


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_name_under_foreground_deletion_is_refused_until_the_run_is_gone(version: str) -> None:
    recording, played = replay(version, "delete-foreground-recreate")
    assert played.answers[1] == recording.actions[1]["answer"]
    assert len([symbol for symbol in played.writes if symbol.startswith("PipelineRun/")]) == 2


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_run_out_of_quota_hangs_for_a_minute_and_then_starts(version: str) -> None:
    _, played = replay(version, "quota-pods-exceeded")
    assert played.calls["tekton-controller create pods ->403"] == 2
    assert played.calls["tekton-controller create pods"] == 1


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
@pytest.mark.parametrize("seed", [2, 3])
def test_late_caches_cost_conflicts_but_change_nothing_that_is_written(version: str, scenario: str, seed: int) -> None:
    recording = bundled(version, scenario)
    played = simulate(recording, seed=seed, late_caches=True)
    for symbol, expected in recording.expect.items():
        assert [write.get("status", {}).get("conditions") for write in played.writes[symbol]] == [
            write.get("status", {}).get("conditions") for write in expected
        ], symbol


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize("scenario", RACES)
def test_a_recorded_race_is_among_those_that_late_caches_bring_about(version: str, scenario: str) -> None:
    recording = bundled(version, scenario)
    for seed in range(_RACES_RUN):
        played = simulate(recording, seed=seed, late_caches=True)
        pairs = [sides(recording, played, symbol) for symbol in recording.expect]
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
        calls = simulate(bundled(version, scenario), seed=seed, late_caches=True).calls
        counts.append(sum(count for name, count in calls.items() if name.startswith("tekton-controller ")))
    mean = sum(counts) / len(counts)
    assert recorded[0] * 0.9 <= mean <= recorded[1] * 1.1
