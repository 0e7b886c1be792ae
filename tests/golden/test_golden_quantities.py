"""The simulated Tekton makes as many calls as the recorded one, takes as long, and loses as many races."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from statistics import mean, median
from typing import Any

import pytest
from golden_quantities import DATA, Call, burst, counted, played, throughput, timings, told_first

from scenarios.golden.recording import bundled

RECORDED: Mapping[str, Any] = json.loads(DATA.read_text())
VERSIONS = sorted(RECORDED)
SCENARIOS = {
    "success-1": "success-1",
    "bundle-success": "bundle-success",
    "success-3seq": "success-3seq",
    "fail-step2of3": "fail-step2of3",
    "cancel-repeat": "cancel-repeat-00",
    "timeout-repeat": "timeout-repeat-00",
}
"""Which recording stands for all repeats of a situation."""
INLINE_BURST = {
    "v1.7.0": {"taskruns": (5.83, 12.83), "pods": (7.09, 14.49), "PipelineRuns over": (15.25, 17.17), "calls": 657},
    "v1.15.0": {"taskruns": (5.91, 12.91), "pods": (7.08, 14.67), "PipelineRuns over": (15.22, 17.36), "calls": 663},
}
"""Median and last, in s, of a burst of which only these were kept: thirty runs of an embedded pipeline."""
SEEDS = range(30)
BURST_SEEDS = range(5)
BUSY = {
    ("v1.7.0", "bundle-success", "submitted -> PipelineRun Running"),
    ("v1.7.0", "bundle-success", "TaskRun -> first TaskRun status"),
    ("v1.7.0", "bundle-success", "pod over -> PipelineRun over"),
}
"""Times that v1.7.0's second pull of the bundle made longer: it kept one of the two cores busy (a status that takes
8 ms otherwise took 20). The model has no cores."""
RACED = (
    "tekton-controller get pipelineruns",
    "tekton-controller get taskruns",
    "tekton-controller patch events",
    "tekton-controller update pipelineruns/status ->409",
    "tekton-controller update taskruns/status ->409",
)
"""What a reconciler does that has not seen its own last write yet."""
LIKE = 0.03  # what the extremes of three or six runs, and the median of so many plays, may be off by


@cache
def logs(version: str, group: str) -> list[list[Call]]:
    recording = bundled(version, SCENARIOS[group])
    return [played(recording, seed) for seed in SEEDS]


@cache
def bursts(version: str) -> list[tuple[list[Call], dict[str, list[float]]]]:
    plays = (burst(version, "bundle-success", seed) for seed in BURST_SEEDS)
    return [(calls, throughput(calls, statuses)) for calls, statuses in plays]


def middle(counts: Iterable[Mapping[str, int]]) -> dict[str, float]:
    counts = list(counts)
    return {
        name: median(one.get(name, 0) for one in counts) for name in sorted({name for one in counts for name in one})
    }


def total(counts: Mapping[str, int], *, events: bool) -> int:
    return sum(count for name, count in counts.items() if events or "events" not in name)


@pytest.mark.parametrize(
    ("version", "group", "row"),
    [
        (version, group, row)
        for version in VERSIONS
        for group, found in RECORDED[version].items()
        for row in found.get("timings", ())
        if "->" in row
    ],
)
def test_everything_takes_as_long_as_recorded(version: str, group: str, row: str) -> None:
    low, _, high = RECORDED[version][group]["timings"][row]
    simulated = median(value for log in logs(version, group) for value in timings(log)[row])
    if (version, group, row) in BUSY:
        assert simulated < low, "no exception any more"
        low *= 0.65
    assert low * (1 - LIKE) <= simulated <= high * (1 + LIKE)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", ["success-1", "bundle-success"])
def test_a_run_meets_as_many_conflicts_as_recorded(version: str, group: str) -> None:
    _, middling, _ = RECORDED[version][group]["timings"]["conflicts"]
    assert median(timings(log)["conflicts"][0] for log in logs(version, group)) == pytest.approx(middling, abs=1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", SCENARIOS)
def test_a_run_costs_as_many_calls_as_recorded(version: str, group: str) -> None:
    recorded, simulated = RECORDED[version][group]["calls"], [counted(log) for log in logs(version, group)]
    for events in (False, True):
        wanted = median(total(one, events=events) for one in recorded)
        assert median(total(one, events=events) for one in simulated) == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", SCENARIOS)
def test_each_kind_of_call_is_made_as_often_as_recorded(version: str, group: str) -> None:
    wanted = middle(RECORDED[version][group]["calls"])
    got = middle(counted(log) for log in logs(version, group))
    off = {
        name: (wanted.get(name, 0), got.get(name, 0))
        for name in {*wanted, *got}
        if name not in RACED and abs(got.get(name, 0) - wanted.get(name, 0)) > max(1.0, 0.15 * wanted.get(name, 0))
    }
    assert off == {}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", RACED)
def test_caches_are_late_as_often_as_recorded(version: str, name: str) -> None:
    """Over all recordings together: in one run it is a matter of luck."""
    wanted, got = 0.0, 0.0
    for group in SCENARIOS:
        recorded = RECORDED[version][group]["calls"]
        wanted += sum(one.get(name, 0) for one in recorded)
        got += len(recorded) * mean(counted(log).get(name, 0) for log in logs(version, group))
    assert got == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize("version", VERSIONS)
def test_thirty_runs_at_once_go_through_as_fast_as_recorded(version: str) -> None:
    recorded = RECORDED[version]["burst"]["milestones"]
    for name, (_, middle_s, last_s) in recorded.items():
        found = [milestones[name] for _, milestones in bursts(version)]
        within = 0.2 if name == "status lag" else 0.1  # which the order of two queues decides
        assert median(one[1] for one in found) == pytest.approx(middle_s, rel=within), name
        assert median(one[2] for one in found) == pytest.approx(last_s, rel=within), name


@pytest.mark.parametrize("version", VERSIONS)
def test_thirty_runs_of_an_embedded_pipeline_go_through_as_fast_as_recorded(version: str) -> None:
    calls, statuses = burst(version, "success-1", seed=1)
    found = throughput(calls, statuses)
    for name in ("taskruns", "pods", "PipelineRuns over"):
        assert found[name][1:] == pytest.approx(INLINE_BURST[version][name], rel=0.1), name
    assert sum(counted(calls).values()) == pytest.approx(INLINE_BURST[version]["calls"], rel=0.05)


@pytest.mark.parametrize("version", VERSIONS)
def test_thirty_runs_at_once_cost_as_many_calls_as_recorded(version: str) -> None:
    wanted = RECORDED[version]["burst"]["calls"]
    got = middle(counted(calls) for calls, _ in bursts(version))
    off = {
        name: (wanted.get(name, 0), got.get(name, 0))
        for name in {*wanted, *got}
        if abs(got.get(name, 0) - wanted.get(name, 0)) > max(4, 0.15 * wanted.get(name, 0))
    }
    assert off == {}
    assert sum(got.values()) == pytest.approx(sum(wanted.values()), rel=0.03)


@pytest.mark.parametrize("version", VERSIONS)
def test_who_ends_first_when_a_run_is_stopped_is_a_race_that_the_pipeline_run_nearly_always_wins(version: str) -> None:
    first = Counter(told_first(log) for group in ("cancel-repeat", "timeout-repeat") for log in logs(version, group))
    share = first["pipelinerun"] / sum(first.values())  # recorded: 16 of 16 and 18 of 20
    assert share >= 0.85
    assert any(told_first(played(bundled(version, "cancel-repeat-00"), seed)) == "taskrun" for seed in range(30, 150))
