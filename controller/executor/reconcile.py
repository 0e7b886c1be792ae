"""The reconciler: one level-triggered step for one WorkflowExecution, safe to repeat after a crash anywhere."""

from controller.api.lock import lock_name
from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.api.workflowexecution import Phase
from controller.executor import pending, running, terminal
from controller.executor.audit import AuditType
from controller.executor.desk import Desk, announce, run_name
from controller.executor.labels import FINALIZER, Owner, execution_key, owner
from controller.executor.memory import Key, Memory, version
from controller.executor.status import phase
from controller.ports import ApiError, Document
from controller.runtime.controller import Result

_AGAIN = Result(requeue_after_s=0.0)
_STEPS = {
    Phase.PENDING: pending.take_lock,
    Phase.RUNNING: running.follow,
    Phase.COMPLETED: terminal.release_lock,
    Phase.FAILED: terminal.release_lock,
}


class Executor:
    """Reconciles executions; keeps in memory only what saves calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._memories: dict[Key, Memory] = {}

    async def reconcile(self, key: Key) -> Result:
        """Bring one execution a step on. Raises what the API server refuses for reasons of its own."""
        cached = self._desk.executions.get(*key)
        memory = self._memory_of(key, cached)
        try:
            if memory.must_read:
                execution = await self._desk.read_execution(key, memory)
            else:
                execution = _newest(cached, memory.execution)
            if execution is None:
                self._forget(key)
                return Result()
            return await self._step(key, execution, memory)
        except ApiError as error:
            if error.code == 409:
                memory.must_read = True  # somebody wrote meanwhile: look again before deciding anything
                return _AGAIN
            if error.retry_after_s is not None:
                return Result(requeue_after_s=error.retry_after_s)
            raise

    def _memory_of(self, key: Key, cached: Document | None) -> Memory:
        """What is remembered; nothing of another execution that had the same name."""
        memory = self._memories.get(key)
        if memory is not None:
            known = memory.execution
            if cached is known or cached is None or known is None:
                return memory
            if cached["metadata"]["uid"] == known["metadata"]["uid"]:
                return memory
            self._forget(key)
        fresh = self._memories[key] = Memory(must_read=memory is not None)
        return fresh

    async def _step(self, key: Key, execution: Document, memory: Memory) -> Result:
        metadata = execution["metadata"]
        if "deletionTimestamp" in metadata:
            return await self._finish_deletion(key, execution, memory)
        try:
            present = phase(execution)
        except KeyError:
            return Result()  # another engine's phase: its end is not ours to write
        if memory.announcement is not None:
            announce(execution, memory)
        unfinished = present is Phase.PENDING or present is Phase.RUNNING
        if unfinished and FINALIZER not in (metadata.get("finalizers") or ()):
            execution = await self._add_finalizer(execution, memory)
        if memory.waits_for and present is not Phase.PENDING:
            self._stop_waiting(key, memory)
        result = await _STEPS[present](self._desk, execution, memory)
        if result.requeue_after_s is None:
            memory.at_rest = True
            self._forget_at_rest(key, memory, self._desk.executions.get(*key))
        return result

    async def _add_finalizer(self, execution: Document, memory: Memory) -> Document:
        metadata = execution["metadata"]
        patch = {
            "metadata": {
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": [*(metadata.get("finalizers") or ()), FINALIZER],
            }
        }
        written = await self._desk.cluster.patch(WORKFLOW_EXECUTIONS, metadata["namespace"], metadata["name"], patch)
        memory.execution, memory.verified = written, written["metadata"]["resourceVersion"]
        return written

    async def _finish_deletion(self, key: Key, execution: Document, memory: Memory) -> Result:
        """Delete our PipelineRun, which cancels it, then let the execution go."""
        metadata = execution["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if FINALIZER not in finalizers:
            self._forget(key)
            return Result()
        desk = self._desk
        run = await desk.read_run(run_name(execution) or lock_name(execution["spec"]["targetResource"]))
        ours = run is not None and (
            memory.is_ours(run, execution) or (not memory.run_uid and owner(run, execution) is Owner.FORMER)
        )
        if run is not None and ours and not run["metadata"].get("deletionTimestamp") and not await desk.delete_run(run):
            return _AGAIN
        if not memory.said_farewell:
            await desk.record(execution, AuditType.DELETED, memory)
            reached = (execution.get("status") or {}).get("phase") or Phase.PENDING
            message = f"WorkflowExecution cleanup completed (phase: {reached})"
            desk.events.event(execution, "Normal", "WorkflowExecutionDeleted", message)
            memory.said_farewell = True
        patch = {
            "metadata": {
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": [name for name in finalizers if name != FINALIZER],
            }
        }
        try:
            await desk.cluster.patch(WORKFLOW_EXECUTIONS, metadata["namespace"], metadata["name"], patch)
        except ApiError as error:
            if error.code != 404:
                raise
        self._forget(key)
        return Result()

    def _forget(self, key: Key) -> None:
        memory = self._memories.pop(key, None)
        if memory is not None:
            self._stop_waiting(key, memory)

    def _forget_at_rest(self, key: Key, memory: Memory, cached: Document | None) -> None:
        """Terminal executions are many and stay long; but what the cache has not seen yet must be remembered."""
        known = memory.execution
        if memory.at_rest and (known is None or (cached is not None and version(cached) >= version(known))):
            self._forget(key)

    def _stop_waiting(self, key: Key, memory: Memory) -> None:
        waiters = self._desk.waiting.get(memory.waits_for)
        if waiters is not None:
            waiters.pop(key, None)
            if not waiters:
                del self._desk.waiting[memory.waits_for]
        memory.waits_for = ""

    def is_known(self, execution: Document) -> bool:
        """Whether this very version was the answer to our own last call, so that it tells us nothing new."""
        metadata = execution["metadata"]
        key = (metadata["namespace"], metadata["name"])
        memory = self._memories.get(key)
        if memory is None or memory.execution is None or memory.must_read:
            return False
        if memory.execution["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            return False
        if memory.at_rest:
            self._forget_at_rest(key, memory, execution)
        return True

    def wake_for(self, run: Document) -> list[Key]:
        """Whom an event of this PipelineRun concerns: the execution it was made for, and who waits for its lock."""
        made_for = execution_key(run)
        waiting = self._desk.waiting
        if not waiting:
            return [made_for] if made_for is not None else []
        keys = [*waiting.get(run["metadata"]["name"], ())]
        if made_for is not None and made_for not in keys:
            keys.append(made_for)
        return keys


def _newest(cached: Document | None, known: Document | None) -> Document | None:
    """The newest version: the cache's, or what our own last call was answered."""
    if cached is known or cached is None or known is None:
        return cached
    return known if version(known) > version(cached) else cached
