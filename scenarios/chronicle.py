"""What happened, as seen from outside: the milestones of every execution and every lock.

The chronicle watches committed writes and never steers. It is fed ``(type, resource, old, new)``, one observer for each
resource, by whichever world runs; steps wait on it, checks read it, and the record is written from it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.api.resources import PIPELINE_RUNS, PODS, TASK_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.labels import EXECUTION, SOURCE_NAMESPACE
from controller.ports import Document, Resource, WatchType

Observer = Callable[[WatchType, Resource, Document | None, Document], None]
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
    hazard_us: int | None = None
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
    reason: str = ""
    """Of the run's Succeeded condition, as long as it is Unknown."""
    working: dict[str, str] = field(default_factory=dict)
    overlaps: int = 0
    starts: dict[str, dict[str, int]] = field(default_factory=dict)
    """How many pods began to work, by the run's uid and the name of its task."""


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
        self._open: dict[tuple[Key, str], Span] = {}
        self._waiters: dict[object, list[asyncio.Future[None]]] = {}
        self._followed_names: set[str] = set()  # of executions; most labels are sorted out by it
        self.observers: tuple[tuple[Resource, Observer], ...] = (
            (WORKFLOW_EXECUTIONS, self._workflow_execution),
            (PIPELINE_RUNS, self._pipeline_run),
            (TASK_RUNS, self._task_run),
            (PODS, self._pod),
        )
        """Who takes note of the committed writes of which resource."""

    def __iter__(self) -> Iterator[Execution]:
        return iter(self.executions.values())

    def struck(self, execution: Execution, hazard: str) -> None:
        """Something befell the execution now: it is told in these words until the execution ends."""
        if execution.hazard_us is None:
            execution.hazard_us = self._now_us()
        self._begin(execution, "Hazard", hazard, self._now_us(), "waiting")

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

    def wake(self, subject: object) -> None:
        """Whoever waits for a change of ``subject`` looks again."""
        for future in self._waiters.pop(subject, ()):
            if not future.done():
                future.set_result(None)

    def _workflow_execution(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        key = (metadata["namespace"], metadata["name"])
        execution = self.executions.get(key)
        if execution is None:
            execution = self._appeared(key, new["spec"])
        if type_ == "DELETED":
            execution.deleted_us = self._now_us()
        status = new.get("status")
        if status and (old is None or status is not old.get("status")):
            self._status(execution, status)
        if key in self._waiters:
            self.wake(key)

    def _appeared(self, key: Key, spec: Mapping[str, Any]) -> Execution:
        now, order = self._now_us(), len(self.executions)
        execution = self.executions[key] = Execution(
            *key, spec["workflowRef"]["workflowId"], spec["targetResource"], now, order
        )
        if order < self._spans_for:
            self._followed_names.add(key[1])
        self._begin(execution, "WorkflowExecution", "Pending", now, "waiting")
        return execution

    def _status(self, execution: Execution, status: Mapping[str, Any]) -> None:
        execution.waiting_for = ""
        for condition in status.get("conditions", ()):
            if condition["type"] == "LockAcquired" and condition.get("reason") == "CooldownActive":
                execution.waiting_for = condition.get("message", "")
                break
        phase = status.get("phase") or "Pending"
        if phase == execution.phase:
            return
        now = self._now_us()
        execution.phase = phase
        if phase == "Running":
            execution.running_us = now
            execution.pipeline_run = (status.get("pipelineRunRef") or {}).get("name")
            self._begin(execution, "WorkflowExecution", "Running", now, "ok")
        if phase in _TERMINAL:
            execution.terminal_us = now
            self.finished += 1
            details = status.get("failureDetails") or {}
            execution.reason = details.get("reason")
            execution.was_execution_failure = details.get("wasExecutionFailure")
            execution.message = details.get("message", "")
            execution.summary = details.get("naturalLanguageSummary", "")
            for lane in ("WorkflowExecution", "Hazard"):
                self._end(execution, lane, now, "ok" if phase == "Completed" else "failed")

    def _owner(self, labels: Mapping[str, str]) -> Execution | None:
        return self.executions.get((labels.get(SOURCE_NAMESPACE, ""), labels.get(EXECUTION, "")))

    def _pipeline_run(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        name = metadata["name"]
        execution = self._owner(metadata.get("labels") or {})
        lock = self.locks.get(name)
        if lock is None:
            lock = self.locks[name] = Lock(name)
        if type_ == "ADDED":
            lock.taken += 1
            lock.held_by = metadata["uid"]
            lock.terminating = False
            lock.reason = ""
            if execution is not None and execution.pipeline_run_created_us is None:
                execution.pipeline_run = name
                execution.pipeline_run_created_us = now = self._now_us()
                self._begin(execution, f"PipelineRun {name}", "Pending", now, "waiting")
        elif type_ == "DELETED":
            lock.held_by = None
            if execution is not None and execution.lock_released_us is None:
                execution.lock_released_us = now = self._now_us()
                self._end(execution, f"PipelineRun {name}", now, "lock")
        elif "deletionTimestamp" in metadata:
            lock.terminating = True
        elif execution is not None and execution.pipeline_run_finished_us is None:
            self._condition(execution, lock, new)
        if name in self._waiters:
            self.wake(name)

    def _condition(self, execution: Execution, lock: Lock, document: Document) -> None:
        for condition in (document.get("status") or {}).get("conditions", ()):
            if condition["type"] == "Succeeded":
                succeeded = condition["status"]
                lock.reason = condition.get("reason", "")
                if succeeded == "Unknown" and execution.order >= self._spans_for:
                    return
                now, lane = self._now_us(), f"PipelineRun {lock.name}"
                if succeeded == "Unknown":
                    self._begin(execution, lane, condition.get("reason", "Running"), now, "ok")
                    return
                execution.pipeline_run_finished_us = now
                self._end(execution, lane, now, "ok" if succeeded == "True" else "failed")
                self._begin(execution, lane, "holding the lock", now, "lock")

    def _task_run(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        labels = metadata.get("labels") or {}
        execution = self._followed(labels)
        if execution is None:
            return
        now = self._now_us()
        lane = f"TaskRun {labels.get('tekton.dev/pipelineTask', metadata['name'])}"
        if type_ == "DELETED":
            self._end(execution, lane, now, "lock")
            return
        for condition in (new.get("status") or {}).get("conditions", ()):
            if condition["type"] == "Succeeded":
                if condition["status"] != "Unknown":
                    self._end(execution, lane, now, "ok" if condition["status"] == "True" else "failed")
                else:
                    reason = condition["reason"]
                    self._begin(execution, lane, reason, now, "ok" if reason == "Running" else "waiting")
                return
        self._begin(execution, lane, "created", now, "waiting")

    def _pod(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        phase = "" if type_ == "DELETED" else (new.get("status") or {}).get("phase", "")
        if old is not None and type_ != "DELETED" and phase == (old.get("status") or {}).get("phase", ""):
            return
        labels = new["metadata"].get("labels") or {}
        run = labels.get("tekton.dev/pipelineRun")
        if run is None:
            return
        lock = self.locks.get(run)
        if lock is not None:
            uid = new["metadata"]["uid"]
            if phase == "Running" and uid not in lock.working:
                owner = labels.get("tekton.dev/pipelineRunUID", "")
                if any(other != owner for other in lock.working.values()):
                    lock.overlaps += 1
                lock.working[uid] = owner
                started = lock.starts.setdefault(owner, {})
                task = labels.get("tekton.dev/pipelineTask", "")
                started[task] = started.get(task, 0) + 1
                self.wake(run)
            elif phase != "Running":
                lock.working.pop(uid, None)
        execution = self._followed(labels)
        if execution is not None:
            self._pod_lane(execution, labels.get("tekton.dev/pipelineTask", "?"), phase)

    def _pod_lane(self, execution: Execution, task: str, phase: str) -> None:
        now = self._now_us()
        lane = f"Pod of {task}"
        if phase == "Pending":
            self._begin(execution, lane, "Pending", now, "waiting")
        elif phase == "Running":
            self._begin(execution, lane, "Running", now, "ok")
        else:
            self._end(execution, lane, now, "failed" if phase == "Failed" else "ok")

    def _followed(self, labels: Mapping[str, str]) -> Execution | None:
        if labels.get(EXECUTION) not in self._followed_names:
            return None
        execution = self._owner(labels)
        return execution if execution is not None and execution.order < self._spans_for else None

    def _begin(self, execution: Execution, lane: str, name: str, now: int, status: str) -> None:
        if execution.order >= self._spans_for:
            return
        subject = (execution.key, lane)
        span = self._open.get(subject)
        if span is not None:
            if span.name == name:
                return
            span.end_us = now
            span.status = status if span.status == "open" else span.status
        self._open[subject] = span = Span(execution.key, lane, name, now, None, status)
        self.spans.append(span)

    def _end(self, execution: Execution, lane: str, now: int, status: str) -> None:
        if execution.order < self._spans_for:
            span = self._open.pop((execution.key, lane), None)
            if span is not None:
                span.end_us = now
                span.status = status


def _give_up(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_exception(TimeoutError())
