"""Finds out why a run failed: fetches the evidence in order of strength and stops at the first that names a cause."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from controller.api.resources import EVENTS, PODS, TASK_RUNS
from controller.api.tekton import child_task_runs, is_finished, succeeded
from controller.api.texts import clean
from controller.api.workflowexecution import FailureReason
from controller.executor import reasons, texts
from controller.executor.evidence import (
    Cause,
    Child,
    Finding,
    failed_child,
    failed_step,
    may_have_changed_something,
    oom_step,
    own_exit_code,
    pipeline_run_finding,
    position,
    started_before_its_task,
    task_run_finding,
    was_sigkilled,
)
from controller.executor.leftovers import adopted_outcome, leftovers, live_children, told
from controller.executor.summary import RECOMMENDATIONS
from controller.ports import ApiError, Cluster, ConnectionLost, Document, LogReader, Resource

_EMPTY: Mapping[str, Any] = {}
_UNREADABLE = (403, 404)
_LOG_TIMEOUT_S = 5.0
_LOG_LINES = 20
_LOG_LIMIT_BYTES = 8192
_CHILDREN_LIMIT = 100
_EVENTS_LIMIT = 50
_TO_THE_SECOND = len("2026-01-05T08:00:00")
_WAITED_FOR = (FailureReason.RESOURCE_EXHAUSTED, FailureReason.IMAGE_PULL_BACK_OFF, FailureReason.FORBIDDEN)
_NOT_MADE = "TaskRunsCreationFailed"


class Inquiry:
    """One PipelineRun's failure. Calls raise ApiError (5xx, 429) and ConnectionLost: try the whole inquiry again."""

    def __init__(self, cluster: Cluster, logs: LogReader, pipeline_run: Document) -> None:
        self._cluster = cluster
        self._logs = logs
        self._run = pipeline_run
        self._namespace: str = pipeline_run["metadata"]["namespace"]
        self._complete = True
        self.children: Sequence[Child] = ()
        self.leftovers: Sequence[Child] = ()

    async def gather(self) -> None:
        """Read the TaskRuns of the run."""
        references = child_task_runs(self._run)
        status = self._run.get("status") or _EMPTY
        self._complete = len(references) == len(status.get("childReferences") or ()) <= _CHILDREN_LIMIT
        if references:
            self.children = [
                Child(ref.get("pipelineTaskName", ""), ref["name"], await self._read(TASK_RUNS, ref["name"]))
                for ref in references[:_CHILDREN_LIMIT]
            ]
        elif (succeeded(self._run) or _EMPTY).get("reason") not in reasons.PIPELINE_RUN.keys() - {"PipelineRunTimeout"}:
            self.children = await self._unlisted()
        self.leftovers = leftovers(self._run, self.children)

    def adopted_outcome(self) -> Cause | None:
        """For a run that succeeded: why that cannot be said of it; None when all of its work is its own."""
        return adopted_outcome(self._run, self.children, self.leftovers) if self.leftovers else None

    def task_runs(self) -> list[Document]:
        """The TaskRuns that could be read."""
        return [child.task_run for child in self.children if child.task_run is not None]

    def is_settled(self) -> bool:
        """Whether every TaskRun shows its end. A timed out or cancelled PipelineRun may end some ms before them."""
        return all(is_finished(run) for run in self.task_runs())

    async def cause(self) -> Cause:
        """Why it failed, from what :meth:`gather` read and, where that names nothing, the pod and its log."""
        child = failed_child([child for child in self.children if child not in self.leftovers])
        if child is None and self.leftovers:
            return adopted_outcome(self._run, self.children, self.leftovers)
        run = child.task_run if child is not None else None
        step = failed_step(run) if run is not None else None
        finding = await self._finding(run, step)
        index, count = position(self._run, self.children, child) if child is not None else (0, len(self.children))
        status = (run or self._run).get("status") or _EMPTY
        return Cause(
            reason=finding.reason,
            message=clean(f"{finding.message}; {told(self.leftovers)}") if self.leftovers else finding.message,
            started=may_have_changed_something(
                live_children(self._run, self.children, self.leftovers), complete=self._complete
            ),
            task_index=index,
            task_name=child.task_name if child is not None else "",
            task_count=count,
            step_name=step.get("name") if step is not None else None,
            exit_code=own_exit_code(step) if step is not None else None,
            failed_at=status.get("completionTime") or (self._run.get("status") or _EMPTY).get("completionTime"),
            recommendation=finding.recommendation,
            goes_on=next((child["metadata"]["name"] for child in self.task_runs() if not is_finished(child)), ""),
        )

    async def _finding(self, run: Document | None, step: Mapping[str, Any] | None) -> Finding:
        """The ladder: step, TaskRun, PipelineRun, log; then that a step failed; then that nobody knows."""
        kill: Finding | None = None
        if run is not None and step is not None:
            kill = await self._memory_or_kill(run, step)
            if kill is not None and kill.reason is FailureReason.OOM_KILLED:
                return kill
        named = task_run_finding(run) if run is not None else None
        if named is not None:
            return named
        named = pipeline_run_finding(self._run)
        if named is not None:
            return named if named.reason is not FailureReason.DEADLINE_EXCEEDED else await self._with_wait(named, run)
        if kill is not None:
            return kill
        if run is not None and step is not None and own_exit_code(step):
            return await self._denial_in_log(run, step) or Finding(FailureReason.TASK_FAILED, _message(run))
        message = _message(self._run)
        if run is not None and message.startswith("Tasks Completed: "):
            message = _message(run)  # counters say less than the task that was stopped
        return Finding(FailureReason.UNKNOWN, message or "the PipelineRun failed without saying why")

    async def _memory_or_kill(self, run: Document, step: Mapping[str, Any]) -> Finding | None:
        if oom_step(run) is not None:
            return Finding(FailureReason.OOM_KILLED, _message(run))
        if not was_sigkilled(step):
            return None
        oom, why = await self._look_into_kill(run, step)
        reason = FailureReason.OOM_KILLED if oom else FailureReason.TASK_FAILED
        return Finding(reason, clean(f"{_message(run)}; {why}"))

    async def _look_into_kill(self, run: Document, step: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether a SIGKILL was for memory, and what is known about it."""
        name = (run.get("status") or _EMPTY).get("podName") or ""
        pod = await self._read(PODS, name) if name else None
        container = step.get("container")
        status = (pod or _EMPTY).get("status") or _EMPTY
        for state in status.get("containerStatuses") or ():
            ends = (state.get("state") or _EMPTY, state.get("lastState") or _EMPTY)
            if state.get("name") == container and any(
                (end.get("terminated") or _EMPTY).get("reason") == "OOMKilled" for end in ends
            ):
                return True, "its pod says OOMKilled"
        if name and await self._has_oom_event(name, run):
            return True, "an event says that the kernel killed it for memory"
        if started_before_its_task(run, step):
            why = "it ran in the dying pod of an earlier run, which Tekton took for its own: this run started none"
            return False, f"{why}; nothing says out of memory"
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            return False, "killed (SIGKILL) because its pod was deleted; nothing says out of memory"
        why = clean(str(status.get("reason") or ""), 64)
        return False, f"killed (SIGKILL) from outside{f' ({why})' if why else ''}; nothing says out of memory"

    async def _with_wait(self, timeout: Finding, run: Document | None) -> Finding:
        """The same, with what a task waited for that never began, or what kept Tekton from making it.

        Tekton tells the latter in Events alone, and before 1.12 forgets the former when it stops the task.
        """
        if run is None:
            told = [each for each in await self._events("PipelineRun", self._run) if each.get("reason") == _NOT_MADE]
        elif may_have_changed_something((Child("", "", run),), complete=True):
            return timeout
        else:
            told = [each for each in await self._events("TaskRun", run) if each.get("reason") in reasons.TASK_RUN]
        if not told:
            return timeout
        last = max(told, key=lambda event: event.get("lastTimestamp") or "")
        text = (last.get("message") or "")[: texts.READ_LIMIT]
        meant = reasons.meaning(reasons.TASK_RUN, last["reason"], text) or texts.pod_creation_text(text)
        advice = RECOMMENDATIONS[meant] if meant in _WAITED_FOR else ""
        message = clean(f"{timeout.message}; it waited: {text}")
        return replace(timeout, message=message, recommendation=advice)

    async def _has_oom_event(self, pod: str, run: Document) -> bool:
        events = await self._events("Pod", run, pod)
        return any(event.get("reason") in ("OOMKilling", "OOMKilled") for event in events)

    async def _events(self, kind: str, since: Document, name: str = "") -> list[Document]:
        """Of ``since``, or of ``name``, from the creation of ``since`` on: names are used again, and Events outlive
        what they are about. They are hints: without them a kill is reported as a kill, and a timeout as a timeout."""
        metadata = since["metadata"]
        selector = f"involvedObject.kind={kind},involvedObject.name={name or metadata['name']}"
        try:
            events = await self._cluster.list(EVENTS, self._namespace, field_selector=selector, limit=_EVENTS_LIMIT)
        except (ApiError, ConnectionLost):
            return []
        created = (metadata.get("creationTimestamp") or "")[:_TO_THE_SECOND]
        items: list[Document] = events.get("items") or []
        return [
            event
            for event in items
            if (event.get("lastTimestamp") or event.get("eventTime") or created)[:_TO_THE_SECOND] >= created
        ]

    async def _denial_in_log(self, run: Document, step: Mapping[str, Any]) -> Finding | None:
        pod, container = (run.get("status") or _EMPTY).get("podName"), step.get("container")
        if not pod or not container:
            return None
        try:
            async with asyncio.timeout(_LOG_TIMEOUT_S):
                log = await self._logs.tail(
                    self._namespace, pod, container, lines=_LOG_LINES, limit_bytes=_LOG_LIMIT_BYTES
                )
        except (ApiError, ConnectionLost, TimeoutError):
            return None  # the pod may be gone: the exit code still stands
        found = texts.denial_line(log[-_LOG_LIMIT_BYTES:])
        return None if found is None else Finding(*found)

    async def _read(self, resource: Resource, name: str) -> Document | None:
        try:
            return await self._cluster.get(resource, self._namespace, name)
        except ApiError as error:
            if error.code in _UNREADABLE:
                return None
            raise

    async def _unlisted(self) -> Sequence[Child]:
        """TaskRuns that exist although the PipelineRun ended before it could write them down."""
        selector = f"tekton.dev/pipelineRun={self._run['metadata']['name']}"
        try:
            found = await self._cluster.list(TASK_RUNS, self._namespace, label_selector=selector, limit=_CHILDREN_LIMIT)
        except ApiError as error:
            if error.code not in _UNREADABLE:
                raise
            self._complete = False
            return ()
        items = found.get("items") or ()
        task = "tekton.dev/pipelineTask"
        return [
            Child((run["metadata"].get("labels") or {}).get(task, ""), run["metadata"]["name"], run) for run in items
        ]


def _message(run: Document) -> str:
    return clean((succeeded(run) or _EMPTY).get("message") or "")
