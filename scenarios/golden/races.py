"""The differences that are races, each documented in the recordings by repeats of one situation that differ so.

* **Coalesced write.** A controller that is busy, or whose cache is late, writes a later state at once where another
  time it wrote one in between. Such a write is a MODIFIED that is neither first nor last, ends nothing, begins no
  deletion, and has no counterpart among the other side's writes between the same neighbours; whatever it changed is
  in its successor.
* **Event of a coalesced write**, or of a conflict that a late cache brought about.
* **Work done twice.** A reconcile with a cache that has not heard of the controller's own last write reads again,
  is refused with a conflict, patches a TaskRun or deletes a pod a second time without effect, counts an Event once
  more, tries a pipeline out again. At most once more or less for each run and child.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Write = Mapping[str, Any]
_ENDED = ("True", "False")
_CONFLICTS = ("already exists", "the object has been modified", "please apply your changes")
_REPEATED = (
    "get",
    "patch events",
    "patch taskruns",
    "delete pods",
    "create pipelines",
    "patch resolutionrequests/status",
)
COALESCED = "coalesced write"
CONFLICT = "conflict of a late cache"
TWICE = "work done twice"


def alignment(left: Sequence[Write], right: Sequence[Write]) -> list[tuple[int, int]]:
    """The longest common subsequence of two sequences of writes, as pairs of positions."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            same = left[i] == right[j]
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if same else max(lengths[i + 1][j], lengths[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def coalesced(left: Sequence[Write], right: Sequence[Write]) -> tuple[list[Write], list[Write]] | None:
    """The writes that only one side has, ``(of left, of right)``, if all of them are coalesced writes; else None."""
    pairs = alignment(left, right)
    if not left or not right or pairs[:1] != [(0, 0)] or pairs[-1] != (len(left) - 1, len(right) - 1):
        return None
    only_left: list[Write] = []
    only_right: list[Write] = []
    for (i, j), (next_i, next_j) in pairwise(pairs):
        gaps = (left[i + 1 : next_i], right[j + 1 : next_j])
        if all(gaps) or not all(_intermediate(write) for gap in gaps for write in gap):
            return None
        only_left += gaps[0]
        only_right += gaps[1]
    if any(write in only_right for write in only_left):
        return None  # both wrote it, at different times
    return only_left, only_right


def _intermediate(write: Write) -> bool:
    conditions = (write.get("status") or {}).get("conditions") or ()
    return (
        write["type"] == "MODIFIED"
        and not write["deleting"]
        and not any(condition[0] in _ENDED for condition in conditions)
    )


def racing_event(event: Sequence[str], only: Sequence[Write]) -> str:
    """Why this Event may be missing on the other side; ``""`` if it may not. ``only`` are the own coalesced writes."""
    _, reason, message = event
    for write in only:
        for condition in (write.get("status") or {}).get("conditions") or ():
            if (reason, message) == (condition[1], condition[2]):
                return COALESCED
    return CONFLICT if any(text in message for text in _CONFLICTS) else ""


def racing_calls(call: str, recorded: int, simulated: int, spare: int) -> str:
    """Why a number of calls may differ; ``""`` if it may not. ``spare`` is how often work may be done twice."""
    _, _, what = call.partition(" ")
    repeated = what.endswith(("->409", "->404", "/status")) or what.startswith(_REPEATED)
    return TWICE if repeated and abs(recorded - simulated) <= spare else ""
