"""A world that is an API server and nothing else: for clients that bring everything themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scenarios import parts
from scenarios.chronicle import Chronicle
from scenarios.remediation.remediations import Remediations
from scenarios.settings import Settings, described
from scenarios.target import Target
from scenarios.workflows import Workflow
from scenarios.world import ApiCalls
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.workloads import controllers
from sim.loop import Loop
from sim.streams import Streams

_PLAYERS = frozenset((parts.TEKTON, parts.EXECUTOR, parts.ORCHESTRATOR, parts.SCHEDULER, parts.KUBELET))


def is_bare(without: frozenset[str]) -> bool:
    """Whether so many parts are left out that nobody needs our kinds, Tekton's or nodes."""
    return without >= _PLAYERS


class BareWorld:
    """An API server with its own controllers. ``without`` may name the garbage collector."""

    backend = "sim"
    targets: Sequence[Target] = ()
    workflows: Mapping[str, Workflow] = {}

    def __init__(self, settings: Settings, seed: int, without: frozenset[str], epoch: datetime) -> None:
        self._settings = settings
        self.loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
        self.streams = Streams(seed)
        self.clock = Clock(self.loop, epoch=epoch)
        self.server = ApiServer(self.loop, self.streams, self.clock, guard=settings.guard, managed_fields=True)
        if parts.COLLECTOR in without:
            self.server.collector.pause()
        if parts.WORKLOADS not in without:
            controllers.start(self.server, self.loop, self.streams, self.clock)
        self.chronicle = Chronicle(lambda: self.loop.now_us)
        self.remediations = Remediations(lambda: self.loop.now_us, self.chronicle.wake)

    def now_us(self) -> int:
        return self.loop.now_us

    def settings(self) -> dict[str, Any]:
        return described(self._settings)

    def api_calls(self) -> list[ApiCalls]:
        return [
            ApiCalls(component, verb, resource, counted.count, dict(counted.errors))
            for (component, verb, resource), counted in sorted(self.server.calls.items())
            if counted.count
        ]

    def events_processed(self) -> int:
        return self.loop.events

    def close(self) -> None:
        self.loop.close()
