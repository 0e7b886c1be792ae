"""TaskRuns that cannot be told to stop: the run says so and tries again."""

from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import ApiError, Resource
from sim.apiserver.identity import ADMIN, User
from sim.apiserver.server import ApiServer
from sim.tekton.access import PIPELINE_RUNS

HANGS = {"t": Outcome(ends=False)}


@pytest.fixture
def etcd(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Patches of TaskRuns by controllers fail while it is ``away``."""
    state, patch = {"away": True}, ApiServer.patch

    def refuse(server: ApiServer, user: User, resource: Resource, *rest: Any, **more: Any) -> Any:
        if state["away"] and user is not ADMIN and resource.plural == "taskruns":
            raise ApiError(500, "InternalError", "Internal error occurred: etcd is away")
        return patch(server, user, resource, *rest, **more)

    monkeypatch.setattr(ApiServer, "patch", refuse)
    return state


@pytest.mark.parametrize("demand", ["Cancelled", "CancelledRunFinally"])
def test_a_cancel_that_cannot_reach_its_task_run_is_told_and_made_again(demand: str, etcd: dict[str, bool]) -> None:
    with TektonWorld(outcomes=HANGS) as world:
        world.submit([task("t")])
        world.run(3)
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": {"status": demand}})
        world.run(1)
        assert world.verdict() == (
            "Unknown",
            "PipelineRunCouldntCancel",
            'PipelineRun "run" was cancelled but had errors trying to cancel TaskRuns and/or Runs: failed to patch '
            "TaskRun `run-t` with cancellation: Internal error occurred: etcd is away",
        )
        assert "completionTime" not in world.pipeline_run()["status"]
        etcd["away"] = False
        world.run(20)
        assert world.verdict() == ("False", "Cancelled", 'PipelineRun "run" was cancelled')


def test_a_timeout_that_cannot_reach_its_task_run_is_told_and_made_again(etcd: dict[str, bool]) -> None:
    with TektonWorld(outcomes=HANGS) as world:
        world.submit([task("t")], timeouts={"pipeline": "20s"})
        world.run(21.5)
        state_, reason, message = world.verdict()
        assert (state_, reason) == ("Unknown", "PipelineRunCouldntTimeOut")
        assert message.endswith("with timeout: Internal error occurred: etcd is away")
        etcd["away"] = False
        world.run(10)
        assert world.verdict() == ("False", "PipelineRunTimeout", 'PipelineRun "run" failed to finish within "20s"')
