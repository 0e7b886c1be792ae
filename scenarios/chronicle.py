"""What happened, as seen from outside: the milestones of every execution and every lock.

The chronicle watches committed writes and never steers. It is fed ``(type, resource, old, new)`` with the
instant by whichever world runs; steps wait on it, checks read it, and the record is written from it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.ports import Document

Key = tuple[str, str]

_TERMINAL = ("Completed", "Failed")


@dataclass(slots=True)
class Execution:
    """Milestones of one WorkflowExecution; microseconds since the world began, None while they are ahead."""

    namespace: str
    name: str
    workflow: str
    target: str
    created_us: int
    order: int
    pipeline_run: str | None = None
    pipeline_run_created_us: int | None = None
    running_us: int | None = None
    pipeline_run_finished_us: int | None = None
    terminal_us: int | None = None
    lock_released_us: int | None = None
    deleted_us: int | None = None
    phase: str = "Pending"
    reason: str | None = None
    was_execution_failure: bool | None = None
    message: str = ""
    summary: str = ""
    waiting_for: str = ""

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    @property
    def terminal(self) -> bool:
        return self.phase in _TERMINAL


@dataclass(slots=True)
class Lock:
    """One lock name: how often it was taken, and whose pods ran under it when."""

    name: str
    taken: int = 0
    held_by: str | None = None
    terminating: bool = False
    working: dict[str, str] = field(default_factory=dict)
    overlaps: int = 0


@dataclass(slots=True)
class Span:
    """One bar of a Gantt chart."""

    execution: Key
    lane: str
    name: str
    start_us: int
    end_us: int | None = None
    status: str = "open"


class Chronicle:
    """Fed with writes, asked by steps, checks and the record.

    ``spans_for`` bounds how many executions, in the order of their creation, are followed in detail.
    """

    def __init__(self, now_us: Callable[[], int], *, spans_for: int = 3) -> None:
        self.executions: dict[Key, Execution] = {}
        self.locks: dict[str, Lock] = {}
        self.spans: list[Span] = []
        self.finished = 0
        self._now_us = now_us
        self._spans_for = spans_for
        self._open: dict[tuple[str, str], Span] = {}
        self._waiters: dict[object, list[asyncio.Future[None]]] = {}
        self._dispatch: Mapping[str, Callable[[str, Document | None, Document], None]] = {
            "workflowexecutions": self._workflow_execution,
            "pipelineruns": self._pipeline_run,
            "taskruns": self._task_run,
            "pods": self._pod,
        }

    def observe(self, type_: str, plural: str, old: Document | None, new: Document) -> None:
        """Take note of one committed write."""
        note = self._dispatch.get(plural)
        if note is not None:
            note(type_, old, new)

    def __iter__(self) -> Iterator[Execution]:
        return iter(self.executions.values())

    # --- waiting ----------------------------------------------------------------------------------------------

    async def change_of(self, subject: object, timeout_s: float) -> bool:
        """Wait for the next change of an execution key or a lock name; False when ``timeout_s`` passed first."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiters.setdefault(subject, []).append(future)
        timer = loop.call_later(timeout_s, _give_up, future)
        try:
            await future
        except TimeoutError:
            return False
        finally:
            timer.cancel()
        return True

    def _wake(self, subject: object) -> None:
        for future in self._waiters.pop(subject, ()):
            if not future.done():
                future.set_result(None)

    # --- one kind each ----------------------------------------------------------------------------------------

    def _workflow_execution(self, type_: str, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        key = (metadata["namespace"], metadata["name"])
        now = self._now_us()
        execution = self.executions.get(key)
        if execution is None:
            spec = new["spec"]
            execution = self.executions[key] = Execution(
                *key, spec["workflowRef"]["workflowId"], spec["targetResource"], now, len(self.executions)
            )
            self._begin(execution.key, "WorkflowExecution", "Pending", now, "waiting")
        if type_ == "DELETED":
            execution.deleted_us = now
        status = new.get("status")
        if status:
            self._status(execution, status, now)
        self._wake(key)

    def _status(self, execution: Execution, status: Mapping[str, Any], now: int) -> None:
        execution.waiting_for = next(
            (
                condition.get("message", "")
                for condition in status.get("conditions", ())
                if condition["type"] == "LockAcquired" and condition.get("reason") == "CooldownActive"
            ),
            "",
        )
        phase = status.get("phase") or "Pending"
        if phase == execution.phase:
            return
        execution.phase = phase
        if phase == "Running":
            execution.running_us = now
            execution.pipeline_run = (status.get("pipelineRunRef") or {}).get("name")
            self._begin(execution.key, "WorkflowExecution", "Running", now, "ok")
        if phase in _TERMINAL:
            execution.terminal_us = now
            self.finished += 1
            details = status.get("failureDetails") or {}
            execution.reason = details.get("reason")
            execution.was_execution_failure = details.get("wasExecutionFailure")
            execution.message = details.get("message", "")
            execution.summary = details.get("naturalLanguageSummary", "")
            self._end(execution.key, "WorkflowExecution", now, "ok" if phase == "Completed" else "failed")

    def _owner(self, labels: Mapping[str, str]) -> Execution | None:
        return self.executions.get(
            (labels.get("kubernaut.ai/source-namespace", ""), labels.get("kubernaut.ai/workflow-execution", ""))
        )

    def _pipeline_run(self, type_: str, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        name = metadata["name"]
        now = self._now_us()
        execution = self._owner(metadata.get("labels") or {})
        lock = self.locks.get(name)
        if lock is None:
            lock = self.locks[name] = Lock(name)
        lane = f"PipelineRun {name}"
        if type_ == "ADDED":
            lock.taken += 1
            lock.held_by = metadata["uid"]
            lock.terminating = False
            if execution is not None and execution.pipeline_run_created_us is None:
                execution.pipeline_run = name
                execution.pipeline_run_created_us = now
                self._begin(execution.key, lane, "Pending", now, "waiting")
        elif type_ == "DELETED":
            lock.held_by = None
            if execution is not None and execution.lock_released_us is None:
                execution.lock_released_us = now
                self._end(execution.key, lane, now, "lock")
        elif "deletionTimestamp" in metadata:
            lock.terminating = True
        elif execution is not None and execution.pipeline_run_finished_us is None:
            self._condition(execution, lane, new, now)
        self._wake(name)

    def _condition(self, execution: Execution, lane: str, document: Document, now: int) -> None:
        for condition in (document.get("status") or {}).get("conditions", ()):
            if condition["type"] == "Succeeded":
                if condition["status"] == "Unknown":
                    self._begin(execution.key, lane, condition.get("reason", "Running"), now, "ok")
                    return
                execution.pipeline_run_finished_us = now
                self._end(execution.key, lane, now, "ok" if condition["status"] == "True" else "failed")
                self._begin(execution.key, lane, "holding the lock", now, "lock")

    def _task_run(self, type_: str, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        execution = self._followed(metadata.get("labels"))
        if execution is None:
            return
        now = self._now_us()
        lane = f"TaskRun {metadata['labels'].get('tekton.dev/pipelineTask', metadata['name'])}"
        if type_ == "DELETED":
            self._end(execution.key, lane, now, "lock")
            return
        for condition in (new.get("status") or {}).get("conditions", ()):
            if condition["type"] == "Succeeded" and condition["status"] != "Unknown":
                self._end(execution.key, lane, now, "ok" if condition["status"] == "True" else "failed")
                return
            if condition["type"] == "Succeeded":
                self._begin(
                    execution.key,
                    lane,
                    condition["reason"],
                    now,
                    "ok" if condition["reason"] == "Running" else "waiting",
                )
                return
        self._begin(execution.key, lane, "created", now, "waiting")

    def _pod(self, type_: str, _old: Document | None, new: Document) -> None:
        labels = new["metadata"].get("labels") or {}
        run = labels.get("tekton.dev/pipelineRun")
        if run is None:
            return
        phase = "" if type_ == "DELETED" else (new.get("status") or {}).get("phase", "")
        lock = self.locks.get(run)
        if lock is not None:
            uid = new["metadata"]["uid"]
            if phase == "Running" and uid not in lock.working:
                owner = labels.get("tekton.dev/pipelineRunUID", "")
                if any(other != owner for other in lock.working.values()):
                    lock.overlaps += 1
                lock.working[uid] = owner
            elif phase != "Running":
                lock.working.pop(uid, None)
        execution = self._followed(labels)
        if execution is not None:
            self._pod_lane(execution, labels.get("tekton.dev/pipelineTask", "?"), phase)

    def _pod_lane(self, execution: Execution, task: str, phase: str) -> None:
        now = self._now_us()
        lane = f"Pod of {task}"
        if phase == "Pending":
            self._begin(execution.key, lane, "Pending", now, "waiting")
        elif phase == "Running":
            self._begin(execution.key, lane, "Running", now, "ok")
        else:
            self._end(execution.key, lane, now, "failed" if phase == "Failed" else "ok")

    # --- spans ------------------------------------------------------------------------------------------------

    def _followed(self, labels: Mapping[str, str] | None) -> Execution | None:
        execution = self._owner(labels or {})
        return execution if execution is not None and execution.order < self._spans_for else None

    def _begin(self, key: Key, lane: str, name: str, now: int, status: str) -> None:
        execution = self.executions[key]
        if execution.order >= self._spans_for:
            return
        subject = (f"{key[0]}/{key[1]}", lane)
        span = self._open.get(subject)
        if span is not None:
            if span.name == name:
                return
            span.end_us = now
            span.status = status if span.status == "open" else span.status
        self._open[subject] = span = Span(key, lane, name, now, None, status)
        self.spans.append(span)

    def _end(self, key: Key, lane: str, now: int, status: str) -> None:
        span = self._open.pop((f"{key[0]}/{key[1]}", lane), None)
        if span is not None:
            span.end_us = now
            span.status = status


def _give_up(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_exception(TimeoutError())
