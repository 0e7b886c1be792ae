"""Wasted executions: those of remediations that routing should have prevented."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.lines import Execution, Remediation

LOST_LOCK = "ExecutionRaceCondition"
GRANTED_US = 2_000_000
"""Times in objects are whole seconds, so that a cooldown may seem to be over up to this much too early."""


@dataclass(frozen=True, slots=True)
class Waste:
    """The wasted ones by why; an execution is in one of them only."""

    lost_lock: list[Execution]
    """They came to a lock that another execution held, and failed for it."""
    within_cooldown: list[Execution] | None
    """They repeat a workflow that completed on the target less than the cooldown before they were created, or after
    that; None where the cooldown is not known."""


def wasted(executions: Sequence[Execution], remediations: Sequence[Remediation], cooldown_us: int | None) -> Waste:
    """Only executions that a remediation made are judged; any execution counts as what they should have waited for."""
    routed = {(each.namespace, name) for each in remediations for name in each.executions}
    lost = [each for each in executions if each.reason == LOST_LOCK and (each.namespace, each.name) in routed]
    if cooldown_us is None:
        return Waste(lost, None)
    repeated: list[Execution] = []
    last: dict[tuple[str, str], int] = {}
    for each in sorted(executions, key=lambda execution: execution.created_us):
        key = each.target, each.workflow
        if (
            (each.namespace, each.name) in routed
            and each.reason != LOST_LOCK
            and each.created_us < last.get(key, -cooldown_us) + cooldown_us - GRANTED_US
        ):
            repeated.append(each)
        if each.phase == "Completed" and each.terminal_us is not None:
            last[key] = max(last.get(key, 0), each.terminal_us)
    return Waste(lost, repeated)
