"""The executor submits what was recorded: its own name, labels and annotations, the recorded run's spec."""

from collections.abc import Awaitable, Callable
from typing import Any

from controller.api.resources import PIPELINE_RUNS
from controller.ports import ApiError, Cluster, Document, Resource
from sim.faults.interception import Intercepted


class RecordedSpec(Intercepted):
    """Wraps a cluster: every PipelineRun that is created through it gets ``spec``.

    ``begins`` is called when the first of them is on its way. ``refused_us`` is when one was last refused.
    """

    def __init__(self, cluster: Cluster, spec: Document, begins: Callable[[], None], now_us: Callable[[], int]) -> None:
        super().__init__(cluster, self._note, verbs=("create",))
        self.begun = False
        self.refused_us: int | None = None
        self._spec = spec
        self._begins = begins
        self._now_us = now_us

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        if resource.plural == PIPELINE_RUNS.plural:
            body = {**body, "spec": self._spec}
        return await super().create(resource, namespace, body)

    async def _note(self, _verb: str, resource: Resource, _name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if resource.plural != PIPELINE_RUNS.plural:
            return await call()
        if not self.begun:
            self.begun = True
            self._begins()
        try:
            return await call()
        except ApiError:
            self.refused_us = self._now_us()
            raise
