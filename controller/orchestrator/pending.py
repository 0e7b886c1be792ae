"""Pending and Processing: may it begin at all, and the first analysis."""

from collections.abc import Sequence

from controller.api.conditions import Fact
from controller.api.remediationrequest import Phase
from controller.api.resources import AI_ANALYSES
from controller.api.timestamps import format_time
from controller.orchestrator import blocking, children, conditions
from controller.orchestrator.audit import AuditType
from controller.orchestrator.desk import ChildRefused, Desk, Tell
from controller.orchestrator.ending import fail
from controller.orchestrator.memory import Memory
from controller.ports import Document


async def admit(desk: Desk, request: Document, memory: Memory) -> Document:
    """Ask routing; what it admits gets its analysis."""
    block = blocking.ask(desk, request, "")
    if block is not None:
        return await blocking.apply(desk, request, memory, block)
    request = await desk.write(
        request,
        memory,
        Phase.PROCESSING,
        audit=(AuditType.STARTED,),
        processingStartTime=format_time(desk.now()),
        message="Admitted; the analysis is being requested",
    )
    return await begin_analysis(desk, request, memory)


async def begin_analysis(desk: Desk, request: Document, memory: Memory) -> Document:
    """Request the first analysis."""
    try:
        analysis = await desk.create_child(AI_ANALYSES, request, children.analysis(request, 0, ()))
    except ChildRefused as error:
        return await fail(desk, request, memory, "AIAnalysisRefused", str(error), review=True)
    return await analysing(desk, request, memory, analysis, 0)


async def analysing(
    desk: Desk,
    request: Document,
    memory: Memory,
    analysis: Document,
    attempt: int,
    tell: Tell | None = None,
    facts: Sequence[Fact] = (),
) -> Document:
    """Write down that ``analysis`` is awaited; ``attempt`` numbers recoveries from 1, ``facts`` tell what led to it."""
    name = analysis["metadata"]["name"]
    memory.adopted = name
    what = f"recovery {attempt}" if attempt else "the analysis"
    again = [conditions.analysis_begins(name)] if attempt else []
    return await desk.write(
        request,
        memory,
        Phase.ANALYZING,
        tell,
        facts=[*facts, *again, conditions.child_ready(conditions.ANALYSIS_READY, "AIAnalysis", name)],
        aiAnalysisRef=children.child_reference(analysis, AI_ANALYSES),
        analyzingStartTime=format_time(desk.now()),
        recoveryAttempts=attempt or None,
        message=f"Waiting for {what}: AIAnalysis {name}",
    )
