"""What became of remediations: one fate each, counted so that nothing is ever lost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.lines import Remediation
from reports.text import MESSAGE_LIMIT, clean

STATES = ("completed", "failed", "skipped", "timed out", "cancelled", "blocked", "running", "deleted")
"""Where a remediation can stand when the run ends; each stands in exactly one. ``deleted``: before it had ended."""

_STATE_OF = {
    "Completed": "completed",
    "Failed": "failed",
    "Skipped": "skipped",
    "TimedOut": "timed out",
    "Cancelled": "cancelled",
    "Blocked": "blocked",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """A state, and why or how it was reached: the outcome of what completed, the phase of what runs or was deleted,
    the reason of everything else; empty where none was given."""

    state: str
    reason: str

    @property
    def name(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else self.state


@dataclass(slots=True)
class FateCount:
    """How many came to one fate, and the first of them as an example."""

    fate: Fate
    example: Remediation
    count: int = 0
    reviews: int = field(default=0)
    """How many of them ask for a person's review."""


def fate_of(remediation: Remediation) -> Fate:
    """The state when the run ended, and its reason as the record gives it: not cleaned yet."""
    state = _STATE_OF.get(remediation.phase, "running")
    if state in ("blocked", "running") and remediation.deleted_us is not None:
        return Fate("deleted", remediation.phase)
    if state == "running":
        return Fate(state, remediation.phase)
    return Fate(state, (remediation.outcome if state == "completed" else remediation.reason) or "")


def fates(remediations: Iterable[Remediation]) -> list[FateCount]:
    """One row per fate: in the order of the states, then by count and by name."""
    rows: dict[tuple[str, str], FateCount] = {}
    for remediation in remediations:
        fate = fate_of(remediation)
        row = rows.get((fate.state, fate.reason))
        if row is None:
            row = rows[fate.state, fate.reason] = FateCount(fate, remediation)
        row.count += 1
        row.reviews += remediation.requires_review
    return sorted(rows.values(), key=lambda row: (STATES.index(row.fate.state), -row.count, row.fate.reason))


def balance(rows: Sequence[FateCount], admitted: int) -> dict[str, int]:
    """Remediations by state, every state named; together they are ``admitted``, or this raises AssertionError."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.fate.state] += row.count
    if counts.total() != admitted:
        raise AssertionError(f"{admitted} remediations were admitted, but {counts.total()} are accounted for")
    return {state: counts[state] for state in STATES}


def described(rows: Sequence[FateCount], admitted: int) -> list[dict[str, Any]]:
    """For the page: ``{fate, state, reason, count, share, reviews, example, message}``, texts cleaned."""
    return [
        {
            "fate": clean(row.fate.name),
            "state": row.fate.state,
            "reason": clean(row.fate.reason) or None,
            "count": row.count,
            "share": row.count / admitted,
            "reviews": row.reviews,
            "example": clean(f"{row.example.namespace}/{row.example.name}"),
            "message": clean(row.example.message, MESSAGE_LIMIT),
        }
        for row in rows
    ]
