"""Executing: the WorkflowExecution is created once, followed to its end, and its end is acted upon."""

from controller.api.remediationrequest import Outcome, Phase, RoutingReason
from controller.api.resources import AI_ANALYSES, WORKFLOW_EXECUTIONS
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.orchestrator import awaiting, blocking, children, conditions
from controller.orchestrator.approval import forget_answer
from controller.orchestrator.audit import AuditType
from controller.orchestrator.desk import ChildRefused, Desk, NameTaken
from controller.orchestrator.ending import complete, fail
from controller.orchestrator.labels import execution_name, owner_uid
from controller.orchestrator.memory import Memory
from controller.orchestrator.outcome import RECOVERIES_EXHAUSTED, Ending, ending_of
from controller.orchestrator.pending import analysing
from controller.orchestrator.recovery import whole_history
from controller.orchestrator.routing import Block
from controller.orchestrator.view import target_of
from controller.ports import ApiError, Document
from controller.runtime.cache import key_of

_NONE: Document = {}


async def execute(
    desk: Desk, request: Document, memory: Memory, analysis: Document, also: tuple[AuditType, ...] = ()
) -> Document:
    """Create the execution that ``analysis`` recommends, unless routing says no, or it exists already.

    ``also`` is recorded before what is recorded of the change of phase.
    """
    namespace, name = key_of(request)
    attempt = request["status"].get("recoveryAttempts") or 0
    key = namespace, execution_name(name, attempt)
    known = desk.view.executions.get(*key)
    if known is None and memory.unsure:
        known = await desk.read(WORKFLOW_EXECUTIONS, key)
        memory.unsure = False  # one that comes into being all the same is found when it is created again
    if known is not None and owner_uid(known) == request["metadata"]["uid"]:
        return await _executing(desk, request, memory, known, also)
    try:
        selected = children.selected_workflow(analysis)
    except children.NoWorkflow as error:
        return await fail(desk, request, memory, "NoWorkflow", str(error), review=True)
    block = blocking.ask(desk, request, selected["workflowId"])
    if block is not None:
        return await blocking.apply(desk, request, memory, block, also)
    try:
        execution = await _create(desk, request, memory, children.execution(request, attempt, selected))
    except ChildRefused as error:
        return await fail(desk, request, memory, "WorkflowExecutionRefused", str(error), review=True)
    return await _executing(desk, request, memory, execution, also)


async def _create(desk: Desk, request: Document, memory: Memory, body: Document) -> Document:
    """Nobody else of this process may have the target meanwhile. Raises ChildRefused, NameTaken, ApiError."""
    own = key_of(request)
    desk.view.claim(target_of(request), own, body["metadata"]["name"])
    memory.unsure = True
    try:
        return await desk.create_child(WORKFLOW_EXECUTIONS, request, body)
    except (ChildRefused, NameTaken, ApiError) as error:
        if not isinstance(error, ApiError) or error.code < 500:
            desk.view.withdraw(own)
            memory.unsure = False
        raise


async def _executing(
    desk: Desk, request: Document, memory: Memory, execution: Document, also: tuple[AuditType, ...]
) -> Document:
    name, workflow = execution["metadata"]["name"], execution["spec"]["workflowRef"]["workflowId"]
    memory.adopted, memory.unsure = name, False

    def tell(written: Document) -> None:
        message = f"Created WorkflowExecution {name} for workflow {clean(workflow, 128)}"
        desk.events.event(written, "Normal", "WorkflowExecutionCreated", message)

    return await desk.write(
        request,
        memory,
        Phase.EXECUTING,
        tell,
        audit=(*also, AuditType.MOVED),
        facts=[
            conditions.analysis_complete(children.awaited_analysis(request).name),
            conditions.child_ready(conditions.EXECUTION_READY, "WorkflowExecution", name),
        ],
        workflowExecutionRef=children.child_reference(execution, WORKFLOW_EXECUTIONS),
        executingStartTime=format_time(desk.now()),
        message=f"Executing workflow {clean(workflow, 128)} as WorkflowExecution {name}",
    )


