"""The calls that every phase of the reconciler makes, with what must not be forgotten around each of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from controller.api.conditions import Fact
from controller.api.resources import PIPELINE_RUNS, WORKFLOW_EXECUTIONS
from controller.api.texts import clean
from controller.executor.audit import AuditType, audit_event
from controller.executor.conditions import AUDIT_RECORDED, lock_is_released
from controller.executor.memory import Announcement, Key, Memory
from controller.executor.metrics import ExecutorMetrics
from controller.executor.settings import Settings
from controller.executor.status import phase
from controller.ports import ApiError, AuditSink, Clock, Cluster, ConnectionLost, Document, LogReader, Recorder

RELEASED = "Released"
_RECORDED = {
    type_: Fact(AUDIT_RECORDED, "True", "AuditSucceeded", f"Audit event {type_} recorded") for type_ in AuditType
}


class Lister(Protocol):
    """A local copy of one resource, kept by a watch: it may be late."""

    def get(self, namespace: str, name: str) -> Document | None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the reconciler works with."""

    cluster: Cluster
    logs: LogReader
    audit: AuditSink
    clock: Clock
    events: Recorder
    metrics: ExecutorMetrics
    settings: Settings
    random: Random
    executions: Lister
    runs: Lister
    waiting: dict[str, dict[Key, None]]
    """Executions that wait for a lock, by the lock's name; whoever watches PipelineRuns wakes them."""

    async def read_execution(self, key: Key, memory: Memory) -> Document | None:
        """The execution as the API server itself has it; None when it is gone."""
        try:
            execution = await self.cluster.get(WORKFLOW_EXECUTIONS, *key)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        memory.execution = execution
        memory.verified = execution["metadata"]["resourceVersion"]
        memory.must_read = False
        return execution

    async def read_run(self, name: str) -> Document | None:
        """The PipelineRun as the API server itself has it; None when there is none."""
        try:
            return await self.cluster.get(PIPELINE_RUNS, self.settings.execution_namespace, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def write(
        self,
        execution: Document,
        patch: Document,
        memory: Memory,
        mark: str = "",
        tell: Callable[[Document], None] | None = None,
    ) -> Document:
        """Patch the status; ``tell`` runs once, as soon as it is known that ``mark`` was written by us."""
        metadata = execution["metadata"]
        if tell is not None:
            memory.announcement = Announcement(mark, tell)
        try:
            written = await self.cluster.patch(
                WORKFLOW_EXECUTIONS, metadata["namespace"], metadata["name"], patch, subresource="status"
            )
        except ConnectionLost:
            memory.must_read = True  # only the API server knows whether it was written
            raise
        except ApiError as error:
            if error.code < 500:
                memory.announcement = None  # whoever reaches this mark, it was not this write
            else:
                memory.must_read = True
            raise
        memory.execution = written
        memory.verified = written["metadata"]["resourceVersion"]
        announce(written, memory)
        return written

    async def delete_run(self, run: Document) -> bool:
        """Delete exactly this PipelineRun, children first; False when it was already gone or replaced.

        Tekton adopts children by name, so the name stays taken until the last of them is gone.
        """
        metadata = run["metadata"]
        try:
            await self.cluster.delete(
                PIPELINE_RUNS, metadata["namespace"], metadata["name"], propagation="Foreground", uid=metadata["uid"]
            )
        except ApiError as error:
            if error.code in (404, 409):
                return False
            raise
        return True

    async def record(self, execution: Document, type_: AuditType, memory: Memory, **status: Any) -> Fact:
        """Hand over an audit event about ``execution`` with ``status`` put in; tells how that went, never raises."""
        known = memory.audited.get(type_)
        if known is not None:
            return known
        told = {**execution, "status": {**(execution.get("status") or {}), **status}}
        try:
            async with asyncio.timeout(self.settings.audit_timeout_s):
                await self.audit.record(audit_event(told, type_, self.clock.utcnow()))
        except Exception as error:  # whatever the sink's trouble is, the work goes on
            why = clean(str(error) or type(error).__name__, 256)
            memory.audit_trouble = Fact(AUDIT_RECORDED, "False", "AuditFailed", f"Failed to record audit event: {why}")
            return memory.audit_trouble
        fact = memory.audited[type_] = _RECORDED[type_]
        return fact

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()


def mark_of(execution: Document) -> str:
    """How far an execution is: its phase, or Released."""
    return RELEASED if lock_is_released(execution) else str(phase(execution))


def announce(execution: Document, memory: Memory) -> None:
    """Tell what was owed for reaching the present mark."""
    owed = memory.announcement
    if owed is not None and owed.mark == mark_of(execution):
        memory.announcement = None
        owed.tell(execution)


def run_name(execution: Document) -> str | None:
    """The PipelineRun that the status names."""
    status = execution.get("status")
    reference: Mapping[str, Any] | None = status.get("pipelineRunRef") if status else None
    return reference.get("name") if reference else None
