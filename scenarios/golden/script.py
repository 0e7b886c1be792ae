"""What the recording's script did to the run after it had submitted it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from controller.ports import ApiError
from scenarios.golden.circumstances import BLOCKER
from scenarios.golden.recording import Recording
from scenarios.golden.stage import Stage
from sim.tekton.access import PIPELINE_RUNS, PODS, TASK_RUNS

_RETRY_US = 55_000


class Script:
    """The actions of one recording. ``refusals`` are the messages of those that the API server refused."""

    def __init__(self, stage: Stage, recording: Recording) -> None:
        self.refusals: list[str] = []
        self._stage = stage
        self._recording = recording

    def begin(self) -> None:
        """The run is being submitted now: do everything else at its time."""
        for action in self._recording.actions:
            self._stage.later(action["at_ms"] * 1000, partial(self._act, action))

    async def _act(self, action: Mapping[str, Any]) -> None:
        try:
            await self._perform(action)
        except ApiError as error:
            self.refusals.append(error.message)
            if action["do"] == "recreate until accepted":
                self._stage.later(_RETRY_US, partial(self._act, action))

    async def _perform(self, action: Mapping[str, Any]) -> None:
        stage, cluster = self._stage, self._stage.cluster
        namespace, name = self._recording.namespace, self._recording.run
        match action["do"]:
            case "patch":
                await cluster.patch(PIPELINE_RUNS, namespace, name, {"spec": action["spec"]})
            case "patch task":
                await cluster.patch(TASK_RUNS, namespace, f"{name}-run", {"spec": action["spec"]})
            case "delete":
                await cluster.delete(PIPELINE_RUNS, namespace, name, propagation=action["propagation"])
            case "delete pod":
                await cluster.delete(PODS, namespace, f"{name}-run-pod")
            case "free quota":
                await cluster.delete(PODS, namespace, BLOCKER, grace_period_s=0)
            case "kill":
                await stage.kill(action["component"])
            case "stop":
                await stage.stop(action["component"])
            case "pause":
                await stage.pause(action["component"])
            case "start":
                await stage.start(action["component"])
            case "recreate" | "recreate until accepted":
                await cluster.create(PIPELINE_RUNS, namespace, self._recording.submit)
