"""One session: a world, and everything that came into it from outside, from its first instant to its last."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from scenarios import catalogue, parts, settings, workflows, workload
from scenarios.errors import BadInput
from scenarios.record import Recording
from scenarios.run import RunOptions
from scenarios.serving.bare import BareWorld, is_bare
from scenarios.simulated import SimulatedWorld
from scenarios.version import VERSION
from scenarios.workflows import Workflow
from sim.apiserver.http.journal import written
from sim.apiserver.http.outgoing import encoded
from sim.apiserver.identity import User
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.watch import Stream
from sim.apiserver.watching import Watcher
from sim.workload.distributions import Constant

_DIGEST_CHARS = 16
_SMALL = {"cluster": {"nodes": 5}}  # as many as a person wants to see; a scenario says itself how many it needs


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What determines a session but for its requests. ``scenario`` is a workload's name or file, or empty.

    Raises BadInput for a seed that cannot be.
    """

    scenario: str
    seed: int
    overrides: tuple[str, ...]
    without: frozenset[str]
    epoch: datetime
    command: str

    def __post_init__(self) -> None:
        RunOptions(seed=self.seed)

    def described(self) -> dict[str, Any]:
        left = [name for name in parts.PARTS if name in self.without]
        return {"scenario": self.scenario, "overrides": list(self.overrides), "without": left}


ServedWorld = SimulatedWorld | BareWorld


def open_world(options: SessionOptions) -> ServedWorld:
    """The world of a session, before anything has come into it. Raises BadInput."""
    name, scale, chosen, flows = (
        "session",
        1,
        settings.parse(_SMALL, options.overrides, "settings"),
        _bundled(),
    )
    if options.scenario:
        path = _workload(options.scenario)
        load, chosen = workload.read(path, options.overrides)
        name, scale, flows = load.name, load.targets, workflows.beside(path)
    if parts.PEOPLE in options.without:
        silent = {"silent": 1.0}
        analyst = chosen.analyst.model_copy(update={**dict.fromkeys(_MOODS, 0.0), **silent})
        approver = chosen.approver.model_copy(update={"rejects": 0.0, **silent})
        chosen = chosen.model_copy(update={"analyst": analyst, "approver": approver})
    if parts.ORCHESTRATOR in options.without:  # those who decide for a foreign one are there all the same
        chosen = chosen.model_copy(update={"orchestrator": chosen.orchestrator.model_copy(update={"replicas": 0})})
    seed = RunOptions(seed=options.seed).seed_of(name)
    if is_bare(options.without):
        return BareWorld(chosen, seed, options.without, options.epoch)
    world = SimulatedWorld(
        chosen,
        flows,
        seed,
        scale,
        without=options.without,
        epoch=options.epoch,
        managed_fields=True,
        serving=True,
        workloads=parts.WORKLOADS not in options.without,
    )
    world.settle()
    _ = world.orchestration
    world.loop.run_until(world.loop.now_us)
    return world


@cache
def _bundled() -> Mapping[str, Workflow]:
    """Our workflows, read once: tests start many sessions."""
    return workflows.load_folder()


_MOODS = ("not_needed", "nothing_found", "unsure", "error")


def _workload(text: str) -> Path:
    found = catalogue.find([text])
    if found.features or len(found.workloads) != 1:
        raise BadInput(text, "is not one workload scenario", "a .yaml file, or a workload from `rehearse list`")
    return found.workloads[0]


def rest_of(world: ServedWorld, tokens: Mapping[str, User]) -> Rest:
    """The API as clients from outside have it: their news does not lag, for it has a real way to go."""
    rest = Rest(world.server, tokens, Watcher("outside", lag=Constant(0)))

    if isinstance(world, BareWorld):
        return rest
    models = world.models

    def log(user: User, namespace: str, pod: str, container: str, lines: int | None, limit_bytes: int | None) -> str:
        reader = models.log_reader(user, "outside")
        return reader.read(namespace, pod, container, lines=lines, limit_bytes=limit_bytes)

    rest.logs = log
    return rest


class SessionRecord:
    """Implements :class:`sim.apiserver.http.journal.Journal` and writes the record of the session."""

    def __init__(self, options: SessionOptions, world: ServedWorld) -> None:
        self._world = world
        self.recording = Recording()
        self._requests = 0
        self.recording.run(
            version=VERSION,
            seed=options.seed,
            backend="sim",
            epoch=options.epoch.strftime("%Y-%m-%dT%H:%M:%SZ"),
            command=options.command,
            settings=options.described(),
        )
        self.scenario = self.recording.scenario(
            feature="Session",
            description="requests from outside",
            file=Path(options.scenario).name,
            line=1,
            name=options.scenario or "session",
            tags=[],
            scale=len(world.targets),
            source="session",
            settings=world.settings(),
        )

    def request(self, at_us: int, request: Request, rest: Rest, response: Response) -> int:
        self._requests += 1
        fields = written(request, rest)
        self.recording.request(
            self.scenario, at_us, self._requests, fields, status=response.status, answer=_digest(response)
        )
        return self._requests

    def attempt(self, at_us: int) -> None:
        self.recording.attempt(self.scenario, at_us)

    def hang_up(self, at_us: int, number: int) -> None:
        self.recording.hang_up(self.scenario, at_us, number)

    def close(self) -> Recording:
        """Write what became of it all; the recording as a whole."""
        world = self._world
        self.recording.history(self.scenario, world)
        self.recording.scenario_end(
            self.scenario,
            status="passed",
            error=None,
            virtual_us=world.now_us(),
            executions=len(world.chronicle.executions),
            events=world.events_processed(),
        )
        self.recording.end()
        return self.recording


def _digest(response: Response) -> str:
    """Tells two answers apart; a watch's first bytes are its name."""
    body = response.body
    if isinstance(body, Stream):
        return "watch"
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else encoded(body)
    return hashlib.sha256(data).hexdigest()[:_DIGEST_CHARS]
