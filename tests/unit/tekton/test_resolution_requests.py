"""ResolutionRequests over their life: one at a time, by name, in time, and for owners that may be gone."""

from typing import Any

import pytest
from bundle_requests import IMAGE, catalogue, pipeline, submit_bundle
from tekton_world import NAMESPACE, TektonWorld, task

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS, RESOLUTION_REQUESTS
from sim.tekton.install import CONTROLLER, RESOLVERS
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15, Version
from sim.workload.distributions import Constant

TASKS = "registry.example/tasks:v1"
RELEASES = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)


def requests(world: TektonWorld) -> list[Document]:
    found: list[Document] = world.server.list(ADMIN, RESOLUTION_REQUESTS, NAMESPACE)["items"]
    return found


def remote_task(name: str, **params: Any) -> Document:
    given = {"bundle": TASKS, "name": name, "kind": "task", **params}
    listed = [{"name": key, "value": value} for key, value in given.items()]
    return {"name": name, "taskRef": {"resolver": "bundles", "params": listed}}


def slow(version: Version = V1_15) -> TektonOptions:
    return TektonOptions(version=version, pull=Constant(1_000_000))


@RELEASES
def test_the_tasks_of_a_pipeline_are_fetched_one_after_the_other(version: Version) -> None:
    bundles = catalogue()
    for name in ("a", "b", "c"):
        spec = task(name)["taskSpec"]
        document = {"apiVersion": "tekton.dev/v1", "kind": "Task", "metadata": {"name": name}, "spec": spec}
        bundles.add(TASKS, document)
    with TektonWorld(slow(version), bundles=bundles) as world:
        world.submit([remote_task(name) for name in ("a", "b", "c")])
        counts = []
        for _ in range(3):
            world.run(0.8)
            counts.append(len(requests(world)))
            world.run(0.7)
        world.run(10)
        assert counts[0] == 1
        assert counts == sorted(counts)
        owners = [one["metadata"]["ownerReferences"][0]["kind"] for one in requests(world)]
        assert owners == ["PipelineRun"] * 3  # the TaskRuns find these requests by their own names
        assert world.verdict()[:2] == ("True", "Succeeded")


@RELEASES
def test_a_task_that_its_bundle_does_not_have_fails_the_run(version: Version) -> None:
    with TektonWorld(TektonOptions(version=version), bundles=catalogue()) as world:
        world.submit([remote_task("a")])
        world.run(5)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "CouldntGetTask")
        assert "MANIFEST_UNKNOWN" in message


@RELEASES
def test_the_same_reference_of_the_same_run_is_asked_for_once(version: Version) -> None:
    with TektonWorld(TektonOptions(version=version), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(5)
        name = requests(world)[0]["metadata"]["name"]
        world.server.delete(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", propagation="Orphan")
        world.run(1)
        submit_bundle(world)
        world.run(5)
        assert [one["metadata"]["name"] for one in requests(world)] == [name]
        assert world.server.calls[RESOLVERS, "get", "serviceaccounts"].count == (2 if version is V1_7 else 1)


@RELEASES
def test_a_request_that_somebody_deletes_is_made_again(version: Version) -> None:
    with TektonWorld(slow(version), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(0.5)
        (first,) = requests(world)
        world.server.delete(ADMIN, RESOLUTION_REQUESTS, NAMESPACE, first["metadata"]["name"])
        world.run(6)
        (second,) = requests(world)
        assert first["metadata"]["uid"] != second["metadata"]["uid"]
        assert first["metadata"]["name"] == second["metadata"]["name"]
        assert world.verdict()[0] == "True"


@RELEASES
def test_the_request_of_a_run_that_was_withdrawn_goes_with_it(version: Version) -> None:
    with TektonWorld(slow(version), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(0.5)
        world.server.delete(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", propagation="Foreground")
        world.run(5)
        assert requests(world) == []
        assert world.server.find(PIPELINE_RUNS, NAMESPACE, "run") is None


def test_a_run_that_is_cancelled_while_it_resolves_is_cancelled_at_once() -> None:
    with TektonWorld(slow(), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(0.5)
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": "Cancelled"}})
        world.run(3)
        assert world.verdict()[:2] == ("False", "Cancelled")
        assert world.pods_started == []


@pytest.mark.parametrize(("version", "pulls", "patches"), [(V1_7, 2, 2), (V1_15, 1, 1)], ids=["v1.7.0", "v1.15.0"])
def test_before_v1_13_a_request_is_resolved_and_written_twice(version: Version, pulls: int, patches: int) -> None:
    with TektonWorld(TektonOptions(version=version), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(5)
        calls = world.server.calls
        assert calls[RESOLVERS, "get", "serviceaccounts"].count == pulls
        assert calls[RESOLVERS, "patch", "resolutionrequests.resolution.tekton.dev/status"].count == patches


def test_the_time_for_a_request_is_a_setting_of_its_own() -> None:
    with TektonWorld(TektonOptions(resolution_timeout_us=5_000_000), bundles=catalogue()) as world:
        world.tekton.kill(RESOLVERS)
        submit_bundle(world)
        world.run(4)
        assert world.verdict()[1] == "ResolvingPipelineRef"
        world.run(3)
        assert world.verdict()[2].endswith("resolution took longer than global timeout of 5s")


def test_a_request_whose_time_passed_while_the_controller_was_down_fails_when_it_starts() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.tekton.kill(RESOLVERS)
        submit_bundle(world)
        world.run(2)
        world.tekton.kill(CONTROLLER)
        world.run(120)
        world.tekton.start(CONTROLLER)
        world.run(1)
        assert world.verdict()[2].endswith("global timeout of 1m0s")


def test_a_pipeline_where_a_task_lies_in_the_bundle_fails_the_run() -> None:
    bundles = catalogue()
    document = {**pipeline(), "kind": "Task", "spec": task("t")["taskSpec"]}
    bundles.add(IMAGE, document, kind="pipeline")
    with TektonWorld(bundles=bundles) as world:
        submit_bundle(world)
        world.run(5)
        assert world.verdict()[:2] == ("False", "CouldntGetPipeline")
        assert world.verdict()[2].endswith("failed to read runtime object as Pipeline: resource is not a pipeline")
