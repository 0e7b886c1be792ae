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

_NONE: Document = {}


async def count_duplicates(desk: Desk, request: Document, memory: Memory) -> Document:
    """Write the names of the requests folded into this one: those that stand in the caches, and those noted before."""
    status = request.get("status") or _NONE
    known: Sequence[str] = status.get("duplicateRefs") or ()
    found = desk.view.duplicates(request)
    if not found or known == found:
        return request
    names = [*known, *(name for name in found if name not in known)]
    if len(names) == len(known):
        return request
    return await desk.write(request, memory, Phase(phase_of(request)), duplicateRefs=names, duplicateCount=len(names))


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
