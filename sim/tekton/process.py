"""The processes of one Tekton deployment: its replicas, how they start and in what order they are replaced."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from controller.runtime.manager import Manager
from sim.loop import Loop, Process
from sim.tekton.election import Elector, Leadership
from sim.workload.distributions import Distribution


@dataclass(slots=True, eq=False)
class Replica:
    """One process: its controllers and its candidacies."""

    process: Process
    manager: Manager
    electors: Sequence[Elector] = ()
    leaderships: Sequence[Leadership] = ()
    stand: Callable[[], Coroutine[Any, Any, None]] | None = None
    """Stands for the elections; outlives the manager, so that leases are given back."""

    @property
    def leads(self) -> bool:
        """Whether it leads anything."""
        return any(one.held for one in self.leaderships)

    @property
    def ready(self) -> bool:
        return self.manager.synced


Build = Callable[[Process, str], Replica]
"""``(process, identity) -> replica``; the identity is what it writes into leases."""


@dataclass(slots=True, eq=False)
class Deployment:
    """A number of equal processes. ``ended`` is told every process that dies without giving its leases back."""

    loop: Loop
    name: str
    build: Build
    size: int
    starting: Distribution
    stream: Random
    ended: Callable[[Process], None]
    running: list[Replica] = field(default_factory=list)
    _made: int = 0
    _outages: int = 0

    def complete(self) -> None:
        """Start what is missing, unless the deployment is meant to be away."""
        if not self._outages:
            self.start()

    def go_away(self, duration_us: int) -> None:
        """Crash all, and start none for a time. Outages may overlap."""
        self.kill()
        self._outages += 1
        self.loop.after(duration_us, self._come_back)

    def _come_back(self) -> None:
        self._outages -= 1
        self.complete()

    def start(self) -> None:
        """Start what is missing."""
        while len(self.running) < self.size:
            self._add()

    def stop(self) -> None:
        """Orderly: leases are released at once, reconciles under way finish, no more are begun."""
        while self.running:
            self._remove()

    def kill(self) -> None:
        """A crash of all: whatever is under way is never resumed; requests on their way still arrive."""
        while self.running:
            self._crash(self.running[0])

    def crash_leader(self) -> None:
        """A crash of one: of the replica that leads, or of the oldest."""
        if self.running:
            self._crash(next((one for one in self.running if one.leads), self.running[0]))

    def roll(self, ready_us: int) -> None:
        """A rolling update: each replica in turn is stopped once its successor has run for ``ready_us``."""
        for number in range(len(self.running)):
            self.loop.after(number * ready_us, self._add)
            self.loop.after((number + 1) * ready_us, self._remove)

    def _add(self) -> None:
        self._made += 1
        process = self.loop.process(self.name)
        replica = self.build(process, f"{self.name}-{self._made}_{self.stream.getrandbits(128):032x}")
        process.start(self._run(replica))
        self.running.append(replica)

    async def _run(self, replica: Replica) -> None:
        delay_us = self.starting.sample_us(self.stream)
        if delay_us:
            await self.loop.pause(delay_us)
        if replica.stand is not None:
            replica.process.start(replica.stand())
        await replica.manager.run()

    def _remove(self) -> None:
        if self.running:
            replica = self.running.pop(0)
            for elector in replica.electors:
                elector.resign()
            replica.manager.stop()

    def _crash(self, replica: Replica) -> None:
        self.running.remove(replica)
        replica.process.kill()
        self.ended(replica.process)
