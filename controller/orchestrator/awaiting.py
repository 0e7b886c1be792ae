"""The child that a remediation waits for now, wherever it is known."""

from controller.orchestrator.children import Awaited
from controller.orchestrator.desk import Desk
from controller.orchestrator.memory import Memory
from controller.ports import Document, Resource
from controller.runtime.cache import Cache

JUST_CREATED: Document = {}
"""Stands for a child that no cache shows yet: it says nothing."""


async def current(
    desk: Desk, resource: Resource, cache: Cache, awaited: Awaited, request: Document, memory: Memory
) -> Document | None:
    """The child as cached, or, until the cache knows it, as the API server has it; None when it is gone."""
    key = request["metadata"]["namespace"], awaited.name
    found = cache.get(*key)
    if not awaited.is_(found, request):
        if memory.adopted == awaited.name:
            memory.adopted = ""  # just created: its first event will come, and if it does not, the next look reads
            return JUST_CREATED
        found = await desk.read(resource, key)
    elif memory.adopted:
        memory.adopted = ""
    return found if awaited.is_(found, request) else None
