"""Completed or Failed: hold the lock for the cooldown, then release it.

The lock is released when the PipelineRun is gone, children included. ``LockAcquired=False`` with reason
``LockReleased`` is the durable record of that: whoever finds it has nothing more to do.
"""

from datetime import datetime, timedelta

from controller.api.conditions import Fact, condition
from controller.api.timestamps import format_time, parse_time
from controller.executor import conditions, status
from controller.executor.conditions import lock_is_released
from controller.executor.desk import RELEASED, Desk, run_name
from controller.executor.memory import Memory
from controller.ports import Document
from controller.runtime.controller import Result

_SLACK_S = 0.001
_MARGIN_S = 2.0  # times in objects are cut to the second, and the write that carries them takes time itself


async def release_lock(desk: Desk, execution: Document, memory: Memory) -> Result:
    """One step towards the release; an execution that never had the lock has nothing to release."""
    name = run_name(execution)
    if name is None or lock_is_released(execution):
        return Result()
    if memory.run is not None:
        memory.forget_run()
    ended = execution["status"].get("completionTime")
    now = desk.clock.utcnow()
    if not ended:
        text = format_time(now)
        await desk.write(execution, status.patch(execution, status.phase(execution), text, completionTime=text), memory)
        return Result(requeue_after_s=desk.settings.cooldown_s)
    release_at = _terminal_since(execution, ended) + timedelta(seconds=desk.settings.cooldown_s + _MARGIN_S)
    remaining_s = (release_at - now).total_seconds()
    if remaining_s > 0:
        return Result(requeue_after_s=remaining_s)
    if await _is_gone(desk, execution, memory, name):
        await _record_release(desk, execution, memory, name)
        return Result()
    return Result(requeue_after_s=desk.settings.poll_s)


def _terminal_since(execution: Document, completion_time: str) -> datetime:
    """When the status became terminal: after an outage of ours that is later than the end of the work."""
    complete = condition(execution, conditions.COMPLETE)
    written = parse_time(complete["lastTransitionTime"]) if complete is not None else None
    ended = parse_time(completion_time)
    return ended if written is None else max(ended, written)


async def _is_gone(desk: Desk, execution: Document, memory: Memory, name: str) -> bool:
    """Whether our PipelineRun is no more; asks for its deletion where nobody has yet."""
    cached = desk.runs.get(desk.settings.execution_namespace, name)
    if cached is not None and not memory.is_ours(cached, execution):
        cached = None
    now_s = desk.now_s()
    if memory.deleting:
        if cached is None and memory.run_cached:
            return True  # the watch has told its end
        if cached is not None and now_s - memory.deletion_seen_s < desk.settings.poll_s - _SLACK_S:
            return False
    memory.run_cached = memory.run_cached or cached is not None
    memory.deletion_seen_s = now_s
    run = cached if cached is not None and not memory.deleting else await desk.read_run(name)
    if run is None or not memory.is_ours(run, execution):
        return True
    uid = run["metadata"]["uid"]
    if run["metadata"].get("deletionTimestamp"):
        memory.deleting = uid
        return False
    if await desk.delete_run(run):
        memory.deleting = uid
        return False
    left = await desk.read_run(name)
    return left is None or left["metadata"]["uid"] != uid


async def _record_release(desk: Desk, execution: Document, memory: Memory, name: str) -> None:
    fact = Fact(
        conditions.LOCK_ACQUIRED, "False", conditions.LOCK_RELEASED, f"PipelineRun {name} is gone; the target is free"
    )
    patch = status.patch(execution, status.phase(execution), format_time(desk.clock.utcnow()), [fact])
    target = execution["spec"]["targetResource"]

    def tell(written: Document) -> None:
        desk.events.event(written, "Normal", "LockReleased", f"Lock released for {target} after cooldown")

    await desk.write(execution, patch, memory, RELEASED, tell)
