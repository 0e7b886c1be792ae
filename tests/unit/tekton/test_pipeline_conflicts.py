"""Conflicts are everyday: an attempt that loses one is made again, and what is told of it depends on the release."""

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.tekton.access import PIPELINE_RUNS, TASK_RUNS
from sim.tekton.options import CONTROLLER, TektonOptions
from sim.tekton.version import V1_7, V1_15, Version
from sim.workload.distributions import Constant

EVENTS = Resource("", "v1", "events", "Event")
SLOW_WRITES = Latency(verbs={"update": Constant(300_000)})


def told(world: TektonWorld) -> list[str]:
    return [one["reason"] for one in world.server.items(EVENTS, NAMESPACE) if "modified" in one.get("message", "")]


@pytest.mark.parametrize(("version", "events"), [(V1_7, ["Error", "InternalError"]), (V1_15, ["Error"])])
def test_labels_that_lose_a_conflict_are_written_by_the_next_attempt(version: Version, events: list[str]) -> None:
    with TektonWorld(TektonOptions(version=version), latency=SLOW_WRITES) as world:
        world.submit([task("t")])
        world.run(0.1)
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"metadata": {"labels": {"a": "b"}}})
        world.run(10)
        assert told(world) == events
        assert world.pipeline_run()["metadata"]["labels"] == {"a": "b", "tekton.dev/pipeline": "run"}
        assert world.verdict()[:2] == ("True", "Succeeded")


@pytest.mark.parametrize(("version", "reads"), [(V1_7, False), (V1_15, True)])
def test_a_task_run_whose_pod_was_evicted_is_read_again_in_the_later_release(version: Version, reads: bool) -> None:
    outcomes = {"evicted": Outcome(ends=False), "other": Outcome(ends=False)}
    with TektonWorld(TektonOptions(version=version), outcomes=outcomes) as world:
        world.submit([task("evicted"), task("other")])
        world.run(3)
        before = world.server.calls[CONTROLLER, "get", "taskruns.tekton.dev"].count
        run = world.task_run("evicted")
        condition = {"type": "Succeeded", "status": "False", "reason": "PodEvicted", "message": "The node was low"}
        body = {**run, "status": {**run["status"], "conditions": [condition], "completionTime": "2026-01-05T08:00:05Z"}}
        world.server.update(ADMIN, TASK_RUNS, NAMESPACE, "run-evicted", body, subresource="status")
        world.run(1)
        assert world.verdict()[:2] == ("Unknown", "PipelineRunStopping")
        read = world.server.calls[CONTROLLER, "get", "taskruns.tekton.dev"].count - before
        assert (read > 0) == reads
