"""Sending what a remediation owes to people."""

from typing import Any

from controller.api.remediationrequest import Phase
from controller.api.resources import NOTIFICATION_REQUESTS
from controller.orchestrator import notifications
from controller.orchestrator.children import child_reference
from controller.orchestrator.desk import Desk
from controller.orchestrator.memory import Memory
from controller.orchestrator.view import phase_of
from controller.ports import Document

_NONE: Document = {}


async def notify(
    desk: Desk, request: Document, memory: Memory, extra: dict[str, Any] | None = None, **fields: Any
) -> Document:
    """Create the messages that the status asks for, and ``extra``, then note them so that they are not sent again."""
    wanted = notifications.owed(request)
    if extra is not None:
        wanted[extra["metadata"]["name"]] = extra
    if not wanted:
        return request
    sent = [await desk.create_child(NOTIFICATION_REQUESTS, request, body) for body in wanted.values()]
    known = (request.get("status") or _NONE).get("notificationRequestRefs") or ()
    references = [*known, *(child_reference(one, NOTIFICATION_REQUESTS) for one in sent)]
    return await desk.write(request, memory, Phase(phase_of(request)), notificationRequestRefs=references, **fields)
