"""Routing: whether a remediation may execute now. Pure functions over what the cluster shows, in one order.

=  =======================  =====================================================  ===================================
#  check                    holds when                                             then
=  =======================  =====================================================  ===================================
1  PreviousExecutionFailed  the newest execution that changed the target failed    Failed, a person must look
                            and nobody has cleared it
2  ExhaustedRetries         ``max_failures`` pre-execution failures in a row       Failed, a person must look
3  ExponentialBackoff       the rest after the last of them is not over            Blocked until it is, then again
4  RecentlyRemediated       the same workflow completed within the cooldown        Skipped (or Blocked: ``on_busy``)
5  ResourceBusy             an execution of the target is not finished             Skipped (or Blocked)
6  DuplicateInProgress      an older request with the same fingerprint is active   Skipped (or Blocked)
=  =======================  =====================================================  ===================================

The first that holds decides. Without a chosen workflow the fourth cannot hold: the analyst may choose another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from controller.api.remediationrequest import RoutingReason
from controller.api.tekton import is_finished
from controller.api.texts import clean
from controller.api.timestamps import format_time, parse_time
from controller.orchestrator.backoff import delay_s
from controller.orchestrator.history import History, ended_at, is_cleared
from controller.orchestrator.settings import Settings
from controller.ports import Document

_SHOWN = 512
_ROUND_UP_S = 0.999999  # times in objects have whole seconds; nobody may be told an earlier one than is meant
_NONE: Document = {}


@dataclass(frozen=True, slots=True)
class Question:
    """What routing looks at. ``workflow_id`` is empty before an analyst has chosen; ``lock`` is the PipelineRun under
    the target's lock name; ``elder`` the oldest active request with the same fingerprint, if that is not the request
    itself; ``claim`` names an execution that this process is about to create on the target for another request;
    ``draw`` answers the jitter's random number in [0, 1)."""

    request: Document
    target: str
    workflow_id: str
    now: datetime
    history: History
    lock: Document | None
    elder: Document | None
    claim: str
    settings: Settings
    draw: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Block:
    """Why a remediation may not execute now. ``until`` is when it may, where time alone decides."""

    reason: RoutingReason
    message: str
    until: datetime | None = None
    execution: str = ""
    duplicate_of: str = ""
    failures: int = 0


Action = Literal["fail", "block", "skip"]


def route(question: Question) -> Block | None:
    """The first check that holds, or None: go ahead."""
    for _, check in CHECKS:
        block = check(question)
        if block is not None:
            return block
    return None


def action_for(reason: RoutingReason, settings: Settings) -> Action:
    """What is done about it."""
    if reason in (RoutingReason.PREVIOUS_EXECUTION_FAILED, RoutingReason.EXHAUSTED_RETRIES):
        return "fail"
    if reason is RoutingReason.EXPONENTIAL_BACKOFF or settings.on_busy == "wait":
        return "block"
    return "skip"


def _previous_execution_failed(question: Question) -> Block | None:
    last = question.history.decisive
    if last is None or last["status"]["phase"] != "Failed" or is_cleared(last):
        return None
    name, details = last["metadata"]["name"], last["status"].get("failureDetails") or _NONE
    said = clean(details.get("naturalLanguageSummary") or details.get("message") or "it does not say why", _SHOWN)
    return Block(
        RoutingReason.PREVIOUS_EXECUTION_FAILED,
        f"WorkflowExecution {name} failed on {question.target} after it had begun to change it, and nobody has cleared "
        f"that yet: {said}",
        execution=name,
    )


def _exhausted_retries(question: Question) -> Block | None:
    failures, limit = question.history.failures, question.settings.max_failures
    if len(failures) < limit:
        return None
    last = failures[-1]["metadata"]["name"]
    return Block(
        RoutingReason.EXHAUSTED_RETRIES,
        f"{len(failures)} executions in a row could not begin on {question.target}, the limit is {limit}; "
        f"the last was {last}",
        execution=last,
        failures=len(failures),
    )


def _exponential_backoff(question: Question) -> Block | None:
    failures = question.history.failures
    if not failures:
        return None
    last = failures[-1]
    name = last["metadata"]["name"]
    until = _rest_over(question, name, len(failures), ended_at(last))
    if question.now >= until:
        return None
    return Block(
        RoutingReason.EXPONENTIAL_BACKOFF,
        f"{_times(len(failures))} in a row could not begin on {question.target}; the last, {name}, is followed by a "
        f"rest until {format_time(until)}",
        until=until,
        execution=name,
        failures=len(failures),
    )


def _rest_over(question: Question, name: str, failures: int, failed_at: datetime) -> datetime:
    """The end of the rest; once drawn it stands in the request, so that looking again does not draw again."""
    status = question.request.get("status") or _NONE
    drawn = status.get("nextAllowedExecution")
    resting = status.get("blockReason") == RoutingReason.EXPONENTIAL_BACKOFF
    if drawn and resting and status.get("blockingWorkflowExecution") == name:
        return parse_time(drawn)
    delay = delay_s(failures, question.settings.backoff, question.draw())
    return _whole(failed_at + timedelta(seconds=delay))


def _whole(instant: datetime) -> datetime:
    """``instant``, rounded up to the second."""
    return (instant + timedelta(seconds=_ROUND_UP_S)).replace(microsecond=0)


def _recently_remediated(question: Question) -> Block | None:
    if not question.workflow_id:
        return None
    for last in question.history.completed:
        if last["spec"]["workflowRef"]["workflowId"] != question.workflow_id:
            continue
        until = ended_at(last) + timedelta(seconds=question.settings.cooldown_s)
        if question.now >= until:
            return None
        until = _whole(until)
        name = last["metadata"]["name"]
        return Block(
            RoutingReason.RECENTLY_REMEDIATED,
            f"Workflow {clean(question.workflow_id, 128)} completed on {question.target} as {name}; "
            f"its cooldown lasts until {format_time(until)}",
            until=until,
            execution=name,
            duplicate_of=(last["spec"].get("remediationRequestRef") or _NONE).get("name") or "",
        )
    return None


def _resource_busy(question: Question) -> Block | None:
    busy = question.history.unfinished
    name = busy["metadata"]["name"] if busy is not None else question.claim
    if name:
        message = f"WorkflowExecution {name} on {question.target} is not finished"
    elif question.lock is not None and not is_finished(question.lock):
        message = f"PipelineRun {question.lock['metadata']['name']} is at work on {question.target}"
    else:
        return None
    return Block(RoutingReason.RESOURCE_BUSY, message, execution=name)


def _duplicate_in_progress(question: Question) -> Block | None:
    if question.elder is None:
        return None
    name = question.elder["metadata"]["name"]
    return Block(
        RoutingReason.DUPLICATE_IN_PROGRESS,
        f"RemediationRequest {name} for the same signal is older and has not ended",
        duplicate_of=name,
    )


def _times(count: int) -> str:
    return "1 execution" if count == 1 else f"{count} executions"


CHECKS: tuple[tuple[RoutingReason, Callable[[Question], Block | None]], ...] = (
    (RoutingReason.PREVIOUS_EXECUTION_FAILED, _previous_execution_failed),
    (RoutingReason.EXHAUSTED_RETRIES, _exhausted_retries),
    (RoutingReason.EXPONENTIAL_BACKOFF, _exponential_backoff),
    (RoutingReason.RECENTLY_REMEDIATED, _recently_remediated),
    (RoutingReason.RESOURCE_BUSY, _resource_busy),
    (RoutingReason.DUPLICATE_IN_PROGRESS, _duplicate_in_progress),
)
