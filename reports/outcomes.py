"""How executions ended: one name per outcome, counted in an order that does not change."""

from collections.abc import Sequence
from typing import Any

from reports.lines import Execution
from reports.text import MESSAGE_LIMIT, clean


def outcome(execution: Execution) -> str:
    """``Completed``, ``Failed: OOMKilled`` …, ``withdrawn: Running`` for what was deleted before it had ended, or
    ``unfinished: Pending`` for what was not terminal when the run ended."""
    if execution.censored:
        return f"unfinished: {execution.phase}"
    if execution.phase in ("Pending", "Running"):
        return f"withdrawn: {execution.phase}"
    return f"{execution.phase}: {clean(execution.reason)}" if execution.reason else execution.phase


def endings(executions: Sequence[Execution]) -> list[dict[str, Any]]:
    """One row per outcome: Completed first, unfinished last, the rest by count and then by name.

    ``{outcome, phase, reason, count, share, had_started, example, message}``: ``share`` is of 1, ``had_started`` counts
    those whose ``was_execution_failure`` is true, ``example`` and ``message`` are the first such execution's.
    """
    rows: dict[str, dict[str, Any]] = {}
    for execution in executions:
        name = outcome(execution)
        row = rows.get(name)
        if row is None:
            row = rows[name] = {
                "outcome": name,
                "phase": execution.phase,
                "reason": None if execution.reason is None else clean(execution.reason),
                "count": 0,
                "share": 0.0,
                "had_started": 0,
                "example": clean(f"{execution.namespace}/{execution.name}"),
                "message": clean(execution.message, MESSAGE_LIMIT),
            }
        row["count"] += 1
        row["had_started"] += execution.was_execution_failure is True
    for row in rows.values():
        row["share"] = row["count"] / len(executions)
    return sorted(rows.values(), key=lambda row: (_rank(row["outcome"]), -row["count"], row["outcome"]))


def _rank(name: str) -> int:
    return 0 if name == "Completed" else 2 if name.startswith(("unfinished", "withdrawn")) else 1
