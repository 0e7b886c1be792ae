"""Somebody who approves: answers remediations that wait for approval, after a while, or never."""

from dataclasses import dataclass, field
from random import Random

from controller.api.resources import REMEDIATION_REQUESTS
from controller.orchestrator.labels import APPROVAL, APPROVED, REJECTED
from controller.ports import Document, Resource, WatchType
from sim.apiserver.server import ApiServer
from sim.cluster.api import Api, component_user
from sim.loop import Loop
from sim.people.deed import do
from sim.workload.distributions import Distribution, Lognormal

NAME = "approver"
_DECIDED_US = 120_000_000
_NONE: Document = {}


@dataclass(frozen=True, slots=True)
class Habits:
    """How long somebody takes to answer; shares of refusals and of requests that nobody looks at, from 0 to 1."""

    latency: Distribution = field(
        default_factory=lambda: Lognormal(median_us=180_000_000, sigma=0.8, source="assumed: somebody on call")
    )
    rejects: float = 0.1
    silent: float = 0.1


class Approver:
    """Watches RemediationRequests and annotates those that come to wait for approval."""

    def __init__(self, server: ApiServer, loop: Loop, habits: Habits, *, stream: Random) -> None:
        self._api = Api(server, component_user(NAME), NAME)
        self._loop = loop
        self._habits = habits
        self._stream = stream
        self._answers: dict[str, str] = {}
        server.observe(self._observed, REMEDIATION_REQUESTS)

    def decide(self, request: str, answer: str) -> None:
        """What is answered, after two minutes, for the request of that name: ``approved``, ``rejected``, or ``""``."""
        self._answers[request] = answer

    def _observed(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        if type_ != "MODIFIED" or _phase(new) != "AwaitingApproval" or _phase(old or _NONE) == "AwaitingApproval":
            return
        metadata = new["metadata"]
        answer, delay_us = self._answers.get(metadata["name"]), _DECIDED_US
        if answer is None:
            answer, delay_us = self._draw(), self._habits.latency.sample_us(self._stream)
        if answer:
            self._loop.after(delay_us, self._annotate, metadata["namespace"], metadata["name"], answer)

    def _draw(self) -> str:
        draw = self._stream.random()
        if draw < self._habits.silent:
            return ""
        return REJECTED if draw < self._habits.silent + self._habits.rejects else APPROVED

    def _annotate(self, namespace: str, name: str, answer: str) -> None:
        patch = {"metadata": {"annotations": {APPROVAL: answer}}}
        do(NAME, self._api.patch, REMEDIATION_REQUESTS, namespace, name, patch)


def _phase(request: Document) -> str:
    return (request.get("status") or _NONE).get("overallPhase") or ""
