"""Running: mirror the PipelineRun and, at its end, say what came of it."""

from collections.abc import Mapping
from math import inf
from typing import Any

from controller.api.conditions import Fact, condition
from controller.api.lock import lock_name
from controller.api.tekton import child_task_runs, succeeded
from controller.api.timestamps import format_time
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import conditions, status
from controller.executor.audit import AuditType
from controller.executor.desk import Desk, run_name
from controller.executor.evidence import Cause
from controller.executor.failing import duration_s, fail_run
from controller.executor.inquiry import Inquiry
from controller.executor.leftovers import began_before_it_was_created
from controller.executor.memory import Memory, version
from controller.executor.progress import pipeline_run_status
from controller.executor.terminal import release_lock
from controller.ports import Document
from controller.runtime.controller import Result

_SETTLE_STEP_S = 0.25
_SLACK_S = 0.001  # loop time is a float: a timer may fire a rounding error early
_DELETED = "PipelineRun was deleted externally"
_NOTHING: Document = {}


async def follow(desk: Desk, execution: Document, memory: Memory) -> Result:
    """One look at the PipelineRun. It is read from the cache while the cache brings news, else directly."""
    name = run_name(execution) or lock_name(execution["spec"]["targetResource"])
    cached = desk.runs.get(desk.settings.execution_namespace, name)
    now_s, poll_s = desk.now_s(), desk.settings.poll_s
    quiet = memory.quiet
    if quiet is not None and quiet[0] is execution and quiet[1] is cached and now_s < memory.quiet_until_s:
        return Result(requeue_after_s=max(memory.run_news_s + poll_s - now_s, _SLACK_S * 2))
    run = _known_run(execution, memory, cached, now_s, poll_s)
    if run is None:
        run = await _read_run(desk, execution, memory, name)
        now_s = desk.now_s()
    if run is None:
        cause = Cause(reason=FailureReason.UNKNOWN, message=_DELETED, started=True)
        return await release_lock(desk, await fail_run(desk, execution, memory, cause, [], {}, None), memory)
    condition = succeeded(run)
    outcome = condition.get("status") if condition is not None else None
    if outcome == "True":
        if began_before_it_was_created(run):
            return await _doubt(desk, execution, memory, run)
        return await release_lock(desk, await _complete(desk, execution, memory, run), memory)
    if outcome == "False":
        return await _explain(desk, execution, memory, run)
    still_s = inf
    if condition is not None:
        patch, still_s = _mirrored(desk, execution, memory, run, condition, now_s)
        if patch is not None:
            execution = await desk.write(execution, patch, memory)
            memory.mirrored_s = now_s
            if execution["status"].get("pipelineRunStatus") == memory.seen:
                still_s = inf
            now_s = desk.now_s()
    memory.quiet = (execution, cached)
    memory.quiet_until_s = min(memory.run_news_s + poll_s, still_s) - _SLACK_S * 2
    return Result(requeue_after_s=max(memory.run_news_s + poll_s - now_s, _SLACK_S * 2))


def _known_run(
    execution: Document, memory: Memory, cached: Document | None, now_s: float, poll_s: float
) -> Document | None:
    """Our PipelineRun, if there is news of it or they are not due; None when only the API server can tell."""
    known = memory.run
    if cached is not None and (cached is known or memory.is_ours(cached, execution)):
        memory.run_cached = True
        if known is None or (cached is not known and version(cached) > version(known)):
            memory.know(cached)
            memory.run_news_s = now_s
            return cached
    elif memory.run_cached:
        return None  # it was there; now it is not, or another holds the name
    return known if now_s - memory.run_news_s < poll_s - _SLACK_S else None


async def _read_run(desk: Desk, execution: Document, memory: Memory, name: str) -> Document | None:
    """Our PipelineRun; None when the API server itself says that it is no more."""
    now_s = desk.now_s()
    run = await desk.read_run(name)
    memory.run_news_s = now_s
    if run is None or not memory.is_ours(run, execution):
        return None
    memory.know(run)
    return run


