"""An API server that answers chosen calls otherwise than it should."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from controller.ports import ApiError, Cluster, ConnectionLost, Resource
from sim.faults.interception import Intercepted
from sim.loop import Process

Fate = ApiError | Literal["lost", "never arrived"]


class Trouble:
    """The calls of ``verb`` on ``plural`` (and ``name``, if given) meet ``fates``, one after the other, then nothing.

    ``lost``: carried out, but nobody hears of it. ``never arrived``: the same for the caller, and nothing was done.
    """

    def __init__(self, verb: str, plural: str, *fates: Fate, name: str = "") -> None:
        self.verb, self.plural, self.name = verb, plural, name
        self.fates = list(fates)
        self.calls: list[tuple[str, str, str]] = []
        self.then: Callable[[], None] = lambda: None
        """Called when a call has met its fate."""

    def wrap(self, cluster: Cluster, _: Process) -> Cluster:
        return Intercepted(cluster, self._around)

    async def _around(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls.append((verb, resource.plural, name))
        hit = (verb, resource.plural) == (self.verb, self.plural) and self.name in ("", name)
        if not hit or not self.fates:
            return await call()
        fate = self.fates.pop(0)
        if fate == "lost":
            await call()
        self.then()
        if isinstance(fate, ApiError):
            raise fate
        raise ConnectionLost(f"{verb} {name}: {fate}")

    def spoken(self) -> list[tuple[str, str, str]]:
        """All calls but the watches, which end and are opened again."""
        return [call for call in self.calls if call[0] != "watch"]

    def count(self, verb: str, plural: str) -> int:
        return sum(call[:2] == (verb, plural) for call in self.calls)


def refusal(code: int, reason: str, message: str = "no", retry_after_s: float | None = None) -> ApiError:
    return ApiError(code, reason, message, retry_after_s=retry_after_s)
