"""Somebody who reviews: looks at failed executions that block their targets, and clears the block after a while."""

from dataclasses import dataclass, field
from random import Random

from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.ports import Document, Resource, WatchType
from sim.apiserver.server import ApiServer
from sim.cluster.api import Api, component_user
from sim.loop import Loop
from sim.people.deed import do
from sim.workload.distributions import Distribution, Lognormal

NAME = "reviewer"
_NONE: Document = {}


@dataclass(frozen=True, slots=True)
class Diligence:
    """How long somebody takes to look, and the share of failures that nobody ever looks at, from 0 to 1."""

    latency: Distribution = field(
        default_factory=lambda: Lognormal(median_us=1_200_000_000, sigma=0.8, source="assumed: somebody on call")
    )
    ignores: float = 0.0


class Reviewer:
    """Watches WorkflowExecutions that failed while they worked."""

    def __init__(self, server: ApiServer, loop: Loop, diligence: Diligence, *, stream: Random) -> None:
        self._api = Api(server, component_user(NAME), NAME)
        self._loop = loop
        self._diligence = diligence
        self._stream = stream
        server.observe(self._observed, WORKFLOW_EXECUTIONS)

    def _observed(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        status = new.get("status") or _NONE
        if type_ != "MODIFIED" or status.get("phase") != "Failed":
            return
        if ((old or _NONE).get("status") or _NONE).get("phase") == "Failed":
            return
        if not (status.get("failureDetails") or _NONE).get("wasExecutionFailure"):
            return
        looks = self._stream.random() >= self._diligence.ignores
        delay_us = self._diligence.latency.sample_us(self._stream)
        if looks:
            metadata = new["metadata"]
            self._loop.after(delay_us, self._clear, metadata["namespace"], metadata["name"])

    def _clear(self, namespace: str, name: str) -> None:
        patch = {"metadata": {"annotations": {CLEAR_BLOCK: "looked at by a person"}}}
        do(NAME, self._api.patch, WORKFLOW_EXECUTIONS, namespace, name, patch)
