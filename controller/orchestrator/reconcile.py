"""The reconciler: one level-triggered step for one RemediationRequest, safe to repeat after a crash anywhere."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from controller.api.remediationrequest import TERMINAL, Phase
from controller.api.texts import clean
from controller.api.timestamps import parse_time
from controller.orchestrator import analyzing, executing, pending
from controller.orchestrator.audit import AuditType
from controller.orchestrator.deadlines import deadline
from controller.orchestrator.desk import ChildRefused, Desk, NameTaken
from controller.orchestrator.ending import fail, time_out
from controller.orchestrator.labels import FINALIZER
from controller.orchestrator.memory import Memory
from controller.orchestrator.terminal import count_duplicates, settle
from controller.orchestrator.view import is_active, phase_of
from controller.ports import ApiError, Document
from controller.runtime.cache import Key
from controller.runtime.controller import Result

_AGAIN = Result(requeue_after_s=0.0)
_TAKEN_S = 5.0
_SOONEST_S = 0.001
_CONFLICT_S = 0.005
_DOUBLINGS_MAX = 32
_REST_S = 600.0  # until a message that was refused is tried again
_NONE: Document = {}


async def _blocked(desk: Desk, request: Document, memory: Memory) -> Document:
    """Ask routing again; what it lets go continues where it was."""
    if request["status"].get("aiAnalysisRef"):
        return await analyzing.resume(desk, request, memory)
    return await pending.admit(desk, request, memory)


_STEPS: Mapping[str, Callable[[Desk, Document, Memory], Awaitable[Document]]] = {
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
        request = None
        try:
            request = await self._request(key, memory)
            if request is None:
                self._forget(key)
                return Result()
            memory = self._memory_of(key, request)
            return await self._timed_step(key, request, memory)
        except NameTaken as error:
            self._trouble(request, memory, "NameTaken", str(error))
            active = request is not None and is_active(request)
            return Result(requeue_after_s=_TAKEN_S if active else self._desk.settings.poll_s)
        except ChildRefused as error:
            self._trouble(request, memory, "ChildRefused", str(error))
            active = request is not None and is_active(request)
            return Result(requeue_after_s=self._desk.settings.poll_s if active else _REST_S)
        except ApiError as error:
            if error.code == 409:
                memory.must_read = True  # somebody wrote meanwhile: look again before deciding anything
                memory.conflicts += 1
                return Result(requeue_after_s=self._after_conflict_s(memory.conflicts))
            if error.code < 500 and error.code != 429:
                self._trouble(request, memory, "CallRefused", clean(error.message, 512))
            if error.retry_after_s is not None:
                return Result(requeue_after_s=error.retry_after_s)
            raise

    def _after_conflict_s(self, conflicts: int) -> float:
        """At once after the first; longer and longer where it is not a race, but something that does not pass."""
        if conflicts == 1:
            return 0.0
        return float(min(_CONFLICT_S * 2.0 ** min(conflicts, _DOUBLINGS_MAX), self._desk.settings.poll_s))

    def _trouble(self, request: Document | None, memory: Memory, reason: str, message: str) -> None:
        """What keeps a remediation from going on is told to its users, and remembered for the message of its end."""
        memory.trouble = message
        if request is not None:
            self._desk.events.event(request, "Warning", reason, message)

    async def _request(self, key: Key, memory: Memory) -> Document | None:
        """The newest version: the cache's, or what our own last call was answered."""
        cached, known = self._desk.view.requests.get(*key), memory.request
        if memory.must_read or (cached and known and cached["metadata"]["uid"] != known["metadata"]["uid"]):
            return await self._desk.read_request(key, memory)
        if cached is None or known is None or cached is known:
            return cached
        return known if _version(known) > _version(cached) else cached

    def _memory_of(self, key: Key, request: Document) -> Memory:
        """What is known of an earlier request of the same name says nothing about this one."""
        uid, memory = request["metadata"]["uid"], self._memories[key]
        if memory.uid != uid:
            if memory.uid:
                self._forget(key)
                memory = self._memories[key] = Memory(request)
            memory.uid = uid
        return memory

    async def _timed_step(self, key: Key, request: Document, memory: Memory) -> Result:
        time = asyncio.get_running_loop().time
        began_s = time()
        result = await self._step(key, request, memory)
        self._desk.metrics.reconciled(request["metadata"]["namespace"], phase_of(request), time() - began_s)
        return result

    async def _step(self, key: Key, request: Document, memory: Memory) -> Result:
        desk = self._desk
        if memory.owed is not None:
            await desk.pay(request, memory)
        if "deletionTimestamp" in request["metadata"]:
            return await self._finish_deletion(key, request, memory)
        request = await count_duplicates(desk, request, memory)
        phase = phase_of(request)
        if phase in TERMINAL:
            request, again_s = await settle(desk, request, memory)
            if again_s is None:
                self._forget(key)
            return Result(requeue_after_s=again_s)
        if FINALIZER not in (request["metadata"].get("finalizers") or ()):
            finalizers = [*(request["metadata"].get("finalizers") or ()), FINALIZER]
            request = await desk.patch_metadata(request, memory, finalizers=finalizers)
        step = _STEPS.get(phase)
        if step is None:
            message = f"Phase {clean(phase, 64)} is another version's: nobody knows what it waits for"
            await fail(desk, request, memory, "UnknownPhase", message, review=True)
            return _AGAIN
        limit = deadline(request, desk.settings.timeouts)
        if limit is not None and desk.now() >= limit[0] and not await self._ended_in_time(request, memory):
            await time_out(desk, request, memory, limit[1])
            return _AGAIN
        after = await step(desk, request, memory)
        if phase_of(after) != phase:
            return _AGAIN
        if after is not request:
            limit = deadline(after, desk.settings.timeouts)
        return Result(requeue_after_s=self._wait_s(after, limit))

    async def _ended_in_time(self, request: Document, memory: Memory) -> bool:
        """Whether the execution has ended, and only we are late: nobody is told of a time-out then."""
        return phase_of(request) == Phase.EXECUTING and await executing.has_ended(self._desk, request, memory)

    def _wait_s(self, request: Document, limit: tuple[datetime, str] | None) -> float:
        """Until the next limit or the end of a block, and never longer than the poll."""
        now, wait_s = self._desk.now(), self._desk.settings.poll_s
        if limit is not None:
            wait_s = min(wait_s, (limit[0] - now).total_seconds())
        until = request["status"].get("blockedUntil")
        if until:
            wait_s = min(wait_s, (parse_time(until) - now).total_seconds())
        return max(wait_s, _SOONEST_S)

    async def _finish_deletion(self, key: Key, request: Document, memory: Memory) -> Result:
        """The garbage collector takes the children; an execution among them gives its lock back by itself."""
        finalizers = request["metadata"].get("finalizers") or ()
        if FINALIZER in finalizers:
            if not memory.deletion_recorded:
                memory.deletion_recorded = True
                await self._desk.record(request, AuditType.DELETED)
            try:
                left = [one for one in finalizers if one != FINALIZER]
                await self._desk.patch_metadata(request, memory, finalizers=left)
            except ApiError as error:
                if error.code != 404:
                    raise
        self._forget(key)
        return Result()

    def _forget(self, key: Key) -> None:
        self._desk.view.withdraw(key)
        self._memories.pop(key, None)

    def is_known(self, request: Document) -> bool:
        """Whether our own last call was answered with this version or a newer one, so that it tells us nothing new."""
        metadata = request["metadata"]
        memory = self._memories.get((metadata["namespace"], metadata["name"]))
        if memory is None or memory.request is None or memory.must_read:
            return False
        return memory.uid == metadata["uid"] and _version(request) <= _version(memory.request)

    def remember_end(self, request: Key, execution: Document) -> None:
        """The last state of an execution that is gone: it may have ended just before."""
        memory = self._memories.get(request)
        if memory is not None:
            memory.last_execution = execution


def _version(document: Document) -> int:
    return int(document["metadata"]["resourceVersion"])
