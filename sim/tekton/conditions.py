"""The one condition a run has, ``Succeeded``, and what counts as a change of status.

The rules are knative's: a condition that does not change keeps its ``lastTransitionTime``; one that changes in status,
reason or message takes the present time; and two statuses that differ only in such times are the same status.
"""

from collections.abc import Mapping
from typing import Any

from controller.ports import Document

SUCCEEDED = "Succeeded"


def condition_of(status: Mapping[str, Any]) -> Document | None:
    """The ``Succeeded`` condition of a status, or None."""
    conditions = status.get("conditions")
    if not conditions:
        return None
    first: Document = conditions[0]
    if first["type"] == SUCCEEDED:
        return first
    return next((one for one in conditions if one["type"] == SUCCEEDED), None)


def is_done(status: Mapping[str, Any]) -> bool:
    """Whether a run has ended; one without a condition has not."""
    condition = condition_of(status)
    return condition is not None and condition["status"] != "Unknown"


def set_condition(status: dict[str, Any], state: str, reason: str, message: str, now: str) -> Document:
    """Put the condition into a status that is being built; answers the one that now stands there."""
    present = condition_of(status)
    if (
        present is not None
        and present["status"] == state
        and present.get("reason", "") == reason
        and present.get("message", "") == message
    ):
        return present
    return renew_condition(status, state, reason, message, now)


def renew_condition(status: dict[str, Any], state: str, reason: str, message: str, now: str) -> Document:
    """Put the condition there with the present time, even if it says what it said before."""
    condition: dict[str, Any]
    if message and reason:
        condition = {
            "lastTransitionTime": now,
            "message": message,
            "reason": reason,
            "status": state,
            "type": SUCCEEDED,
        }
    else:
        condition = {"lastTransitionTime": now}
        if message:
            condition["message"] = message
        if reason:
            condition["reason"] = reason
        condition["status"] = state
        condition["type"] = SUCCEEDED
    conditions = status.get("conditions")
    if not conditions or (len(conditions) == 1 and conditions[0]["type"] == SUCCEEDED):
        status["conditions"] = [condition]
    else:
        status["conditions"] = [condition, *(one for one in conditions if one["type"] != SUCCEEDED)]
    return condition


def same_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses say the same, the times of their conditions aside."""
    if one is other:
        return True
    before, after = one.get("conditions"), other.get("conditions")
    if before is after:
        return one == other
    if before is None or after is None or not _same_conditions(before, after):
        return False
    return {**one, "conditions": after} == other


def same_condition(one: Document | None, other: Document | None) -> bool:
    """Whether two conditions say the same at whatever time."""
    if one is other:
        return True
    if one is None or other is None:
        return False
    return (  # messages first: they change most often
        one.get("message") == other.get("message")
        and one.get("reason") == other.get("reason")
        and one["status"] == other["status"]
        and one["type"] == other["type"]
    )


def _same_conditions(one: list[Document], other: list[Document]) -> bool:
    if len(one) == len(other) == 1:
        return same_condition(one[0], other[0])
    return len(one) == len(other) and all(map(same_condition, one, other))
