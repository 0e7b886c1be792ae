"""What a recorded run met: quotas, a registry, an outage. All of it is set up before the run is submitted."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from controller.ports import ApiError, Document, Resource
from scenarios.golden.stage import Ability, Stage
from sim.tekton.access import PODS, SERVICE_ACCOUNTS, TASK_RUNS

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
_LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
_ACCOUNTS = ("default", "kubernaut-workflow-runner")
_COUNTED_S = 0.5  # by then a quota controller has counted
BLOCKER = "blocker"
"""The pod that uses a quota up."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything is empty in an undisturbed situation."""

    quota: Mapping[str, str] = field(default_factory=dict)
    """``{"name": …, "resource": …}`` of a ResourceQuota that is used up."""
    uncounted: str = ""
    """What admission says of a quota on TaskRuns that nobody has counted yet."""
    bundle: Mapping[str, Any] = field(default_factory=dict)
    """``{"image": …, "name": …, "tasks": […]}``, or ``{"image": …, "refusal": what the registry answers}``."""
    webhook_error: str = ""
    """The transport error of a webhook that is down from the beginning."""
    controller_down: bool = False
    """Tekton's controller is down from the beginning."""

    @property
    def needs(self) -> frozenset[Ability]:
        needed: set[Ability] = set()
        if self.bundle:
            needed.add("serve bundles")
        if self.uncounted:
            needed.add("refuse")
        if self.webhook_error:
            needed.add("stop webhook")
        if self.controller_down:
            needed.add("stop controller")
        return frozenset(needed)

    def to_json(self) -> dict[str, Any]:
        """Only what is not empty."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name)}

    async def prepare(self, stage: Stage, namespace: str) -> None:
        """Bring them about in ``namespace``, which is created if need be."""
        await _ensure(stage, NAMESPACES, "", {"metadata": {"name": namespace}})
        for name in _ACCOUNTS:
            await _ensure(stage, SERVICE_ACCOUNTS, namespace, {"metadata": {"name": name}})
        if self.quota:
            await self._use_up(stage, namespace)
        if self.bundle:
            await stage.serve_bundle(self.bundle["image"], self._pipeline(), self.bundle.get("refusal", ""))
        if self.uncounted:
            await stage.refuse(TASK_RUNS, self.uncounted)
        if self.controller_down:
            await stage.kill("controller")
        if self.webhook_error:
            await stage.fail_webhook(self.webhook_error)

    def _pipeline(self) -> Document | None:
        if "refusal" in self.bundle:
            return None
        return {
            "apiVersion": "tekton.dev/v1",
            "kind": "Pipeline",
            "metadata": {"name": self.bundle["name"]},
            "spec": {"tasks": self.bundle["tasks"]},
        }

    async def _use_up(self, stage: Stage, namespace: str) -> None:
        """By a pod where the quota counts pods, else by allowing nothing."""
        limit = 1 if self.quota["resource"] == "pods" else 0
        spec = {"hard": {self.quota["resource"]: str(limit)}}
        await _ensure(stage, _QUOTAS, namespace, {"metadata": {"name": self.quota["name"]}, "spec": spec})
        await asyncio.sleep(_COUNTED_S)
        if limit:
            container = {"name": "main", "image": "reg.local/blocker:1"}
            await _ensure(stage, PODS, namespace, {"metadata": {"name": BLOCKER}, "spec": {"containers": [container]}})
            await asyncio.sleep(_COUNTED_S)


async def _ensure(stage: Stage, resource: Resource, namespace: str, body: Document) -> None:
    try:
        await stage.cluster.create(
            resource, namespace, {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        )
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
