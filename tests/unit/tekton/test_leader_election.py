"""Leases: who leads, who takes over and when, and what that costs in requests."""

import pytest
from tekton_world import Outcome, TektonWorld, task

from sim.apiserver.identity import ADMIN
from sim.tekton.buckets import bucket_names, owner
from sim.tekton.election import Election
from sim.tekton.install import CONTROLLER
from sim.tekton.locks import LEASES
from sim.tekton.options import TektonOptions

NAMESPACE = "tekton-pipelines"
REPLICATED = TektonOptions(high_availability=True, controller_replicas=2)


def holders(world: TektonWorld, namespace: str = NAMESPACE) -> list[str]:
    leases = world.server.list(ADMIN, LEASES, namespace)["items"]
    return [lease["spec"]["holderIdentity"] for lease in leases]


def writes(world: TektonWorld) -> int:
    counts = world.server.calls
    return sum(counts[CONTROLLER, verb, "leases.coordination.k8s.io"].count for verb in ("create", "update"))


def test_one_of_two_controllers_leads_everything_and_the_other_does_nothing() -> None:
    with TektonWorld(REPLICATED) as world:
        first, second = world.tekton.deployments[CONTROLLER].running
        assert (first.leads, second.leads) in ((True, False), (False, True), (True, True))
        assert len(holders(world)) == 3
        world.submit([task("t")])
        world.run(3)
        assert world.verdict()[:2] == ("True", "Succeeded")
        assert world.pods_started == ["run-t-pod"]


def test_a_lease_is_written_every_ten_seconds_for_each_controller() -> None:
    with TektonWorld(TektonOptions(high_availability=True)) as world:
        before = writes(world)
        world.run(100)
        assert 27 <= writes(world) - before <= 30


def test_without_high_availability_no_lease_is_ever_written() -> None:
    with TektonWorld() as world:
        world.run(100)
        assert writes(world) == 0


def test_a_released_lease_is_taken_at_the_next_look_and_an_expired_one_after_a_minute() -> None:
    gone_s = {}
    for crash in (False, True):
        with TektonWorld(REPLICATED, outcomes={"t": Outcome()}) as world:
            deployment = world.tekton.deployments[CONTROLLER]
            world.run(30)
            since_us = world.loop.now_us
            leaders = [one for one in deployment.running if one.leads]
            for leader in leaders:
                if crash:
                    deployment._crash(leader)
                else:
                    deployment.running.remove(leader)
                    deployment.running.insert(0, leader)
                    deployment._remove()
            world.tekton.start(CONTROLLER)
            world.submit([task("t")])
            assert world.loop.run_until(since_us + 200_000_000, until=lambda: world.verdict()[0] == "True")
            gone_s[crash] = (world.loop.now_us - since_us) / 1e6
    assert gone_s[False] < 30
    assert 50 < gone_s[True] < 100


def test_a_crash_of_both_controllers_is_overcome_only_when_their_leases_have_run_out() -> None:
    with TektonWorld(REPLICATED) as world:
        world.tekton.restart(CONTROLLER)
        world.submit([task("t")])
        world.run(55)
        assert "status" not in world.pipeline_run()
        world.run(60)
        assert world.verdict()[0] == "True"


def test_every_key_has_one_bucket_and_every_bucket_has_keys() -> None:
    names = bucket_names("tekton-pipelines-controller.Reconciler", 3)
    assert names[0] == "tekton-pipelines-controller.reconciler.00-of-03"
    owners = [owner(names, ("ns", f"run-{number}")) for number in range(300)]
    assert {owners.count(name) > 50 for name in names} == {True}


def test_buckets_are_shared_out_and_every_run_is_worked_on_by_somebody() -> None:
    options = TektonOptions(high_availability=True, controller_replicas=2, election=Election(buckets=4))
    with TektonWorld(options) as world:
        for number in range(8):
            world.submit([task("t")], name=f"run-{number}")
        world.run(20)
        assert len(holders(world)) == 12
        assert {world.verdict(f"run-{number}")[0] for number in range(8)} == {"True"}


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"lease_us": 40_000_000}, "longer than the renew deadline"),
        ({"retry_us": 35_000_000}, "1.2 times the retry period"),
        ({"buckets": 11}, "expected 1 to 10, not 11"),
    ],
)
def test_durations_that_cannot_work_are_refused_as_client_go_refuses_them(times: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Election(**times)


def test_several_controllers_without_an_election_are_refused() -> None:
    with pytest.raises(ValueError, match="needs leader election"):
        TektonOptions(controller_replicas=2)
