"""The simulated Tekton writes what the recorded one wrote: conditions, children, step states, deletions, Events."""

import pytest

from scenarios.golden.agreement import Agreement, Grade, Verdict
from scenarios.golden.comparison import compare
from scenarios.golden.player import Played
from scenarios.golden.recording import Recording, bundled, names
from scenarios.golden.simulated import simulate
from scenarios.golden.trial import judge

RECORDINGS = list(names())
RACING = {
    ("v1.15.0", "delete-background-recreate-after-finish"),
    ("v1.15.0", "parallel-one-fails"),
    ("v1.7.0", "parallel-one-fails"),
}
"""Recorded beside others, whose use of the controller's requests made writes coalesce."""
VARYING = ("cancel-immediately", "burst", "bundle-10", "parallel", "oom-init-container", "recreate-after-finish")
"""Situations whose outcome depends on how late the caches are, or that take long to play."""
STEADY = [(version, scenario) for version, scenario in RECORDINGS if not any(word in scenario for word in VARYING)]
_played: dict[tuple[str, str], Played] = {}


def replay(version: str, scenario: str) -> tuple[Recording, Played]:
    """The first play, once."""
    recording = bundled(version, scenario)
    known = _played.get((version, scenario))
    if known is None:
        known = _played[version, scenario] = simulate(recording)
    return recording, known


def told(agreement: Agreement) -> str:
    return agreement.unplayable or "; ".join(
        f"{one.grade} {one.subject}, {one.place}: {one.recorded!r} recorded, {one.simulated!r} simulated"
        for one in agreement.differences
        if not one.race
    )


def test_both_releases_were_recorded() -> None:
    assert {version for version, _ in RECORDINGS} == {"v1.7.0", "v1.15.0"}
    assert len(RECORDINGS) > 150


@pytest.mark.parametrize(("version", "scenario"), RECORDINGS)
def test_what_was_recorded_is_among_what_comes_about(version: str, scenario: str) -> None:
    racing = (version, scenario) in RACING  # however often it is played, hardly a play agrees exactly
    agreement = judge(bundled(version, scenario), 6) if racing else judge(bundled(version, scenario))

    if racing:
        assert agreement.verdict in (Verdict.RACE, Verdict.EXACT), told(agreement)
    else:
        assert agreement.verdict is Verdict.EXACT, told(agreement)


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(("version", "scenario"), STEADY)
def test_late_caches_cost_conflicts_but_change_no_outcome(version: str, scenario: str, seed: int) -> None:
    recording = bundled(version, scenario)

    agreement = compare(recording, simulate(recording, seed=seed, network="recorded"))

    assert agreement.verdicts[Grade.OUTCOME] in (Verdict.EXACT, Verdict.ABSENT), told(agreement)


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_name_under_foreground_deletion_is_refused_until_the_run_is_gone(version: str) -> None:
    recording, played = replay(version, "delete-foreground-recreate")
    assert played.answers[1] == recording.actions[1]["answer"]
    assert played.answers[1][0] == 409
    assert len([symbol for symbol in played.writes if symbol.startswith("PipelineRun/")]) == 2


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
def test_a_run_out_of_quota_hangs_for_a_minute_and_then_starts(version: str) -> None:
    _, played = replay(version, "quota-pods-exceeded")
    assert played.calls["tekton-controller create pods ->403"] == 2
    assert played.calls["tekton-controller create pods"] == 1


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize(
    ("scenario", "recorded"),
    [("success-1", (31, 43)), ("success-3seq", (87, 96)), ("bundle-success", (41, 49))],
)
def test_a_run_costs_about_as_many_calls_as_recorded(version: str, scenario: str, recorded: tuple[int, int]) -> None:
    counts = []
    for seed in range(4):
        calls = simulate(bundled(version, scenario), seed=seed, network="recorded").calls
        counts.append(sum(count for name, count in calls.items() if name.startswith("tekton-controller ")))
    mean = sum(counts) / len(counts)
    assert recorded[0] * 0.9 <= mean <= recorded[1] * 1.1
