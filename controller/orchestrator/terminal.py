"""What a remediation that has ended still owes: messages to people, and the count of its duplicates."""

from collections.abc import Sequence
from datetime import timedelta

from controller.api.remediationrequest import Phase
from controller.api.timestamps import parse_time
from controller.orchestrator import notifications
from controller.orchestrator.desk import Desk
from controller.orchestrator.memory import Memory
from controller.orchestrator.notifying import notify
from controller.orchestrator.view import phase_of
from controller.ports import Document

_NAMED_MAX = 1_000  # names of duplicates in one object, which must not outgrow the API server's limit
_NONE: Document = {}


async def count_duplicates(desk: Desk, request: Document, memory: Memory) -> Document:
    """Write the names of the requests folded into this one: those that stand in the caches, and those noted before."""
    status = request.get("status") or _NONE
    known: Sequence[str] = status.get("duplicateRefs") or ()
    found = desk.view.duplicates(request)
    if not found or known == found:
        return request
    names = [*dict.fromkeys((*known, *found))]
    count = max(len(names), status.get("duplicateCount") or 0)
    refs = names[:_NAMED_MAX]
    if count == status.get("duplicateCount") and len(refs) == len(known):
        return request
    return await desk.write(request, memory, Phase(phase_of(request)), duplicateRefs=refs, duplicateCount=count)


async def settle(desk: Desk, request: Document, memory: Memory) -> tuple[Document, float | None]:
    """Send what is owed. Answers the request and the seconds until it is to be looked at again, None for never."""
    request = await notify(desk, request, memory)
    bulk = notifications.bulk_duplicates(request)
    if bulk is None:
        return request, None
    ended = parse_time(request["status"]["completedAt"])
    left_s = (ended + timedelta(seconds=desk.settings.settle_s) - desk.now()).total_seconds()
    if left_s > 0:
        return request, left_s  # a duplicate that was decided on just before the end may still come
    return await notify(desk, request, memory, bulk), None
