"""Running: mirror the PipelineRun and, at its end, say what came of it."""

from typing import Any

from controller.api.tekton import child_task_runs, succeeded
from controller.api.timestamps import format_time
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import conditions, status
from controller.executor.audit import AuditType
from controller.executor.conditions import Fact
from controller.executor.desk import Desk, run_name
from controller.executor.evidence import Cause
from controller.executor.failing import duration_s, fail_run
from controller.executor.inquiry import Inquiry
from controller.executor.labels import Owner, owner
from controller.executor.memory import Memory, version
from controller.executor.pipelinerun import lock_name
from controller.executor.progress import pipeline_run_status
from controller.executor.terminal import release_lock
from controller.ports import Document
from controller.runtime.controller import Result

_SETTLE_STEP_S = 0.25
_SLACK_S = 0.001  # loop time is a float: a timer may fire a rounding error early
_DELETED = "PipelineRun was deleted externally"


async def follow(desk: Desk, execution: Document, memory: Memory) -> Result:
    """One look at the PipelineRun. It is read from the cache while the cache brings news, else directly."""
    run = await _current_run(desk, execution, memory)
    if run is None:
        cause = Cause(reason=FailureReason.UNKNOWN, message=_DELETED, started=True)
        return await release_lock(desk, await fail_run(desk, execution, memory, cause, [], {}, None), memory)
    outcome = (succeeded(run) or {}).get("status")
    if outcome == "True":
        return await release_lock(desk, await _complete(desk, execution, memory, run), memory)
    if outcome == "False":
        return await _explain(desk, execution, memory, run)
    await _mirror(desk, execution, memory, run)
    due_s = memory.run_news_s + desk.settings.poll_s - desk.now_s()
    return Result(requeue_after_s=max(due_s, _SLACK_S * 2))


async def _current_run(desk: Desk, execution: Document, memory: Memory) -> Document | None:
    """Our PipelineRun; None when the API server itself says that it is no more."""
    name = run_name(execution) or lock_name(execution["spec"]["targetResource"])
    cached = desk.runs.get(desk.settings.execution_namespace, name)
    now_s = desk.now_s()
    known = memory.run
    if cached is not None and owner(cached, execution) is Owner.OURS:
        memory.run_cached = True
        if known is None or version(cached) > version(known):
            memory.run, memory.run_news_s = cached, now_s
            return cached
        lost = False
    else:
        lost = memory.run_cached  # it was there; now it is not, or another holds the name
    if known is not None and not lost and now_s - memory.run_news_s < desk.settings.poll_s - _SLACK_S:
        return known
    run = await desk.read_run(name)
    memory.run_news_s = now_s
    if run is None or owner(run, execution) is not Owner.OURS:
        return None
    memory.run = run
    return run


async def _mirror(desk: Desk, execution: Document, memory: Memory, run: Document) -> None:
    """Write progress: a change of the counts at once, a change of words at the pace of the poll."""
    condition = succeeded(run)
    if condition is None:
        return
    known = (execution.get("status") or {}).get("pipelineRunStatus") or {}
    seen: dict[str, Any] = pipeline_run_status(run)
    counts = all(seen[key] == known.get(key, 0) for key in ("completedTasks", "totalTasks"))
    words = all(seen.get(key) == known.get(key) for key in ("status", "reason", "message"))
    now_s = desk.now_s()
    if counts and (words or now_s - memory.mirrored_s < desk.settings.poll_s - _SLACK_S):
        memory.mirrored_s = memory.mirrored_s or now_s
        return
    seen.update({key: None for key in ("reason", "message") if key in known and key not in seen})
    message = f"Pipeline executing ({condition.get('reason') or 'Pending'})"
    facts = [Fact(conditions.RUNNING, "True", "PipelineStarted", message)]
    now = format_time(desk.clock.utcnow())
    await desk.write(execution, status.patch(execution, Phase.RUNNING, now, facts, pipelineRunStatus=seen), memory)
    memory.mirrored_s = now_s


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
    if conditions.condition(execution, conditions.RUNNING) is not None or not child_task_runs(run):
        return []
    return [Fact(conditions.RUNNING, "True", "PipelineStarted", "Pipeline executed")]
