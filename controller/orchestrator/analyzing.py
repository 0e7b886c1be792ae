"""Analyzing and AwaitingApproval: what the analyst answers, and whether somebody has to agree."""

import re

from controller.api.conditions import Fact
from controller.api.remediationrequest import Outcome, Phase
from controller.api.resources import AI_ANALYSES
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.orchestrator import awaiting, children, conditions
from controller.orchestrator.approval import answer_of
from controller.orchestrator.audit import AuditType
from controller.orchestrator.desk import Desk
from controller.orchestrator.ending import complete, fail
from controller.orchestrator.executing import execute
from controller.orchestrator.labels import APPROVED, REJECTED
from controller.orchestrator.memory import Memory
from controller.orchestrator.notifying import notify
from controller.ports import Document

_NOT_NEEDED = "WorkflowNotNeeded"
_UNRESOLVED = frozenset({"WorkflowResolutionFailed", "NoMatchingWorkflows", "NoWorkflowFound"})
_CONDITION_REASON = re.compile(r"[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?", re.ASCII)  # metav1's own rule
_NONE: Document = {}


async def current_analysis(desk: Desk, request: Document, memory: Memory) -> Document | None:
    """The analysis that counts now: cached, or, until the cache knows it, as the API server has it."""
    awaited = children.awaited_analysis(request)
    return await awaiting.current(desk, AI_ANALYSES, desk.view.analyses, awaited, request, memory)


async def follow_analysis(desk: Desk, request: Document, memory: Memory) -> Document:
    """One look at the analysis; when it has answered, on to approval or execution."""
    analysis = await current_analysis(desk, request, memory)
    if analysis is None:
        return await _deleted(desk, request, memory)
    status = analysis.get("status") or _NONE
    if status.get("phase") == "Failed":
        return await _unanswered(desk, request, memory, status)
    if status.get("phase") != "Completed":
        return request
    return await _answered(desk, request, memory, analysis)


async def _answered(desk: Desk, request: Document, memory: Memory, analysis: Document) -> Document:
    status = analysis["status"]
    if status.get("reason") == _NOT_NEEDED:
        return await _nothing_to_do(desk, request, memory, status)
    try:
        children.selected_workflow(analysis)
    except children.NoWorkflow as error:
        return await fail(desk, request, memory, "NoWorkflow", str(error), review=True)
    if status.get("approvalRequired"):
        return await _ask_for_approval(desk, request, memory, analysis)
    return await execute(desk, request, memory, analysis)


async def _deleted(desk: Desk, request: Document, memory: Memory) -> Document:
    message = f"AIAnalysis {children.awaited_analysis(request).name} was deleted externally"
    return await fail(desk, request, memory, "AIAnalysisDeleted", message, review=True)


async def _nothing_to_do(desk: Desk, request: Document, memory: Memory, status: Document) -> Document:
    desk.metrics.no_action(_NOT_NEEDED, request["metadata"]["namespace"])
    message = clean(status.get("message") or "The analyst found nothing to do")
    facts = [Fact(conditions.ANALYSIS_COMPLETE, "True", _NOT_NEEDED, message)]
    return await complete(desk, request, memory, Outcome.NO_ACTION_REQUIRED, message, facts)


async def _unanswered(desk: Desk, request: Document, memory: Memory, status: Document) -> Document:
    reason = clean(status.get("reason") or "Unknown", 128)
    message = f"AIAnalysis failed: {reason}: {clean(status.get('message') or 'it does not say why', 512)}"
    word = reason if _CONDITION_REASON.fullmatch(reason) else "AnalysisFailed"
    sub_reason = clean(status.get("subReason") or "", 128)
    facts = [Fact(conditions.ANALYSIS_COMPLETE, "False", word, message)]
    recovering = bool(request["status"].get("recoveryAttempts"))
    review = recovering or reason in _UNRESOLVED
    return await fail(desk, request, memory, reason, message, review=review, facts=facts, sub_reason=sub_reason)


async def _ask_for_approval(desk: Desk, request: Document, memory: Memory, analysis: Document) -> Document:
    if answer_of(request) == APPROVED:
        return await execute(desk, request, memory, analysis, (AuditType.APPROVED,))
    status = analysis["status"]
    workflow = clean(status["selectedWorkflow"]["workflowId"], 128)
    why = clean(status.get("approvalReason") or "the analyst asks for it", 512)
    message = f"Workflow {workflow} waits for approval: {why}"

    def tell(written: Document) -> None:
        desk.events.event(written, "Normal", "ApprovalRequested", message)
        desk.metrics.approval_requested(written["metadata"]["namespace"])

    request = await desk.write(
        request,
        memory,
        Phase.AWAITING_APPROVAL,
        tell,
        audit=(AuditType.APPROVAL_REQUESTED,),
        approvalStartTime=format_time(desk.now()),
        message=message,
    )
    return await await_approval(desk, request, memory)


async def await_approval(desk: Desk, request: Document, memory: Memory) -> Document:
    """Ask people once, then do as the annotation on the request says."""
    answer = answer_of(request)
    if answer == REJECTED:
        message, audit = "The workflow was not approved", (AuditType.REJECTED,)
        return await fail(desk, request, memory, "ApprovalRejected", message, review=False, audit=audit)
    if answer != APPROVED:
        return await notify(desk, request, memory, approvalNotificationSent=True)
    analysis = await current_analysis(desk, request, memory)
    if analysis is None:
        return await _deleted(desk, request, memory)
    return await execute(desk, request, memory, analysis, (AuditType.APPROVED,)) if analysis else request


async def resume(desk: Desk, request: Document, memory: Memory) -> Document:
    """A block may be over: go on to the execution that had been chosen, approved where that was asked for."""
    analysis = await current_analysis(desk, request, memory)
    if analysis is None:
        return await _deleted(desk, request, memory)
    return await execute(desk, request, memory, analysis) if analysis else request