async def follow_execution(desk: Desk, request: Document, memory: Memory) -> Document:
    """One look at the execution; its end decides what follows."""
    execution = await _current_execution(desk, request, memory)
    if execution is None:
        name = children.awaited_execution(request).name
        message = f"WorkflowExecution {name} was deleted externally; nobody knows what it had changed"
        return await fail(desk, request, memory, "WorkflowExecutionDeleted", message, review=True)
    ending = ending_of(execution)
    if ending.end == "running":
        return request
    name = execution["metadata"]["name"]
    if ending.end == "remediated":
        message = f"WorkflowExecution {name} completed"
        facts = [conditions.execution_complete(name)]
        return await complete(desk, request, memory, Outcome.REMEDIATED, message, facts)
    if ending.end == "skipped" and ending.skip is not None:
        return await _skipped(desk, request, memory, ending.skip, ending)
    if ending.end == "recover":
        return await _recover(desk, request, memory, execution, ending)
    facts = [conditions.execution_complete(name, ending.reason)]
    return await fail(
        desk, request, memory, ending.reason, ending.message, review=True, facts=facts, skip=ending.skip, by=ending.by
    )


async def has_ended(desk: Desk, request: Document, memory: Memory) -> bool:
    """Whether the execution has come to an end that is the remediation's, too: that counts, however late it is seen."""
    execution = await _current_execution(desk, request, memory)
    return execution is not None and ending_of(execution).end in ("remediated", "review", "skipped")


async def _current_execution(desk: Desk, request: Document, memory: Memory) -> Document | None:
    """The execution that counts now. Of one that is gone, the last state that was seen, if that was an end."""
    awaited = children.awaited_execution(request)
    found = await awaiting.current(desk, WORKFLOW_EXECUTIONS, desk.view.executions, awaited, request, memory)
    if found is not None:
        return found
    last = memory.last_execution
    if awaited.is_(last, request) and ending_of(last).end != "running":
        return last
    return None


async def _skipped(desk: Desk, request: Document, memory: Memory, skip: RoutingReason, ending: Ending) -> Document:
    """An executor of v3.1 has skipped it: that counts as if routing had."""
    original = _request_of(desk, request, ending.by) or ""
    return await blocking.skip(
        desk, request, memory, Block(skip, ending.message, execution=ending.by, duplicate_of=original)
    )


def _request_of(desk: Desk, request: Document, execution: str) -> str | None:
    found = desk.view.executions.get(request["metadata"]["namespace"], execution) if execution else None
    name: str | None = found["spec"]["remediationRequestRef"].get("name") if found is not None else None
    return name


async def _recover(desk: Desk, request: Document, memory: Memory, execution: Document, ending: Ending) -> Document:
    """Nothing was changed: ask the analyst for another workflow, with all that was tried."""
    attempt = (request["status"].get("recoveryAttempts") or 0) + 1
    name = execution["metadata"]["name"]
    facts = [conditions.execution_complete(name, ending.reason)]
    if attempt > desk.settings.max_recoveries:
        message = f"{attempt} executions failed before they began, no recovery is left; the last: {ending.message}"
        return await fail(desk, request, memory, RECOVERIES_EXHAUSTED, message, review=True, facts=facts)
    key = request["metadata"]["namespace"], children.awaited_analysis(request).name
    last = desk.view.analyses.get(*key) or await desk.read(AI_ANALYSES, key)
    request = await forget_answer(desk, request, memory)
    body = children.analysis(request, attempt, whole_history(execution, last))
    try:
        analysis = await desk.create_child(AI_ANALYSES, request, body)
    except ChildRefused as error:
        return await fail(desk, request, memory, "AIAnalysisRefused", str(error), review=True, facts=facts)

    def tell(written: Document) -> None:
        message = f"Recovery {attempt} after {name}: {ending.reason}"
        desk.events.event(written, "Normal", "RecoveryStarted", message)

    return await analysing(desk, request, memory, analysis, attempt, tell, facts)
