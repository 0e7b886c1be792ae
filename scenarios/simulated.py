"""The simulated world: our executor in its own process, Tekton, kubelets and an API server on one calendar."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from controller.api.resources import PIPELINE_RUNS
from controller.executor.settings import Settings as ExecutorSettings
from controller.executor.wiring import NAME as CONTROLLER_NAME
from controller.executor.wiring import executor
from controller.ports import Cluster, Document
from reports import statistics, timings
from scenarios import manifests, parts, permissions
from scenarios.cast import WORKLOADS, Cast
from scenarios.chronicle import Chronicle
from scenarios.errors import BadInput
from scenarios.manifests import CONTROLLER
from scenarios.remediation import legacy
from scenarios.remediation.invariants import Invariants
from scenarios.remediation.orchestration import Orchestration
from scenarios.remediation.remediations import Remediations
from scenarios.settings import Settings, described
from scenarios.target import Target
from scenarios.tekton import hazards
from scenarios.tekton.incidents import Incidents
from scenarios.tekton.settings import Mishap
from scenarios.tekton.settings import Process as TektonProcess
from scenarios.workflows import Workflow
from scenarios.world import ApiCalls, World
from sim import garbage
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import EPOCH, Clock
from sim.cluster import cluster
from sim.cluster.images import CACHED, Catalogue
from sim.cluster.options import ClusterOptions, NodePool
from sim.cluster.workloads import controllers
from sim.cluster.workloads.controllers import Serving
from sim.faults.lost_reply import LostReply
from sim.loop import Loop, Process, Stalled
from sim.streams import Streams
from sim.tekton import install as tekton
from sim.tekton.bundles import BundleCatalogue
from sim.workload.durations import format_us
from sim.workload.names import targets as target_names

FIRST_TARGET = ("payment-api", "payment/Deployment/payment-api")
_SETTLED_US = 2_000_000
_SETTLED_MAX_US = 600_000_000
_SLICE_US = 30_000_000  # how much virtual time passes between two looks at the progress
_READS = ("get", "list", "watch")
_WRITES = ("create", "patch", "delete")


def open_world(settings: Settings, workflows: Mapping[str, Workflow], seed: int, scale: int) -> World:
    """A new simulated world with ``scale`` targets, set up and ready to be asked."""
    world = SimulatedWorld(settings, workflows, seed, scale)
    world.settle()
    return world


class AuditTrail:
    """Stands in for the audit database: takes every event and keeps the counts, by type."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def record(self, event: Document) -> None:
        kind = event["event_type"]
        self.counts[kind] = self.counts.get(kind, 0) + 1


Wrap = Callable[[Cluster, Process], Cluster]
"""Puts a fault between the executor, in the given process, and its API server."""


def _as_it_is(client: Cluster, _process: Process) -> Cluster:
    return client


