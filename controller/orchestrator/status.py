"""The status of a RemediationRequest: which phase may follow which, and the patches that write it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from controller.api.conditions import Fact, merged
from controller.api.remediationrequest import TERMINAL, Phase
from controller.orchestrator.view import phase_of
from controller.ports import Document

_ALWAYS = frozenset({Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELLED})
TRANSITIONS: Mapping[str, frozenset[Phase]] = {
    Phase.PENDING: _ALWAYS | {Phase.PROCESSING, Phase.BLOCKED, Phase.SKIPPED},
    Phase.PROCESSING: _ALWAYS | {Phase.ANALYZING},
    Phase.ANALYZING: _ALWAYS
    | {Phase.AWAITING_APPROVAL, Phase.EXECUTING, Phase.BLOCKED, Phase.SKIPPED, Phase.COMPLETED},
    Phase.AWAITING_APPROVAL: _ALWAYS | {Phase.EXECUTING, Phase.BLOCKED, Phase.SKIPPED},
    Phase.EXECUTING: _ALWAYS | {Phase.COMPLETED, Phase.SKIPPED, Phase.ANALYZING},
    Phase.BLOCKED: _ALWAYS | {Phase.PROCESSING, Phase.EXECUTING, Phase.SKIPPED},
    **{phase: frozenset() for phase in TERMINAL},
}
BLOCK_FIELDS = (
    "blockReason",
    "blockMessage",
    "blockedUntil",
    "blockingWorkflowExecution",
    "duplicateOf",
    "nextAllowedExecution",
)
_NONE: Document = {}


class TransitionError(Exception):
    """A phase that may not follow the present one: a mistake in the reconciler."""


def patch(request: Document, to: Phase, now: str, facts: Sequence[Fact] = (), **fields: Any) -> dict[str, Any]:
    """A merge patch of ``/status`` that only applies to the version of ``request`` that was read (else 409).

    ``fields`` are the status fields that change, None to remove one. Raises TransitionError when ``to`` may not follow.
    """
    metadata, known = request["metadata"], request.get("status") or _NONE
    before = phase_of(request)
    if to != before and to not in TRANSITIONS.get(before, _ALWAYS):
        raise TransitionError(f"{metadata['namespace']}/{metadata['name']}: invalid phase transition {before} to {to}")
    status: dict[str, Any] = {"overallPhase": str(to)} if known.get("overallPhase") != to else {}
    if known.get("observedGeneration") != metadata["generation"]:
        status["observedGeneration"] = metadata["generation"]
    if not known.get("startTime"):
        status["startTime"] = now
    if to in TERMINAL and not known.get("completedAt"):
        status["completedAt"] = now
    if before == Phase.BLOCKED and to is not Phase.BLOCKED:
        status.update({field: None for field in BLOCK_FIELDS if field in known})
    for field, value in fields.items():
        if value is not None or field in known:
            status[field] = str(value) if isinstance(value, StrEnum) else value
    if facts:
        after = merged(request, facts, now)
        if after != known.get("conditions"):
            status["conditions"] = after
    return {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": status}
