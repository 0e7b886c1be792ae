"""Pending: take the lock by creating the PipelineRun, or find out why that is not to be."""

from controller.api.conditions import Fact, condition
from controller.api.lock import lock_name
from controller.api.resources import PIPELINE_RUNS
from controller.api.tekton import is_finished
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.api.workflowexecution import FailureReason, Phase
from controller.executor import conditions, status
from controller.executor.audit import AuditType
from controller.executor.desk import Desk
from controller.executor.failing import fail_before_run
from controller.executor.labels import Owner, holder, owner
from controller.executor.memory import Key, Memory
from controller.executor.pipelinerun import build
from controller.executor.progress import pipeline_run_status
from controller.executor.texts import refused_create
from controller.executor.validation import SpecError, validate
from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import Result

_BACKOFF_BASE_S = 0.1
_BACKOFF_CAP_S = 60.0
_SLACK_S = 0.001
_AGAIN = Result(requeue_after_s=0.0)


async def take_lock(desk: Desk, execution: Document, memory: Memory) -> Result:
    """One try. Nothing is created for a spec that is invalid, or on a version of the execution that may be old."""
    try:
        validate(execution["spec"])
    except SpecError as error:
        await fail_before_run(desk, execution, memory, FailureReason.CONFIGURATION_ERROR, str(error))
        return Result()
    remaining_s = memory.not_before_s - desk.now_s()
    if remaining_s > _SLACK_S and (memory.refusals or _lock_looks_held(desk, execution)):
        return Result(requeue_after_s=remaining_s)
    if execution["metadata"]["resourceVersion"] != memory.verified:
        # An old Pending could hide that this tenure's run has been, ended and been released: a second run.
        latest = await desk.read_execution(_key(execution), memory)
        if latest is None:
            return Result()
        if latest["metadata"]["resourceVersion"] != execution["metadata"]["resourceVersion"]:
            return _AGAIN
    if memory.waits_for and remaining_s <= _SLACK_S:
        held = await desk.read_run(memory.waits_for)  # a look is cheaper than a create that admission has to judge
        if held is not None:
            return await _contend(desk, execution, memory, held)
    return await _create(desk, execution, memory)


async def _create(desk: Desk, execution: Document, memory: Memory) -> Result:
    await desk.record(execution, AuditType.SELECTED, memory)
    namespace = desk.settings.execution_namespace
    try:
        run = await desk.cluster.create(PIPELINE_RUNS, namespace, build(execution, desk.settings))
    except ConnectionLost as error:
        memory.answer_lost = True
        return await _try_later(desk, execution, memory, f"no answer: {clean(str(error), 256)}", None)
    except ApiError as error:
        if error.code == 409 and error.reason == "AlreadyExists":
            known = await desk.read_run(lock_name(execution["spec"]["targetResource"]))
            return _AGAIN if known is None else await _contend(desk, execution, memory, known)
        return await _refused(desk, execution, memory, error)
    try:
        return await _running(desk, execution, memory, run, adopted=False)
    except ApiError as error:
        if error.code not in (404, 409):
            raise
        await _withdraw(desk, execution, memory, run)
        raise


async def _withdraw(desk: Desk, execution: Document, memory: Memory, run: Document) -> None:
    """Take back a run whose execution has meanwhile ended or gone by another hand: its tenure is over."""
    latest = await desk.read_execution(_key(execution), memory)
    ended = latest is not None and latest["metadata"].get("uid") == execution["metadata"].get("uid")
    if not ended or (latest is not None and status.phase(latest) in (Phase.COMPLETED, Phase.FAILED)):
        await desk.delete_run(run)


async def _refused(desk: Desk, execution: Document, memory: Memory, error: ApiError) -> Result:
    reason = refused_create(error.code, error.message)
    if reason is None:
        return await _try_later(desk, execution, memory, str(error), error.retry_after_s)
    try:
        # After a lost answer our own run may be what exhausts the quota: the refusal alone proves nothing.
        run = await desk.read_run(lock_name(execution["spec"]["targetResource"]))
    except ApiError as unreadable:
        if unreadable.code != 403:
            raise
        run = None
    if run is not None and owner(run, execution) is Owner.OURS and not run["metadata"].get("deletionTimestamp"):
        return await _adopt(desk, execution, memory, run)
    await fail_before_run(desk, execution, memory, reason, clean(error.message))
    return Result()