class SimulatedWorld:
    """Implements :class:`scenarios.world.World` and :class:`scenarios.target.Backstage`.

    ``wrap`` is applied to the client of every process of the executor, the restarted ones too; ``wrap_orchestrator``
    to those of the orchestrator. ``without`` names parts of :mod:`scenarios.parts` that somebody else plays.
    ``epoch`` is the time of day at which the world begins. ``managed_fields`` makes the API server keep them.
    ``serving`` is for strangers: it keeps containers running that are always restarted, and there are webhooks outside.
    ``workloads`` are run by their controllers.
    """

    backend = "sim"

    def __init__(
        self,
        settings: Settings,
        workflows: Mapping[str, Workflow],
        seed: int,
        scale: int,
        *,
        wrap: Wrap = _as_it_is,
        wrap_orchestrator: Wrap = _as_it_is,
        without: frozenset[str] = frozenset(),
        epoch: datetime = EPOCH,
        managed_fields: bool = False,
        serving: bool = False,
        workloads: bool = False,
    ) -> None:
        self._settings = settings
        self._without = without
        self._wrap_orchestrator = wrap_orchestrator
        self._wrap = wrap
        self.patience_s: float = settings.patience
        self.streams = Streams(seed)
        ties = self.streams("ties") if settings.ties == "shuffled" else None
        self.loop = Loop(ties=ties)  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
        self.clock = Clock(self.loop, epoch=epoch)
        self.server = _server(settings, self.loop, self.streams, self.clock, managed_fields)
        self.server.webhooks.has_outside = serving
        if parts.COLLECTOR in without:
            self.server.collector.pause()
        self.cluster = self.server.client(ADMIN, component="user")
        self.workflows = workflows
        self.audit = AuditTrail()
        self.cast = Cast(workflows, settings.durations, self.streams("steps"))
        self.chronicle = Chronicle(lambda: self.loop.now_us)
        manifests.apply_all(self.server)
        performer = Serving(self.cast) if serving else self.cast
        self.models = cluster.build(
            self.server, self.loop, self.streams, self.clock, _cluster_options(settings, self.workflows), performer
        )
        self.models.start(scheduler=parts.SCHEDULER not in without, kubelets=parts.KUBELET not in without)
        if workloads:
            controllers.start(self.server, self.loop, self.streams, self.clock)
        self.tekton = tekton.install(
            self.server, self.loop, self.streams, self.clock, settings.tekton.options(), _bundles(self.workflows)
        )
        self.remediations = Remediations(lambda: self.loop.now_us, self.chronicle.wake)
        self.invariants = Invariants(self.clock.utcnow, settings.orchestrator.cooldown)
        self._orchestration: Orchestration | None = None
        self._remediations_watched = False
        self.incidents = Incidents(self.loop, self.tekton, settings.tekton, self.streams("tekton.incidents"))
        for resource, observer in self.chronicle.observers:
            self.server.observe(observer, resource)
        if parts.TEKTON in without:
            self.tekton.kill()
        others = target_names(self.streams("names"), scale) if scale > 1 else []
        named = [FIRST_TARGET, *others][:scale]
        self.targets = [self._target(name, resource) for name, resource in named]
        self._ticks: list[Callable[[World], None]] = []
        self._replies = LostReply(self.server.client(CONTROLLER, component=CONTROLLER_NAME))
        self._process = self.loop.process(CONTROLLER_NAME) if parts.EXECUTOR in without else self._start_controller()

    def settle(self) -> None:
        """Let every process start: Tekton's resolvers fail requests that they meet while they do."""
        self.loop.run_until(_SETTLED_US)
        if parts.TEKTON in self._without:
            return
        if not self.tekton.synced and not self.loop.run_until(_SETTLED_MAX_US, until=lambda: self.tekton.synced):
            limit = format_us(_SETTLED_MAX_US)
            raise BadInput("settings", f"Tekton has not started after {limit}", "a shorter api.read or api.watchLag")
        self.incidents.schedule(self._settings.tekton.incidents)

    def _start_controller(self) -> Process:
        process = self.loop.process(CONTROLLER_NAME)
        settings = self._settings.executor
        manager = executor(
            self._wrap(self._replies, process),
            self.models.log_reader(CONTROLLER, CONTROLLER_NAME),
            self.audit,
            self.clock,
            ExecutorSettings(cooldown_s=settings.cooldown, workers=settings.workers),
            random=self.streams("executor"),
        )
        process.start(manager.run())
        return process

    @property
    def orchestration(self) -> Orchestration:
        """Started by whoever asks first: a story without remediations has no orchestrator."""
        if self._orchestration is None:
            self.watch_remediations()
            settings = self._settings
            self._orchestration = Orchestration(
                self.server,
                self.loop,
                self.clock,
                self.streams,
                self.audit,
                self.workflows,
                settings.orchestrator,
                (settings.analyst, settings.approver, settings.reviewer),
                self._wrap_orchestrator,
            )
        return self._orchestration

    def watch_remediations(self) -> None:
        """Take note of remediations from now on."""
        if not self._remediations_watched:
            self._remediations_watched = True
            for resource, observer in (*self.remediations.observers, *self.invariants.observers):
                self.server.observe(observer, resource)

    def crash_controller(self) -> None:
        """Kill the executor's process, without warning; a new one starts after the restart delay."""
        self._process.kill()
        self.loop.after(round(self._settings.executor.restart * 1_000_000), self._restart_controller)

    def _restart_controller(self) -> None:
        self._process = self._start_controller()

    async def crash_and_restart_controller(self) -> None:
        self.crash_controller()
        await asyncio.sleep(self._settings.executor.restart)

    def crash_orchestrator(self) -> None:
        """Kill every orchestrator, without warning; new ones start after the restart delay."""
        self.orchestration.crash()

    async def crash_and_restart_orchestrator(self) -> None:
        self.crash_orchestrator()
        await asyncio.sleep(self.orchestration.restart_s)

    async def split_brain(self) -> None:
        self.orchestration.join()

    async def let_signals_wait(self) -> None:
        self.orchestration.let_wait()

    def recall_legacy(self, count: int) -> None:
        if count:
            self.watch_remediations()
            legacy.leave(self.server, self.clock, self.targets, next(iter(self.workflows.values())), count)

    def stop_controllers(self) -> None:
        """Leave the API server to the caller alone."""
        self._process.kill()
        self.tekton.kill()
        if self._orchestration is not None:
            self._orchestration.stop()

    async def forbid(self, account: str, action: str) -> None:
        await permissions.forbid(self.cluster, account, action)

    async def leave_no_room(self, what: str) -> None:
        await hazards.leave_no_room(self.cluster, what)

    async def make_room(self) -> None:
        await hazards.make_room(self.cluster)

    async def silence_registry(self) -> None:
        self.tekton.bundles.trouble("", "silent")

    async def heal_registry(self) -> None:
        self.tekton.bundles.heal("")

    async def stop_resolvers(self) -> None:
        self.tekton.stop(tekton.RESOLVERS)

    async def start_resolvers(self) -> None:
        self.tekton.start(tekton.RESOLVERS)

    async def befall_tekton(self, what: TektonProcess, kind: Mishap, lasting_s: float) -> None:
        self.incidents.befall(what, kind, round(lasting_s * 1_000_000))

    def trouble(self, subject: str, step: str, trouble: str) -> None:
        self.cast.trouble(subject, step, trouble)

    def lose_next_reply(self, pipeline_run: str) -> None:
        self._replies.lose_next_creation(PIPELINE_RUNS, pipeline_run)

    def now_us(self) -> int:
        return self.loop.now_us

    def play(self, story: Awaitable[None]) -> None:
        played = self.loop.create_task(_finished(story), name="story")
        with garbage.tuned():
            while not self.loop.run_until(self.loop.now_us + _SLICE_US, until=played.done):
                for tick in self._ticks:
                    tick(self)
                if math.isinf(self.loop.env.peek()):
                    raise Stalled(self.loop.explain_stall())
        played.result()
        self.server.verify()
        self.invariants.verify()

    def on_progress(self, tick: Callable[[World], None]) -> None:
        self._ticks.append(tick)

    def statistic(self, statistic: str, timing: str) -> tuple[float, int]:
        try:
            which = timings.timing(timing)
            values = timings.seconds(which, self.remediations if which.subject == "remediation" else self.chronicle)
            value = statistics.statistic(statistic, values)
        except ValueError as error:
            raise BadInput("step", str(error)) from None
        return (value or 0.0), len(values)

    def api_calls(self) -> list[ApiCalls]:
        return [
            ApiCalls(component, verb, resource, counted.count, dict(counted.errors))
            for (component, verb, resource), counted in sorted(self.server.calls.items())
            if counted.count
        ]

    def settings(self) -> dict[str, Any]:
        return described(self._settings)

    def events_processed(self) -> int:
        return self.loop.events

    def close(self) -> None:
        self._process.kill()
        self.loop.close()

    def add_target(self, resource: str) -> Target:
        target = self._target(f"target-{len(self.targets) + 1}", resource)
        self.targets.append(target)
        return target

    def _target(self, name: str, resource: str) -> Target:
        namespace, _, rest = resource.partition("/")
        kind, _, workload = rest.partition("/")
        if kind in WORKLOADS:
            manifests.ensure_namespace(self.server, namespace)
            self.server.create(ADMIN, WORKLOADS[kind], namespace, _workload(workload))
        return Target(self, name, resource)


