"""Remediations that have ended are kept for ever, or for as long as the workload says."""

from pathlib import Path

from controller.api.resources import AI_ANALYSES, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from scenarios import settings, workflows
from scenarios.simulated import SimulatedWorld
from scenarios.workload import Workload, WorkloadStory
from sim.streams import Streams

HOUR_US = 3_600_000_000


def lived(
    world_seed: int = 5, *, signals: dict[str, object], fails: bool = False, **reviewer: object
) -> SimulatedWorld:
    """A world in which a signal has come every ten minutes for four hours, over two targets."""
    known = workflows.load_folder()
    data = {
        "name": "four hours",
        "description": "a signal every ten minutes",
        "arrivals": {"fixed": {"per_second": 1 / 600, "count": 24}},
        "targets": 2,
        "workflows": {"increase-memory": 1},
        "signals": signals,
        "completes": 0.0 if fails else 1.0,
        "outcomes": [{"step": "kubectl-patch", "trouble": "exits with an error", "weight": 1}] if fails else [],
        "settings": {"reviewer": reviewer},
    }
    load = workflows.validate(Workload, data, "test", context={"folder": Path(), "workflows": known})
    world = SimulatedWorld(settings.parse(load.settings, (), "test"), known, world_seed, load.targets)
    world.settle()
    WorkloadStory(load, world, Streams(world_seed)).play()
    return world


def test_what_has_ended_is_kept_where_nothing_else_is_said() -> None:
    world = lived(signals={})

    assert all(one.terminal and one.deleted_us is None for one in world.remediations)
    assert len(list(world.server.items(REMEDIATION_REQUESTS))) == len(world.remediations) == 24


def test_remediations_go_when_their_time_is_over_and_take_their_children_along() -> None:
    world = lived(signals={"retention": "1h"})

    for one in world.remediations:
        assert one.terminal_us is not None
        due_us = one.terminal_us + HOUR_US
        if due_us > world.now_us() - 60_000_000:
            assert one.deleted_us is None or one.deleted_us >= due_us
        else:
            assert one.deleted_us is not None
            assert due_us <= one.deleted_us < due_us + 10_000_000
    gone = {one.name for one in world.remediations if one.deleted_us is not None}
    assert len(gone) >= 12
    for resource in (AI_ANALYSES, WORKFLOW_EXECUTIONS):
        assert gone.isdisjoint(item["spec"]["remediationRequestRef"]["name"] for item in world.server.items(resource))


def test_a_failure_that_blocks_its_target_stays_until_somebody_has_cleared_it() -> None:
    world = lived(signals={"retention": "1h"}, fails=True, ignores=1.0)

    kept = {one.name for one in world.remediations if one.executions and one.deleted_us is None}
    assert len(kept) == 2
    assert {one.failure_reason for one in world.remediations if one.name not in kept} == {"PreviousExecutionFailed"}
    assert any(one.deleted_us is not None for one in world.remediations)
