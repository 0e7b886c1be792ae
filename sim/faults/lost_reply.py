"""The write happened, and the client never hears of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from controller.ports import Cluster, ConnectionLost, Resource
from sim.faults.interception import Intercepted


class LostReply(Intercepted):
    """Loses the reply to chosen creations; the client sees its connection break instead."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, self._lose, verbs=("create",))
        self._chosen: set[tuple[str, str]] = set()
        self.lost = 0

    def lose_next_creation(self, resource: Resource, name: str) -> None:
        """The next creation of ``name`` is carried out, but its reply is lost."""
        self._chosen.add((resource.plural, name))

    async def _lose(self, _verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if (resource.plural, name) not in self._chosen:
            return await call()
        self._chosen.discard((resource.plural, name))
        await call()
        self.lost += 1
        raise ConnectionLost(f"connection reset while waiting for the reply to create {resource.plural} {name}")
