"""The world as stories and workloads see it: the same façade over the simulated cluster and a live one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scenarios.chronicle import Chronicle
from scenarios.remediation.remediations import Remediations
from scenarios.target import Target
from scenarios.tekton.settings import Mishap, Process
from scenarios.workflows import Workflow


@dataclass(frozen=True, slots=True)
class ApiCalls:
    """How often one component made one kind of call, and how often it was refused, by HTTP code."""

    component: str
    verb: str
    resource: str
    count: int
    errors: dict[int, int]


class World(Protocol):
    """One cluster with our controllers in it. Synchronous on the outside: a step never awaits."""

    backend: str
    chronicle: Chronicle
    remediations: Remediations
    workflows: Mapping[str, Workflow]
    """What can be requested, by name."""

    @property
    def targets(self) -> list[Target]: ...

    def add_target(self, resource: str) -> Target:
        """One more target, called ``namespace/Kind/name``."""
        ...

    def now_us(self) -> int: ...

    def play(self, story: Awaitable[None]) -> None:
        """Run until ``story`` is done; its exceptions come through."""
        ...

    def statistic(self, statistic: str, timing: str) -> tuple[float, int]:
        """``p95`` of a named timing over all executions so far, in seconds, and how many it is taken from.

        Raises BadInput for an unknown statistic or timing.
        """
        ...

    async def forbid(self, account: str, action: str) -> None:
        """Take a permission away: ``the controller`` or ``the workflow's service account`` may not do ``action``."""
        ...

    async def crash_and_restart_controller(self) -> None:
        """Kill the executor's process without warning and start a new one."""
        ...

    async def leave_no_room(self, what: str) -> None:
        """A quota that admits no more ``pods`` or ``TaskRuns`` in the namespace of the runs."""
        ...

    async def make_room(self) -> None:
        """Raise that quota."""
        ...

    async def silence_registry(self) -> None:
        """From now on the registry takes connections and answers nothing, until :meth:`heal_registry`."""
        ...

    async def heal_registry(self) -> None: ...

    async def stop_resolvers(self) -> None:
        """Tekton's resolvers end in good order and are gone until :meth:`start_resolvers`."""
        ...

    async def start_resolvers(self) -> None: ...

    async def befall_tekton(self, what: Process, kind: Mishap, lasting_s: float) -> None:
        """Something befalls Tekton's controller, resolvers or webhook; ``lasting_s`` counts for an outage."""
        ...

    async def crash_and_restart_orchestrator(self) -> None:
        """Kill the orchestrator without warning and start a new one."""
        ...

    async def split_brain(self) -> None:
        """Start one more orchestrator beside the one that leads; both believe that they do."""
        ...

    async def let_signals_wait(self) -> None:
        """The orchestrator's policy for busy targets: requests wait for them instead of being skipped."""
        ...

    def recall_legacy(self, count: int) -> None:
        """Let ``count`` remediations be under way whose executions version 3.1 has skipped."""
        ...

    def api_calls(self) -> list[ApiCalls]: ...

    def settings(self) -> dict[str, Any]:
        """The assumptions of this world, each with its source, for the record."""
        ...

    def on_progress(self, tick: "Callable[[World], None]") -> None:
        """Call ``tick`` now and then while :meth:`play` runs."""
        ...

    def events_processed(self) -> int:
        """Calendar events so far; 0 in a live world."""
        ...

    def close(self) -> None: ...
