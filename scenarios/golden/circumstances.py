"""What a recorded run met: quotas, a registry, an outage. All of it is set up before the run is submitted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from controller.ports import ApiError, Document, Resource
from scenarios.golden.stage import Ability, Component, Stage
from sim.tekton.access import LIMIT_RANGES, PODS, RESOLUTION_REQUESTS, SERVICE_ACCOUNTS

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
BLOCKER = "blocker"
"""The pods that use a quota up are called this, and ``blocker-2`` and so on."""
_SETTLED_S = 2.0  # by then Tekton's processes lead
_COUNTED_S = 0.5  # by then a quota controller has counted
STOPS: Mapping[str, Ability] = {
    "controller": "stop controller",
    "resolvers": "stop resolvers",
    "webhook": "stop webhook",
    "garbage collector": "pause garbage collector",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything is empty in an undisturbed situation."""

    service_accounts: Sequence[str] = ("default", "kubernaut-workflow-runner")
    quotas: Sequence[Mapping[str, Any]] = ()
    """``{"name": …, "hard": {resource: quantity}, "used": {resource: quantity}}``: what is used, blockers use."""
    limit_ranges: Sequence[Mapping[str, Any]] = ()
    """Specs of LimitRanges."""
    bundle: Mapping[str, Any] = field(default_factory=dict)
    """``{"image": …, "name": …, "spec": of the pipeline}``, or ``{"image": …, "refusal": the registry's answer}``.

    ``cached`` are the parameters of a request that was answered before, so that the resolvers know the bundle.
    """
    refused: Mapping[str, str] = field(default_factory=dict)
    """What admission says to every creation, by plural: ``violates PodSecurity "restricted:latest": …``."""
    webhook_error: str = ""
    """The transport error of a webhook that is down from the beginning."""
    down: Mapping[Component, str] = field(default_factory=dict)
    """Components that are down from the beginning, and how they went: ``kill`` or ``stop``."""
    restarted: Mapping[Component, int] = field(default_factory=dict)
    """Components that crashed and were started again so many milliseconds before the submission."""

    @property
    def needs(self) -> frozenset[Ability]:
        needed: set[Ability] = {STOPS[component] for component in (*self.down, *self.restarted)}
        if self.bundle:
            needed.add("serve bundles")
        if self.refused:
            needed.add("refuse")
        if self.webhook_error:
            needed.add("stop webhook")
        return frozenset(needed)

    def to_json(self) -> dict[str, Any]:
        """Only what is not as usual."""
        usual = Circumstances()
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if getattr(self, one.name) != getattr(usual, one.name)
        }

    async def prepare(self, stage: Stage, namespace: str) -> None:
        """Bring them about in ``namespace``, which is created if need be."""
        await ensure(stage, NAMESPACES, "", {"metadata": {"name": namespace}})
        for name in self.service_accounts:
            await ensure(stage, SERVICE_ACCOUNTS, namespace, {"metadata": {"name": name}})
        for number, spec in enumerate(self.limit_ranges):
            body = {"metadata": {"name": f"limits-{number}"}, "spec": spec}
            await ensure(stage, LIMIT_RANGES, namespace, body)
        await self._use_up(stage, namespace)
        if self.bundle:
            await stage.serve_bundle(self.bundle["image"], self._pipeline(), self.bundle.get("refusal", ""))
        if "cached" in self.bundle:
            await self._warm_up(stage)
        for plural, text in self.refused.items():
            await stage.refuse(plural, text)
        if self.webhook_error:
            await stage.fail_webhook(self.webhook_error)
        if self.down or self.restarted:
            await asyncio.sleep(_SETTLED_S)
        for component, how in self.down.items():
            await (stage.stop(component) if how == "stop" else stage.kill(component))
        for component, ago_ms in self.restarted.items():
            await stage.kill(component)
            await stage.start(component)
            await asyncio.sleep(ago_ms / 1000)

    def _pipeline(self) -> Document | None:
        if "refusal" in self.bundle:
            return None
        metadata = {"name": self.bundle["name"]}
        return {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": metadata, "spec": self.bundle["spec"]}

    async def _warm_up(self, stage: Stage) -> None:
        await asyncio.sleep(_SETTLED_S)
        metadata = {"name": "warm-up", "labels": {"resolution.tekton.dev/type": "bundles"}}
        body = {"metadata": metadata, "spec": {"params": self.bundle["cached"]}}
        await ensure(stage, RESOLUTION_REQUESTS, "default", body)
        await asyncio.sleep(_SETTLED_S)

    async def _use_up(self, stage: Stage, namespace: str) -> None:
        for quota in self.quotas:
            body = {"metadata": {"name": quota["name"]}, "spec": {"hard": quota["hard"]}}
            await ensure(stage, QUOTAS, namespace, body)
        if self.quotas:
            await asyncio.sleep(_COUNTED_S)
        blockers = [blocker for quota in self.quotas for blocker in _blockers(quota["used"])]
        for number, requests in enumerate(blockers, start=1):
            name = BLOCKER if number == 1 else f"{BLOCKER}-{number}"
            container = {"name": "main", "image": "reg.local/blocker:1", "resources": requests}
            await ensure(stage, PODS, namespace, {"metadata": {"name": name}, "spec": {"containers": [container]}})
        if blockers:
            await asyncio.sleep(_COUNTED_S)


def _blockers(used: Mapping[str, str]) -> list[dict[str, Any]]:
    """Container resources of the pods that use that much: as many pods as are counted, the first with all the rest."""
    count = int(used.get("pods", used.get("count/pods", "0")))
    requests = {key.removeprefix("requests."): one for key, one in used.items() if key in _REQUESTS}
    limits = {key.removeprefix("limits."): one for key, one in used.items() if key in _LIMITS}
    resources = {word: amounts for word, amounts in (("requests", requests), ("limits", limits)) if amounts}
    return [resources, *({} for _ in range(count - 1))] if count or resources else []


_REQUESTS = ("cpu", "memory", "requests.cpu", "requests.memory")
_LIMITS = ("limits.cpu", "limits.memory")


async def ensure(stage: Stage, resource: Resource, namespace: str, body: Document) -> None:
    """Create what may be there already."""
    body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    try:
        await stage.cluster.create(resource, namespace, body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