async def _finished(story: Awaitable[None]) -> None:
    await story


def _server(settings: Settings, loop: Loop, streams: Streams, clock: Clock, managed_fields: bool) -> ApiServer:
    api = settings.api
    verbs = {**dict.fromkeys(_READS, api.read), **dict.fromkeys(_WRITES, api.write), "update": api.update}
    return ApiServer(
        loop,
        streams,
        clock,
        latency=Latency(verbs=verbs, request_share=api.request_share),
        watch_lag=api.watch_lag,
        guard=settings.guard,
        managed_fields=managed_fields,
    )


def _workload(name: str) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "app", "image": f"registry.local/{name}:1.0", "resources": {"limits": {"memory": "1Gi"}}}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _cluster_options(settings: Settings, catalogue: Mapping[str, Workflow]) -> ClusterOptions:
    chosen = settings.cluster
    images = {step.image: CACHED for workflow in catalogue.values() for task in workflow.tasks for step in task.steps}
    return ClusterOptions(
        pools=(NodePool(count=chosen.nodes, cpu=chosen.cpu, memory=chosen.memory),), images=Catalogue(images)
    )


def _bundles(catalogue: Mapping[str, Workflow]) -> BundleCatalogue:
    bundles = BundleCatalogue()
    for workflow in catalogue.values():
        bundles.add(workflow.image, workflow.pipeline())
    return bundles
