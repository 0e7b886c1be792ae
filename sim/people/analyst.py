"""The analyst by rules: answers AIAnalyses from a list of remedies, and never recommends what has failed before.

It stands in for a language model: it takes its time, it is not always sure, and sometimes it finds nothing. Its
answers are written as they are due, without a latency of the API server's: thinking takes seconds to minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from controller.api.resources import AI_ANALYSES
from controller.ports import Document, Resource, WatchType
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api, component_user
from sim.loop import Loop
from sim.people.deed import do
from sim.workload.distributions import Distribution, Lognormal

NAME = "aianalysis-controller"
_CONFIDENT, _UNSURE = 0.92, 0.55


@dataclass(frozen=True, slots=True)
class Remedy:
    """A workflow that an analyst may recommend. ``parameters`` keep the casing of the workflow's own schema;
    ``signals`` are the names of signals it is for, none for any."""

    workflow_id: str
    version: str
    container_image: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    signals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Temper:
    """How long an analyst takes, and how often it fails; shares of all analyses from 0 to 1, at most 1 in all."""

    latency: Distribution = field(
        default_factory=lambda: Lognormal(median_us=12_000_000, sigma=0.6, source="assumed: a model's investigation")
    )
    not_needed: float = 0.0
    nothing_found: float = 0.0
    unsure: float = 0.0
    """Finds a workflow, with a confidence that asks for somebody's approval."""
    error: float = 0.0
    silent: float = 0.0
    """Never answers."""


class Analyst:
    """Watches AIAnalyses and answers each once. ``pin`` makes it recommend a workflow for a remediation, by name."""

    def __init__(
        self,
        server: ApiServer,
        loop: Loop,
        clock: Clock,
        remedies: Sequence[Remedy],
        temper: Temper,
        *,
        stream: Random,
    ) -> None:
        self._api = Api(server, component_user(NAME), NAME)
        self._loop = loop
        self._clock = clock
        self._remedies = tuple(remedies)
        self._temper = temper
        self._stream = stream
        self._pinned: dict[str, tuple[str, ...]] = {}
        self._moods: dict[str, str] = {}
        self._paces_us: dict[str, int] = {}
        server.observe(self._observed, AI_ANALYSES)

    def pin(self, request: str, *workflow_ids: str) -> None:
        """Recommend these for the RemediationRequest of that name, one after the other, and then nothing."""
        self._pinned[request] = workflow_ids

    def mood(self, request: str, mood: str) -> None:
        """How the analyses of one RemediationRequest go: a field of Temper, such as ``unsure``."""
        self._moods[request] = mood

    def pace(self, request: str, delay_us: int) -> None:
        """Take exactly so long over every analysis of one RemediationRequest."""
        self._paces_us[request] = delay_us

    def _observed(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        if type_ == "ADDED":
            metadata = new["metadata"]
            request = _request_of(new)
            mood = self._moods.get(request) or self._mood()
            if mood == "silent":
                return
            delay_us = self._paces_us.get(request) or self._temper.latency.sample_us(self._stream)
            self._loop.after(delay_us, self._answer, metadata["namespace"], metadata["name"], mood)

    def _mood(self) -> str:
        """What comes of an analysis; takes exactly one draw."""
        draw, temper = self._stream.random(), self._temper
        for mood in ("not_needed", "nothing_found", "unsure", "error", "silent"):
            draw -= getattr(temper, mood)
            if draw < 0:
                return mood
        return ""

    def _answer(self, namespace: str, name: str, mood: str) -> None:
        analysis = self._api.find(AI_ANALYSES, namespace, name)
        if analysis is None or "deletionTimestamp" in analysis["metadata"]:
            return
        status = answer(analysis, self._candidates(analysis), mood, self._stream)
        status["completedAt"] = self._clock.timestamp()
        do(NAME, self._api.patch, AI_ANALYSES, namespace, name, {"status": status}, subresource="status")

    def _candidates(self, analysis: Document) -> list[Remedy]:
        """What may be recommended, best first: pinned ones in their order, others for the signal."""
        pinned = self._pinned.get(_request_of(analysis))
        if pinned is not None:
            known = {one.workflow_id: one for one in self._remedies}
            return [known[one] for one in pinned]
        signal = analysis["spec"]["signalContext"]["signalName"]
        return [one for one in self._remedies if not one.signals or signal in one.signals]


def _request_of(analysis: Document) -> str:
    """The name of its RemediationRequest; empty where whoever asks gave none."""
    return analysis["spec"]["remediationRequestRef"].get("name") or ""


def answer(analysis: Document, candidates: Sequence[Remedy], mood: str, stream: Random) -> dict[str, Any]:
    """The status of an analysis that is over. ``mood`` is a field of Temper, or empty."""
    spec = analysis["spec"]
    if mood == "not_needed":
        return {"phase": "Completed", "reason": "WorkflowNotNeeded", "message": "The signal has resolved by itself"}
    if mood == "error":
        return {"phase": "Failed", "reason": "APIError", "message": "The model did not answer"}
    failed = {one["selectedWorkflow"]["workflowId"] for one in spec.get("previousExecutions") or ()}
    left = [one for one in candidates if one.workflow_id not in failed]
    if mood == "nothing_found" or not left:
        text = f"No workflow is left for {spec['signalContext']['signalName']}" if failed else "No workflow fits"
        nothing = {"reason": "WorkflowResolutionFailed", "subReason": "NoMatchingWorkflows"}
        return {"phase": "Failed", **nothing, "message": text}
    chosen = left[0]
    confidence = round((_UNSURE if mood == "unsure" else _CONFIDENT) + 0.05 * stream.random(), 3)
    target = spec["signalContext"]["targetResource"]
    status: dict[str, Any] = {
        "phase": "Completed",
        "rootCauseAnalysis": {
            "summary": f"{target['kind']} {target['name']} shows {spec['signalContext']['signalName']}",
            "signalType": spec["signalContext"]["signalType"],
            "severity": spec["signalContext"]["severity"],
        },
        "selectedWorkflow": {
            "workflowId": chosen.workflow_id,
            "version": chosen.version,
            "containerImage": chosen.container_image,
            "parameters": dict(chosen.parameters),
            "confidence": confidence,
            "rationale": f"{chosen.workflow_id} remedies {spec['signalContext']['signalName']}",
        },
    }
    if mood == "unsure":
        status.update(approvalRequired=True, approvalReason=f"confidence {confidence} is below 0.8")
    return status