def _mirrored(
    desk: Desk, execution: Document, memory: Memory, run: Document, condition: Mapping[str, Any], now_s: float
) -> tuple[dict[str, Any] | None, float]:
    """The patch that writes progress: a change of the counts at once, a change of words at the pace of the poll.

    Answers too until when, as long as neither execution nor run changes, nothing is to be written.
    """
    known = (execution.get("status") or _NOTHING).get("pipelineRunStatus") or _NOTHING
    seen = memory.seen
    if seen is None or memory.seen_run is not run:
        memory.seen_run = run
        memory.seen = seen = pipeline_run_status(run)
    if seen == known:
        memory.mirrored_s = memory.mirrored_s or now_s
        return None, inf
    if seen["completedTasks"] == known.get("completedTasks", 0) and seen["totalTasks"] == known.get("totalTasks", 0):
        words = all(seen.get(key) == known.get(key) for key in ("status", "reason", "message"))
        if words or now_s - memory.mirrored_s < desk.settings.poll_s - _SLACK_S:
            memory.mirrored_s = memory.mirrored_s or now_s
            return None, inf if words else memory.mirrored_s + desk.settings.poll_s
    fields = {**seen, **{key: None for key in ("reason", "message") if key in known and key not in seen}}
    message = f"Pipeline executing ({condition.get('reason') or 'Pending'})"
    facts = [Fact(conditions.RUNNING, "True", "PipelineStarted", message)]
    now = format_time(desk.clock.utcnow())
    return status.patch(execution, Phase.RUNNING, now, facts, pipelineRunStatus=fields), now_s


async def _complete(desk: Desk, execution: Document, memory: Memory, run: Document) -> Document:
    now = desk.clock.utcnow()
    completed, duration = status.end(execution, run["status"].get("completionTime"), now)
    fields = {
        "completionTime": completed,
        "duration": duration,
        "pipelineRunStatus": _final_status(execution, run, None),
    }
    audited = await desk.record(execution, AuditType.COMPLETED, memory, phase="Completed", **fields)
    facts = [*_was_running(execution, run), status.completed_fact(duration), audited]
    patch = status.patch(execution, Phase.COMPLETED, format_time(now), facts, **fields)
    workflow_id = execution["spec"]["workflowRef"]["workflowId"]

    def tell(written: Document) -> None:
        message = f"Workflow {workflow_id} completed successfully in {duration}"
        desk.events.event(written, "Normal", "WorkflowCompleted", message)
        desk.metrics.ended("Completed", duration_s(written))

    return await desk.write(execution, patch, memory, Phase.COMPLETED, tell)


async def _doubt(desk: Desk, execution: Document, memory: Memory, run: Document) -> Result:
    """Succeeded, but older than itself: completed only if its tasks are its own."""
    inquiry = Inquiry(desk.cluster, desk.logs, run)
    await inquiry.gather()
    cause = inquiry.adopted_outcome()
    if cause is None:
        return await release_lock(desk, await _complete(desk, execution, memory, run), memory)
    fields = {"pipelineRunStatus": _final_status(execution, run, None)}
    completed = run["status"].get("completionTime")
    failed = await fail_run(desk, execution, memory, cause, _was_running(execution, run), fields, completed)
    return await release_lock(desk, failed, memory)


async def _explain(desk: Desk, execution: Document, memory: Memory, run: Document) -> Result:
    """Failed: but first let the TaskRuns of a timed out or cancelled run show their own end."""
    now_s = desk.now_s()
    if memory.ended_s is None:
        memory.ended_s = now_s
    inquiry = Inquiry(desk.cluster, desk.logs, run)
    await inquiry.gather()
    if not inquiry.is_settled() and now_s - memory.ended_s < desk.settings.settle_s - _SLACK_S:
        return Result(requeue_after_s=_SETTLE_STEP_S)
    cause = await inquiry.cause()
    fields = {"pipelineRunStatus": _final_status(execution, run, inquiry.task_runs())}
    completed = run["status"].get("completionTime")
    failed = await fail_run(desk, execution, memory, cause, _was_running(execution, run), fields, completed)
    return await release_lock(desk, failed, memory)


def _final_status(execution: Document, run: Document, task_runs: list[Document] | None) -> dict[str, Any]:
    known = (execution.get("status") or {}).get("pipelineRunStatus") or {}
    final = pipeline_run_status(run, task_runs)
    final.update({key: None for key in ("reason", "message") if key in known and key not in final})
    return final


def _was_running(execution: Document, run: Document) -> list[Fact]:
    """That it ran, for a run that ended before its progress was written down."""
    if condition(execution, conditions.RUNNING) is not None or not child_task_runs(run):
        return []
    return [Fact(conditions.RUNNING, "True", "PipelineStarted", "Pipeline executed")]