async def _try_later(desk: Desk, execution: Document, memory: Memory, why: str, retry_after_s: float | None) -> Result:
    """Stay Pending and back off; the condition says why, once, as long as the API server takes it."""
    delay_s = min(_BACKOFF_BASE_S * 2.0 ** min(memory.refusals, 20), _BACKOFF_CAP_S) * desk.random.uniform(0.9, 1.1)
    delay_s = max(delay_s, retry_after_s or 0.0)
    memory.refusals += 1
    memory.not_before_s = desk.now_s() + delay_s
    if condition(execution, conditions.CREATED) is None:
        message = f"PipelineRun not created yet, trying again: {clean(why, 512)}"
        fact = Fact(conditions.CREATED, "False", "PipelineCreationFailed", message)
        patch = status.patch(execution, Phase.PENDING, format_time(desk.clock.utcnow()), [fact])
        try:
            await desk.write(execution, patch, memory)
        except (ApiError, ConnectionLost):
            memory.must_read = True  # only the explanation is late
    return Result(requeue_after_s=delay_s)


async def _contend(desk: Desk, execution: Document, memory: Memory, run: Document) -> Result:
    """The lock's name is taken: by us, by a run on its way out, or by somebody at work."""
    whose, terminating = owner(run, execution), bool(run["metadata"].get("deletionTimestamp"))
    if whose is Owner.OURS and not terminating:
        return await _adopt(desk, execution, memory, run)
    if whose is Owner.FORMER and not terminating:
        await desk.delete_run(run)
    elif not terminating and not is_finished(run):
        message = (
            f"Race condition: PipelineRun '{run['metadata']['name']}' already exists for the target, "
            f"created by {clean(holder(run), 512)}, and is not finished"
        )
        await fail_before_run(desk, execution, memory, FailureReason.EXECUTION_RACE_CONDITION, message)
        return Result()
    return await _wait(desk, execution, memory, run)


async def _wait(desk: Desk, execution: Document, memory: Memory, run: Document) -> Result:
    """Stay Pending until the lock is released: the watch wakes us, the poll is the safety net."""
    name = run["metadata"]["name"]
    desk.waiting.setdefault(name, {})[_key(execution)] = None
    memory.waits_for = name
    memory.refusals = 0
    memory.not_before_s = desk.now_s() + desk.settings.poll_s
    message = f"PipelineRun {name} of {clean(holder(run), 512)} holds the lock until it is released"
    known = condition(execution, conditions.LOCK_ACQUIRED)
    if known is None or known.get("message") != message:
        fact = Fact(conditions.LOCK_ACQUIRED, "False", conditions.COOLDOWN_ACTIVE, message)
        patch = status.patch(execution, Phase.PENDING, format_time(desk.clock.utcnow()), [fact])
        await desk.write(execution, patch, memory)
    return Result(requeue_after_s=desk.settings.poll_s)


async def _adopt(desk: Desk, execution: Document, memory: Memory, run: Document) -> Result:
    """Our own run, made before a crash or under a reply that was lost."""
    return await _running(desk, execution, memory, run, adopted=True)


async def _running(desk: Desk, execution: Document, memory: Memory, run: Document, *, adopted: bool) -> Result:
    name, namespace = run["metadata"]["name"], run["metadata"]["namespace"]
    fields = {"startTime": run["metadata"]["creationTimestamp"], "pipelineRunRef": {"name": name}}
    if run.get("status"):
        fields["pipelineRunStatus"] = pipeline_run_status(run)
    started = await desk.record(execution, AuditType.STARTED, memory, phase="Running", **fields)
    created = f"PipelineRun {name} created in {namespace} namespace"
    facts = (
        Fact(conditions.CREATED, "True", "PipelineCreated", f"{created} earlier" if adopted else created),
        Fact(conditions.LOCK_ACQUIRED, "True", "PipelineRunCreated", f"PipelineRun {name} holds the target"),
        memory.audit_trouble or started,
    )
    patch = status.patch(execution, Phase.RUNNING, format_time(desk.clock.utcnow()), facts, **fields)
    count = not adopted or memory.answer_lost

    def tell(written: Document) -> None:
        suffix = " (already exists, ours)" if adopted else ""
        desk.events.event(written, "Normal", "PipelineRunCreated", f"Created PipelineRun {namespace}/{name}{suffix}")
        if count:
            desk.metrics.created()

    memory.know(run)
    memory.run_news_s, memory.run_cached = desk.now_s(), False
    await desk.write(execution, patch, memory, Phase.RUNNING, tell)
    memory.refusals, memory.answer_lost, memory.audit_trouble = 0, False, None
    return _AGAIN if is_finished(run) else Result(requeue_after_s=desk.settings.poll_s)


def _lock_looks_held(desk: Desk, execution: Document) -> bool:
    run = desk.runs.get(desk.settings.execution_namespace, lock_name(execution["spec"]["targetResource"]))
    return run is not None and owner(run, execution) is not Owner.OURS


def _key(execution: Document) -> Key:
    return execution["metadata"]["namespace"], execution["metadata"]["name"]
