"""What the recording's script did to the run after it had submitted it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from controller.ports import ApiError, Document, Resource
from scenarios.golden.circumstances import BLOCKER, QUOTAS
from scenarios.golden.stage import Stage
from sim.tekton.access import LIMIT_RANGES, PIPELINE_RUNS, PODS, RESOLUTION_REQUESTS, TASK_RUNS

_RETRY_US = 55_000
_PLENTY = "1000"
_RESOURCES: Mapping[str, Resource] = {
    one.plural: one for one in (PIPELINE_RUNS, TASK_RUNS, RESOLUTION_REQUESTS, PODS, QUOTAS, LIMIT_RANGES)
}


class Script:
    """Does ``deeds`` to the run ``submit`` in ``namespace``, each at its time. A deed is a mapping with ``do`` and:

    * ``patch`` ``resource`` ``name`` ``body`` (a merge patch), ``delete`` ``resource`` ``name`` (all, if empty)
      ``propagation?`` ``grace_period_s?``, ``get`` ``name``;
    * ``create`` ``name`` ``spec`` ``namespace?``: another run, whose spec differs from the first in these fields;
    * ``recreate``, ``recreate until accepted``: the same run again;
    * ``kill``, ``stop``, ``pause``, ``start`` ``component``, with the ``error`` of connections to a webhook that went;
    * ``free quota``.

    ``answers`` are ``[code, message]`` by the deed's position, of the first attempt; the message only of a refusal.
    """

    def __init__(self, stage: Stage, namespace: str, submit: Document, deeds: Sequence[Mapping[str, Any]]) -> None:
        self.answers: dict[int, list[Any]] = {}
        self._stage = stage
        self._namespace = namespace
        self._submit = submit
        self._deeds = deeds

    def begin(self) -> None:
        """The run is being submitted now: do everything at its time."""
        for number, deed in enumerate(self._deeds):
            self._stage.later(deed["at_ms"] * 1000, partial(self._act, number, deed))

    async def _act(self, number: int, deed: Mapping[str, Any]) -> None:
        answer = [201 if deed["do"] in ("create", "recreate") else 200, ""]
        try:
            await self._perform(deed)
        except ApiError as error:
            answer = [error.code, error.message]
            if deed["do"] == "recreate until accepted":
                self._stage.later(_RETRY_US, partial(self._act, number, deed))
        self.answers.setdefault(number, answer)

    async def _perform(self, deed: Mapping[str, Any]) -> None:
        stage, cluster, namespace = self._stage, self._stage.cluster, self._namespace
        match deed["do"]:
            case "patch":
                await cluster.patch(_RESOURCES[deed["resource"]], namespace, deed["name"], deed["body"])
            case "get":
                await cluster.get(PIPELINE_RUNS, namespace, deed["name"])
            case "delete" if not deed["name"]:
                await self._delete_all(_RESOURCES[deed["resource"]])
            case "delete":
                resource, propagation = _RESOURCES[deed["resource"]], deed.get("propagation")
                grace_s = deed.get("grace_period_s")
                await cluster.delete(resource, namespace, deed["name"], propagation=propagation, grace_period_s=grace_s)
            case "create":
                await cluster.create(PIPELINE_RUNS, deed.get("namespace", namespace), self._other(deed))
            case "recreate" | "recreate until accepted":
                await cluster.create(PIPELINE_RUNS, namespace, self._submit)
            case "free quota":
                await self._free()
            case "kill" | "stop" if "error" in deed:
                await stage.fail_webhook(deed["error"])
            case "kill":
                await stage.kill(deed["component"])
            case "stop":
                await stage.stop(deed["component"])
            case "pause":
                await stage.pause(deed["component"])
            case "start":
                await stage.start(deed["component"])

    def _other(self, deed: Mapping[str, Any]) -> Document:
        metadata = {**self._submit["metadata"], "name": deed["name"]}
        if "namespace" in deed:
            metadata["namespace"] = deed["namespace"]
        spec = {**self._submit["spec"], **deed["spec"]}
        spec = {key: value for key, value in spec.items() if value is not None}
        return {**self._submit, "metadata": metadata, "spec": spec}

    async def _delete_all(self, resource: Resource) -> None:
        cluster, namespace = self._stage.cluster, self._namespace
        for one in (await cluster.list(resource, namespace))["items"]:
            await cluster.delete(resource, namespace, one["metadata"]["name"])

    async def _free(self) -> None:
        """Delete whatever uses quotas up, or widen quotas that allow nothing."""
        cluster, namespace = self._stage.cluster, self._namespace
        pods = (await cluster.list(PODS, namespace))["items"]
        blockers = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"].startswith(BLOCKER)]
        for name in blockers:
            await cluster.delete(PODS, namespace, name, grace_period_s=0)
        if not blockers:
            for quota in (await cluster.list(QUOTAS, namespace))["items"]:
                hard = dict.fromkeys(quota["spec"]["hard"], _PLENTY)
                await cluster.patch(QUOTAS, namespace, quota["metadata"]["name"], {"spec": {"hard": hard}})
