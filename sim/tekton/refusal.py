"""How a resolver fails a ResolutionRequest."""

from controller.ports import ApiError, Cluster, ConnectionLost, Document
from controller.runtime.cache import Key
from sim.tekton.access import RESOLUTION_REQUESTS
from sim.tekton.conditions import is_done, set_condition
from sim.tekton.deadlines import Timepiece

_EMPTY: Document = {}


async def mark_failed(cluster: Cluster, time: Timepiece, key: Key, text: str) -> None:
    """Best effort, as in the real one: what cannot be marked runs into the global timeout."""
    try:
        newest = await cluster.get(RESOLUTION_REQUESTS, *key)
        status = dict(newest.get("status") or _EMPTY)
        if is_done(status):
            return
        set_condition(status, "False", "ResolutionFailed", text, time.timestamp())
        await cluster.update(RESOLUTION_REQUESTS, *key, {**newest, "status": status}, subresource="status")
    except (ApiError, ConnectionLost):
        return
