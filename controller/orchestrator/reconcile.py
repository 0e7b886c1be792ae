"""The reconciler: one level-triggered step for one RemediationRequest, safe to repeat after a crash anywhere."""

from collections.abc import Awaitable, Callable, Mapping

from controller.api.remediationrequest import TERMINAL, Phase
from controller.api.resources import REMEDIATION_REQUESTS
from controller.api.timestamps import parse_time
from controller.orchestrator import analyzing, executing, pending
from controller.orchestrator.audit import AuditType
from controller.orchestrator.deadlines import deadline
from controller.orchestrator.desk import Desk, NameTaken, pay
from controller.orchestrator.ending import time_out
from controller.orchestrator.labels import FINALIZER
from controller.orchestrator.memory import Memory
from controller.orchestrator.terminal import count_duplicates, settle
from controller.orchestrator.view import phase_of, target_of
from controller.ports import ApiError, Document
from controller.runtime.cache import Key
from controller.runtime.controller import Result

_AGAIN = Result(requeue_after_s=0.0)
_TAKEN_S = 5.0
_SOONEST_S = 0.001
_NONE: Document = {}


async def _blocked(desk: Desk, request: Document, memory: Memory) -> Document:
    """Ask routing again; what it lets go continues where it was."""
    if request["status"].get("aiAnalysisRef"):
        return await analyzing.resume(desk, request, memory)
    return await pending.admit(desk, request, memory)


_STEPS: Mapping[Phase, Callable[[Desk, Document, Memory], Awaitable[Document]]] = {
    Phase.PENDING: pending.admit,
    Phase.PROCESSING: pending.begin_analysis,
    Phase.ANALYZING: analyzing.follow_analysis,
    Phase.AWAITING_APPROVAL: analyzing.await_approval,
    Phase.EXECUTING: executing.follow_execution,
    Phase.BLOCKED: _blocked,
}


class Orchestrator:
    """Reconciles remediations; keeps in memory only what saves calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._memories: dict[Key, Memory] = {}

    async def reconcile(self, key: Key) -> Result:
        """Bring one remediation a step on. Raises what the API server refuses for reasons of its own."""
        memory = self._memories.setdefault(key, Memory())
        try:
            request = await self._request(key, memory)
            if request is None:
                self._forget(key)
                return Result()
            return await self._step(key, request, memory)
        except NameTaken:
            return Result(requeue_after_s=_TAKEN_S)
        except ApiError as error:
            if error.code == 409:
                memory.must_read = True  # somebody wrote meanwhile: look again before deciding anything
                return _AGAIN
            if error.retry_after_s is not None:
                return Result(requeue_after_s=error.retry_after_s)
            raise

    async def _request(self, key: Key, memory: Memory) -> Document | None:
        """The newest version: the cache's, or what our own last call was answered."""
        if memory.must_read:
            request = await self._desk.read_request(key, memory)
            if request is not None:
                pay(request, memory)
            return request
        cached, known = self._desk.view.requests.get(*key), memory.request
        if cached is None or known is None or cached is known:
            return cached
        if cached["metadata"]["uid"] != known["metadata"]["uid"]:
            self._memories[key] = fresh = Memory(must_read=True)
            return await self._desk.read_request(key, fresh)
        return known if _version(known) > _version(cached) else cached

    async def _step(self, key: Key, request: Document, memory: Memory) -> Result:
        desk = self._desk
        if "deletionTimestamp" in request["metadata"]:
            return await self._finish_deletion(key, request, memory)
        request = await count_duplicates(desk, request, memory)
        phase = Phase(phase_of(request))
        if phase in TERMINAL:
            request, again_s = await settle(desk, request, memory)
            if again_s is None:
                self._forget(key)
            return Result(requeue_after_s=again_s)
        if FINALIZER not in (request["metadata"].get("finalizers") or ()):
            request = await self._add_finalizer(request, memory)
        limit = deadline(request, desk.settings.timeouts)
        if limit is not None and desk.now() >= limit[0]:
            await time_out(desk, request, memory, limit[1])
            return _AGAIN
        after = await _STEPS[phase](desk, request, memory)
        if phase_of(after) != phase:
            return _AGAIN
        return Result(requeue_after_s=self._wait_s(after))

    def _wait_s(self, request: Document) -> float:
        """Until the next limit or the end of a block, and never longer than the poll."""
        now, wait_s = self._desk.now(), self._desk.settings.poll_s
        limit = deadline(request, self._desk.settings.timeouts)
        if limit is not None:
            wait_s = min(wait_s, (limit[0] - now).total_seconds())
        until = request["status"].get("blockedUntil")
        if until:
            wait_s = min(wait_s, (parse_time(until) - now).total_seconds())
        return max(wait_s, _SOONEST_S)

    async def _add_finalizer(self, request: Document, memory: Memory) -> Document:
        metadata = request["metadata"]
        finalizers = [*(metadata.get("finalizers") or ()), FINALIZER]
        return await self._patch_finalizers(request, memory, finalizers)

    async def _patch_finalizers(self, request: Document, memory: Memory, finalizers: list[str]) -> Document:
        metadata = request["metadata"]
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": finalizers}}
        memory.must_read = True  # until the answer is here
        written = await self._desk.cluster.patch(REMEDIATION_REQUESTS, metadata["namespace"], metadata["name"], patch)
        memory.request, memory.must_read = written, False
        return written

    async def _finish_deletion(self, key: Key, request: Document, memory: Memory) -> Result:
        """The garbage collector takes the children; an execution among them gives its lock back by itself."""
        finalizers = request["metadata"].get("finalizers") or ()
        if FINALIZER in finalizers:
            await self._desk.record(request, AuditType.DELETED)
            try:
                await self._patch_finalizers(request, memory, [one for one in finalizers if one != FINALIZER])
            except ApiError as error:
                if error.code != 404:
                    raise
        self._desk.view.release(target_of(request), key)
        self._forget(key)
        return Result()

    def _forget(self, key: Key) -> None:
        self._memories.pop(key, None)

    def is_known(self, request: Document) -> bool:
        """Whether this very version was the answer to our own last call, so that it tells us nothing new."""
        metadata = request["metadata"]
        memory = self._memories.get((metadata["namespace"], metadata["name"]))
        if memory is None or memory.request is None or memory.must_read:
            return False
        return bool(memory.request["metadata"]["resourceVersion"] == metadata["resourceVersion"])

    def remember_end(self, request: Key, execution: Document) -> None:
        """The last state of an execution that is gone: it may have ended just before."""
        memory = self._memories.get(request)
        if memory is not None:
            memory.last_execution = execution


def _version(document: Document) -> int:
    return int(document["metadata"]["resourceVersion"])
