"""Conditions as ``metav1`` has them: one a type, their time moves only when their status does."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from controller.ports import Document

_MESSAGE_LIMIT = 1024


class Fact(NamedTuple):
    """What a condition shall say."""

    type: str
    status: Literal["True", "False"]
    reason: str
    message: str


def condition(document: Document, type_: str) -> Document | None:
    """The condition of that type, or None."""
    status = document.get("status")
    for found in (status.get("conditions") or ()) if status else ():
        if found.get("type") == type_:
            return found  # type: ignore[no-any-return]
    return None


def merged(document: Document, facts: Iterable[Fact], now: str) -> list[Document]:
    """The whole ``status.conditions`` with ``facts`` in it; ``now`` is RFC 3339. Unchanged ones are shared."""
    before: Sequence[Document] = (document.get("status") or {}).get("conditions") or ()
    after = [*before]
    generation = document["metadata"].get("generation")
    for type_, status, reason, message in facts:
        written: dict[str, Any] = {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message[:_MESSAGE_LIMIT],
            "lastTransitionTime": now,
        }
        if generation is not None:
            written["observedGeneration"] = generation
        for place, known in enumerate(after):
            if known.get("type") == type_:
                if known.get("status") == status:
                    written["lastTransitionTime"] = known.get("lastTransitionTime", now)
                if known != written:
                    after[place] = written
                break
        else:
            after.append(written)
    return after
