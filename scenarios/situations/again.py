"""Where the recorded script submitted its run again, the executor is asked again, by a second execution."""

from collections.abc import Awaitable, Callable
from typing import Any

from controller.api.resources import PIPELINE_RUNS, WORKFLOW_EXECUTIONS
from controller.ports import Cluster, Document, Resource
from sim.faults.interception import Intercepted


class AskedAgain(Intercepted):
    """Wraps the script's cluster: the creation of the PipelineRun ``lock`` becomes that of ``execution``."""

    def __init__(self, cluster: Cluster, lock: str, execution: Document) -> None:
        super().__init__(cluster, self._pass, verbs=("create",))
        self._lock = lock
        self._execution = execution

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        if resource.plural == PIPELINE_RUNS.plural and body["metadata"].get("name") == self._lock:
            resource, body = WORKFLOW_EXECUTIONS, self._execution
            namespace = body["metadata"]["namespace"]
        return await super().create(resource, namespace, body)

    async def _pass(self, _verb: str, _resource: Resource, _name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        return await call()
