"""A container that outgrows its memory limit: everything that was ever seen of that on real clusters."""

from dataclasses import replace

import pytest
from cluster_stage import SECOND, Stage, limited, recorded, step, task_spec

from sim.cluster.behaviour import Behaviour, OomVariant

GREEDY = Behaviour(duration_us=5 * SECOND, memory_peak_bytes=200 * 2**20, peak_after_us=2 * SECOND)


def stage_with(variant: OomVariant | None = None, *, node: OomVariant = OomVariant.GROUP) -> Stage:
    stage = Stage({"step-a": replace(GREEDY, oom=variant), "step-b": Behaviour()}, options=recorded(oom=node))
    stage.create(**{**task_spec(), "containers": [limited(step(0, "a"), "128Mi"), step(1, "b")]})
    stage.run(60)
    return stage


def test_a_killed_container_says_nothing_and_its_successor_waits_for_ever() -> None:
    stage = stage_with()
    assert stage.trace()[-1] == (
        "3220 MOD Ready=False:ContainersNotReady ContainersReady=False:ContainersNotReady step-a=137:OOMKilled"
    )
    assert "message" not in stage.terminated("step-a")
    assert stage.state("step-b") == "running"
    assert stage.pod()["status"]["phase"] == "Running"


def test_a_kill_that_the_runtime_missed_reads_error() -> None:
    stage = stage_with(OomVariant.UNREPORTED)
    assert stage.state("step-a") == "137:Error"
    assert stage.state("step-b") == "running"


def test_an_entrypoint_that_outlives_its_step_exits_255_and_the_rest_skips() -> None:
    stage = stage_with(OomVariant.CHILD)
    assert stage.state("step-a") == "255:OOMKilled"
    assert stage.terminated("step-a")["message"].startswith('[{"key":"StartedAt"')
    assert stage.state("step-b") == "1:Error"
    assert stage.pod()["status"]["phase"] == "Failed"


def test_a_step_that_survives_the_death_of_its_child_ends_well_and_reads_oomkilled() -> None:
    stage = stage_with(OomVariant.SURVIVED)
    assert stage.state("step-a") == "0:OOMKilled"
    assert stage.terminated("step-a")["finishedAt"] == "2026-01-05T08:00:06Z"
    assert stage.state("step-b") == "0:Completed"
    assert stage.pod()["status"]["phase"] == "Succeeded"


def test_the_variant_is_the_nodes_unless_the_behaviour_names_another() -> None:
    assert stage_with(node=OomVariant.CHILD).state("step-a") == "255:OOMKilled"
    assert stage_with(OomVariant.GROUP, node=OomVariant.CHILD).state("step-a") == "137:OOMKilled"


def test_an_init_container_over_its_limit_fails_the_pod() -> None:
    stage = Stage({"prepare": Behaviour(duration_us=210_000, memory_peak_bytes=200 * 2**20)})
    spec = task_spec()
    spec["initContainers"][0] = limited(spec["initContainers"][0], "64Mi")
    stage.create(**spec)
    stage.run(10)
    assert stage.trace()[-1] == (
        "680 MOD phase=Failed Ready=False:PodFailed ContainersReady=False:PodFailed prepare=137:OOMKilled"
    )
    assert stage.state("step-a") == "waiting:PodInitializing"


def test_a_container_that_hangs_is_killed_when_its_peak_is_reached() -> None:
    stage = Stage({"step-a": Behaviour(hangs=True, memory_peak_bytes=2**30, peak_after_us=7 * SECOND)})
    stage.create(**{**task_spec(), "containers": [limited(step(0, "a"), "128Mi")]})
    stage.run(60)
    assert stage.trace()[-1].startswith("8220 MOD phase=Failed")


@pytest.mark.parametrize("limit", ["200Mi", "1Gi"])
def test_memory_within_the_limit_kills_nobody(limit: str) -> None:
    stage = Stage({"step-a": GREEDY})
    stage.create(**{**task_spec(), "containers": [limited(step(0, "a"), limit)]})
    stage.run(60)
    assert stage.state("step-a") == "0:Completed"


def test_a_timeout_before_the_peak_wins() -> None:
    stage = Stage({"step-a": GREEDY})
    stage.create(**{**task_spec(), "containers": [limited(step(0, "a", "-timeout", "1s"), "128Mi")]})
    stage.run(60)
    assert stage.state("step-a") == "1:Error"
