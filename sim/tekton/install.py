"""Tekton on a simulated cluster: two processes, the webhooks and the CRDs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from controller.ports import ApiError, Cluster, ConnectionLost, Document, Resource
from controller.runtime.bucket import TokenBucket
from controller.runtime.cache import Cache, Key
from controller.runtime.controller import Controller, Hooks, PermanentError, Result
from controller.runtime.events import EventRecorder
from controller.runtime.manager import Manager
from controller.runtime.queue import WorkQueue
from controller.runtime.reflector import Handler, Reflector
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop, Process
from sim.streams import Streams
from sim.tekton.access import PIPELINE_RUNS, PODS, RESOLUTION_REQUESTS, TASK_RUNS, Access
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.clientset import DryRuns, Limited, limited
from sim.tekton.crds import definitions
from sim.tekton.deadlines import Timepiece
from sim.tekton.options import TektonOptions
from sim.tekton.pipelinerun import PipelineRuns
from sim.tekton.remote import TYPE_LABEL, Remote
from sim.tekton.resolution import ResolutionRequests
from sim.tekton.resolver import BundleResolver
from sim.tekton.takeover import LEASE_US, Takeover
from sim.tekton.taskrun import TaskRuns
from sim.tekton.tasktemplate import TaskTemplates
from sim.tekton.webhook import Webhook

CONTROLLER = "tekton-controller"
RESOLVERS = "tekton-resolvers"
_PROCESSES = (CONTROLLER, RESOLVERS)
_MANAGED = "app.kubernetes.io/managed-by=tekton-pipelines"
_RETRIES_QPS, _RETRIES_BURST = 10.0, 100
_Wake = tuple[Callable[[Key], bool], Callable[[Key], None]]
"""Whether a reconcile of a key would find nothing to do (never while it is under way), and how to queue it."""


class Tekton:
    """One installation: the processes ``tekton-controller`` and ``tekton-resolvers``, and the webhooks beside them.

    ``start`` and ``stop`` are orderly, ``kill`` is a crash, after which the resolvers' leases must run out first.
    All of them take names of processes, or mean both.
    """

    def __init__(
        self,
        server: ApiServer,
        loop: Loop,
        streams: Streams,
        clock: Clock,
        options: TektonOptions,
        bundles: BundleCatalogue,
    ) -> None:
        self.options = options
        self.bundles = bundles
        self.webhook = Webhook(options)
        self._server = server
        self._loop = loop
        self._streams = streams
        self._clock = clock
        self._running: dict[str, tuple[Process, Manager]] = {}
        self._leases_free_us = 0

    @property
    def synced(self) -> bool:
        """Whether both processes run with warm caches."""
        return len(self._running) == len(_PROCESSES) and all(manager.synced for _, manager in self._running.values())

    def start(self, *names: str) -> None:
        """Start the processes that do not run: those named, or both."""
        for name in names or _PROCESSES:
            if name not in self._running:
                manager = self._controller() if name == CONTROLLER else self._resolvers()
                process = self._loop.process(name)
                process.start(manager.run())
                self._running[name] = (process, manager)

    def stop(self, *names: str) -> None:
        """Let reconciles under way finish and start no more."""
        for name in names or _PROCESSES:
            if name in self._running:
                self._running.pop(name)[1].stop()
                self._leases_free_us = 0

    def kill(self, *names: str) -> None:
        """Crash: whatever is under way is never resumed; requests on their way still arrive."""
        for name in names or _PROCESSES:
            if name in self._running:
                self._running.pop(name)[0].kill()
                if name == RESOLVERS:
                    self._leases_free_us = self._loop.now_us + LEASE_US

    def restart(self, *names: str) -> None:
        """Crash and start anew, with cold caches."""
        self.kill(*names)
        self.start(*names)

    def _user(self, name: str) -> User:
        account = f"system:serviceaccount:{self.options.namespace}:tekton-pipelines-{name}"
        return User(account, ("system:masters", "system:authenticated"))

    def _reflector(self, cluster: Cluster, resource: Resource, *, label_selector: str = "") -> Reflector:
        stream = self._streams(f"tekton.reflectors.{resource.plural}")
        return Reflector(cluster, resource, stream, cache=Cache(), label_selector=label_selector)

    def _working(self, name: str, reconcile: Callable[[Key], Awaitable[Result | None]]) -> Controller[Key]:
        queue: WorkQueue[Key] = WorkQueue(retries_bucket=TokenBucket(_RETRIES_QPS, _RETRIES_BURST))
        hooks = Hooks(on_error=self._break_on_bugs)
        return Controller(name, reconcile, workers=self.options.threads_per_controller, queue=queue, hooks=hooks)

    def _break_on_bugs(self, error: Exception) -> None:
        """A queue retries whatever a reconcile raises; a bug of the model must end the run instead."""
        if not isinstance(error, ApiError | ConnectionLost | PermanentError):
            self._loop.call_exception_handler({"exception": error})

    def _controller(self) -> Manager:
        options, server = self.options, self._server
        user = self._user("controller")
        client = server.client(user, component=CONTROLLER)
        core = limited(client, options.qps, options.burst)
        resolution = limited(client, options.qps, options.burst)
        dry_runs = DryRuns(server, user, CONTROLLER)
        tekton: Cluster = client
        dry_run = dry_runs.__call__
        if options.qps is not None:
            tekton = clientset = Limited(client, dry_runs, options.qps, options.burst)
            dry_run = clientset.dry_run
        runs = self._reflector(tekton, PIPELINE_RUNS)
        tasks = self._reflector(tekton, TASK_RUNS)
        requests = self._reflector(resolution, RESOLUTION_REQUESTS)
        pods = self._reflector(core, PODS, label_selector=_MANAGED)
        run_events = EventRecorder(core, self._clock, PIPELINE_RUNS.kind)
        task_events = EventRecorder(core, self._clock, TASK_RUNS.kind)
        access = Access(
            loop=self._loop,
            time=Timepiece(self._loop, self._clock),
            options=options,
            tekton=tekton,
            core=core,
            resolution=resolution,
            dry_run=dry_run,
            event=run_events.event,
            pipeline_runs=runs.cache,
            task_runs=tasks.cache,
            pods=pods.cache,
            requests=requests.cache,
            retry_stream=self._streams("tekton.conflicts"),
            work_stream=self._streams("tekton.work"),
        )
        remote = Remote(access)
        task_access = replace(access, event=task_events.event)
        pipeline_runs = PipelineRuns(access, remote, self._streams("tekton.dry-run-names"))
        task_runs = TaskRuns(task_access, TaskTemplates(task_access, remote))
        run_controller = self._working("pipelinerun", pipeline_runs.reconcile)
        task_controller = self._working("taskrun", task_runs.reconcile)
        request_controller = self._working("resolutionrequest", ResolutionRequests(access).reconcile)
        run = (pipeline_runs.idle, run_controller.queue.add)
        task = (task_runs.idle, task_controller.queue.add)
        request = (_never, request_controller.queue.add)
        runs.add_handler(_waking(run, {}))
        tasks.add_handler(_waking(task, {PIPELINE_RUNS.kind: run}))
        pods.add_handler(_waking(None, {TASK_RUNS.kind: task}))
        requests.add_handler(_waking(request, {PIPELINE_RUNS.kind: run, TASK_RUNS.kind: task}))
        return Manager(
            [runs, tasks, requests, pods],
            [run_controller, task_controller, request_controller],
            background=[run_events.run, task_events.run],
        )

    def _resolvers(self) -> Manager:
        options = self.options
        client = self._server.client(self._user("resolvers"), component=RESOLVERS)
        cluster = limited(client, options.resolvers_qps, options.resolvers_burst)
        requests = self._reflector(cluster, RESOLUTION_REQUESTS, label_selector=f"{TYPE_LABEL}=bundles")
        resolver = BundleResolver(
            self._loop,
            Timepiece(self._loop, self._clock),
            options,
            cluster,
            requests.cache,
            self.bundles,
            self._streams("tekton.bundles"),
        )
        controller = self._working("bundleresolver", resolver.reconcile)
        takeover = Takeover(
            self._loop,
            self._streams("tekton.leases"),
            self._leases_free_us,
            requests.cache,
            resolver,
            controller.queue.add,
        )
        requests.add_handler(_waking((_never, takeover.wake), {}))
        return Manager([requests], [controller], background=[takeover.run])


def install(
    server: ApiServer,
    loop: Loop,
    streams: Streams,
    clock: Clock,
    options: TektonOptions,
    bundles: BundleCatalogue,
) -> Tekton:
    """Serve Tekton's resources, register its webhooks and start its processes."""
    for definition in definitions():
        server.install_crd(definition)
    tekton = Tekton(server, loop, streams, clock, options, bundles)
    tekton.webhook.register(server.admission)
    tekton.start()
    return tekton


def _waking(own: _Wake | None, owners: Mapping[str, _Wake]) -> Handler:
    """Queue an object of ours, then its controlling owner, by its name: not even knative asks for its uid."""

    def handle(before: Document | None, after: Document | None) -> None:
        metadata = (after or before or {})["metadata"]
        namespace = metadata["namespace"]
        if own is not None:
            key = (namespace, metadata["name"])
            if not own[0](key):
                own[1](key)
        if not owners:
            return
        for reference in metadata.get("ownerReferences") or ():
            if reference.get("controller"):
                wake = owners.get(reference["kind"])
                if wake is not None:
                    key = (namespace, reference["name"])
                    if not wake[0](key):
                        wake[1](key)
                return

    return handle


def _never(_key: Key) -> bool:
    return False
