"""The scheduler and kubelet of a recording: each pod lives what the recorded one lived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from controller.ports import ApiError, Document, Resource, WatchType
from scenarios.golden.form import Incarnations
from scenarios.golden.podstatus import pod_status
from scenarios.golden.stage import Stage
from sim.tekton.access import PODS

Scripts = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(slots=True)
class _Life:
    """How far one pod's script is, and what of what it may wait for has happened."""

    script: Sequence[Mapping[str, Any]]
    reached: int = 0
    annotated: int = 0
    marked: int = 0
    busy: bool = False
    """A line is to be done at its time, or is being done: on a real cluster that takes a while."""

    def awaits(self) -> bool:
        """Whether the script has to wait for somebody else now; passes over waits that are over."""
        while self.reached < len(self.script):
            line = self.script[self.reached]["do"]
            if line == "await ready" and self.annotated:
                self.annotated -= 1
            elif line == "await deletion" and self.marked:
                self.marked -= 1
            else:
                return bool(line.startswith("await"))
            self.reached += 1
        return True


class Kubelet:
    """Plays ``scripts`` to the pods of ``namespace`` as they appear.

    A script is found by the pod's name and incarnation, ``Pod/name/0``, and is a list of lines:
    ``{"do": "bind" | "status" | "delete", "delay_ms": after the line before, …}``, or ``{"do": "await ready" |
    "await deletion"}`` for what Tekton or somebody else has to do first. A pod without a script stays as it is created.
    """

    def __init__(self, stage: Stage, namespace: str, scripts: Scripts) -> None:
        self._stage = stage
        self._namespace = namespace
        self._scripts = scripts
        self._symbols = Incarnations()
        self._lives: dict[str, _Life] = {}

    def observed(self, type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
        """To be told of every write of a pod: :meth:`Stage.observe` does that."""
        metadata = new["metadata"]
        if resource.plural != "pods" or metadata["namespace"] != self._namespace:
            return
        symbol = self._symbols.of(metadata["uid"], "Pod", metadata["name"])
        life = self._lives.get(symbol)
        if life is None:
            life = self._lives[symbol] = _Life(self._scripts.get(symbol, ()))
        elif old is None or type_ != "MODIFIED":
            return
        else:
            before = old["metadata"]
            annotated = before.get("annotations") != metadata.get("annotations")
            marked = "deletionTimestamp" in metadata and "deletionTimestamp" not in before
            if not (annotated or marked):
                return
            life.annotated += annotated
            life.marked += marked
        self._next(life, metadata["name"])

    def _next(self, life: _Life, name: str) -> None:
        if not life.busy and not life.awaits():
            life.busy = True
            delay_us = life.script[life.reached]["delay_ms"] * 1000
            self._stage.later(delay_us, partial(self._do, life, name))

    async def _do(self, life: _Life, name: str) -> None:
        line = life.script[life.reached]
        life.reached += 1
        try:
            await self._perform(line, name)
        except ApiError as error:
            if error.code not in (404, 409):  # the pod may be gone, or going, before its script is done
                raise
        life.busy = False
        self._next(life, name)

    async def _perform(self, line: Mapping[str, Any], name: str) -> None:
        cluster, namespace = self._stage.cluster, self._namespace
        match line["do"]:
            case "delete":
                await cluster.delete(PODS, namespace, name, grace_period_s=0)
            case "bind":
                await self._stage.bind(namespace, name, line["node"])
            case "status":
                pod = await cluster.get(PODS, namespace, name)
                status = pod_status(line, pod, self._stage.clock)
                await cluster.patch(PODS, namespace, name, {"status": status}, subresource="status")
