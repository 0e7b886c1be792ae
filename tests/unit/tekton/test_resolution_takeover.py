"""Resolvers that take over: each of the five looks at every request, whoever it is for."""

from collections import Counter

import pytest
from bundle_requests import IMAGE, catalogue, submit_bundle
from tekton_world import TektonWorld

from sim.tekton.install import RESOLVERS
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version

PATIENT_US = 600_000_000
RECORDED = (
    "missing required git resolver params: pathInRepo",
    "missing required http resolver params: url",
    "failed to validate params: missing required hub resolver params: version",
)
BY_THE_CLUSTER = {
    "v1.7.0": "the server could not find the requested resource (get pipelines.tekton.dev workflow)",
    "v1.15.0": "missing required cluster resolver params: namespace",
}


def verdicts(world: TektonWorld, count: int) -> Counter[str]:
    return Counter(world.verdict(f"run-{number}")[0] for number in range(count))


@pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
def test_an_orderly_restart_fails_every_request_that_waits(version: Version) -> None:
    texts: Counter[str] = Counter()
    with TektonWorld(TektonOptions(version=version), bundles=catalogue()) as world:
        world.tekton.stop(RESOLVERS)
        for number in range(10):
            submit_bundle(world, f"run-{number}")
        world.run(3)
        world.tekton.start(RESOLVERS)
        world.run(1)
        assert verdicts(world, 10) == {"False": 10}  # recorded: 10 of 10, with both releases, within half a second
        for number in range(10):
            _, reason, message = world.verdict(f"run-{number}")
            assert reason == "CouldntGetPipeline"
            known = (*RECORDED, BY_THE_CLUSTER[version.name])
            texts[next(text for text in known if message.endswith(text))] += 1
    assert len(texts) >= 2  # recorded: three resolvers share them


def test_requests_after_the_takeover_are_resolved_as_ever() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.tekton.restart_orderly(RESOLVERS)
        world.run(2)
        submit_bundle(world)
        world.run(3)
        assert world.verdict()[0] == "True"


def test_after_a_crash_nothing_is_resolved_until_the_leases_have_run_out_and_then_the_first_leader_decides() -> None:
    ends = Counter()
    for seed in range(12):
        options = TektonOptions(resolution_timeout_us=PATIENT_US)
        with TektonWorld(options, bundles=catalogue(), seed=seed) as world:
            world.tekton.restart(RESOLVERS)
            for number in range(5):
                submit_bundle(world, f"run-{number}")
            world.run(59)
            assert verdicts(world, 5) == {"Unknown": 5}
            world.run(40)
            states = verdicts(world, 5)
            assert len(states) == 1
            ends.update(states)
    assert ends["False"] > ends["True"] > 0  # four of five leaders are the wrong one; recorded: git failed all thirty


def test_before_v1_15_the_bundle_resolver_works_without_its_lease() -> None:
    with TektonWorld(TektonOptions(version=V1_7), bundles=catalogue()) as world:
        world.tekton.restart(RESOLVERS)
        submit_bundle(world)
        world.run(5)
        assert world.verdict()[0] == "True"


def test_a_rolling_update_leaves_a_gap_in_which_nobody_leads() -> None:
    ends: Counter[str] = Counter()
    for seed in range(8):
        options = TektonOptions(resolution_timeout_us=PATIENT_US)
        with TektonWorld(options, bundles=catalogue(), seed=seed) as world:
            world.tekton.roll(RESOLVERS)
            world.run(5.5)
            submit_bundle(world)
            world.run(0.5)
            assert world.verdict()[1] == "ResolvingPipelineRef"
            world.run(40)
            ends[world.verdict()[0]] += 1
    assert ends["Unknown"] == 0
    assert ends["False"] > 0


def test_a_second_replica_of_the_resolvers_takes_over_from_one_that_crashed() -> None:
    options = TektonOptions(resolvers_replicas=2, high_availability=True, resolution_timeout_us=PATIENT_US)
    with TektonWorld(options, bundles=catalogue()) as world:
        submit_bundle(world, "before")
        world.run(5)
        assert world.verdict("before")[0] == "True"
        world.tekton.kill(RESOLVERS)
        world.tekton.start(RESOLVERS)
        submit_bundle(world, "after", image=IMAGE)
        world.run(30)
        assert world.verdict("after")[1] == "ResolvingPipelineRef"
        world.run(70)
        assert world.verdict("after")[0] in ("True", "False")


def test_a_kind_that_no_resolver_knows_is_told_by_whoever_is_first() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.tekton.stop(RESOLVERS)
        submit_bundle(world, kind="gadget")
        world.run(1)
        world.tekton.start(RESOLVERS)
        world.run(1)
        message = world.verdict()[2]
        known = ("kind param must be one of: task, pipeline, stepaction", "unsupported resource kind 'gadget'")
        assert any(text in message for text in (*known, *RECORDED))
