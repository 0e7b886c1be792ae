"""Tekton on a simulated cluster: two processes, the webhooks and the CRDs."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from controller.ports import Cluster, Document, Resource
from controller.runtime.bucket import TokenBucket
from controller.runtime.cache import Cache, Key
from controller.runtime.controller import Controller
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
from sim.tekton.taskrun import TaskRuns
from sim.tekton.tasktemplate import TaskTemplates
from sim.tekton.webhook import Webhook

CONTROLLER = "tekton-controller"
RESOLVERS = "tekton-resolvers"
_MANAGED = "app.kubernetes.io/managed-by=tekton-pipelines"
_RETRIES_QPS, _RETRIES_BURST = 10.0, 100


class Tekton:
    """One installation. ``start`` and ``stop`` are orderly, ``kill`` is a crash of both processes."""

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
        self._running: list[tuple[Process, Manager]] = []

    @property
    def synced(self) -> bool:
        """Whether both processes run with warm caches."""
        return bool(self._running) and all(manager.synced for _, manager in self._running)

    def start(self) -> None:
        """Start the processes that do not run. Must be called while the loop runs, or before."""
        if self._running:
            return
        for name, manager in ((CONTROLLER, self._controller()), (RESOLVERS, self._resolvers())):
            process = self._loop.process(name)
            process.start(manager.run())
            self._running.append((process, manager))

    def stop(self) -> None:
        """Let reconciles under way finish and start no more."""
        for _, manager in self._running:
            manager.stop()
        self._running.clear()

    def kill(self) -> None:
        """Crash: whatever is under way is never resumed; requests on their way still arrive."""
        for process, _ in self._running:
            process.kill()
        self._running.clear()

    def restart(self) -> None:
        """Crash and start anew, with cold caches."""
        self.kill()
        self.start()

    def _user(self, name: str) -> User:
        account = f"system:serviceaccount:{self.options.namespace}:tekton-pipelines-{name}"
        return User(account, ("system:masters", "system:authenticated"))

    def _reflector(self, cluster: Cluster, resource: Resource, *, label_selector: str = "") -> Reflector:
        stream = self._streams(f"tekton.reflectors.{resource.plural}")
        return Reflector(cluster, resource, stream, cache=Cache(), label_selector=label_selector)

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
            recorder=run_events,
            pipeline_runs=runs.cache,
            task_runs=tasks.cache,
            pods=pods.cache,
            requests=requests.cache,
            retry_stream=self._streams("tekton.conflicts"),
            work_stream=self._streams("tekton.work"),
        )
        remote = Remote(access)
        task_access = replace(access, recorder=task_events)
        pipeline_runs = PipelineRuns(access, remote, self._streams("tekton.dry-run-names"))
        task_runs = TaskRuns(task_access, TaskTemplates(task_access, remote))
        workers = options.threads_per_controller
        run_controller = Controller("pipelinerun", pipeline_runs.reconcile, workers=workers, queue=_queue())
        task_controller = Controller("taskrun", task_runs.reconcile, workers=workers, queue=_queue())
        request_controller = Controller(
            "resolutionrequest", ResolutionRequests(access).reconcile, workers=workers, queue=_queue()
        )
        owners = {PIPELINE_RUNS.kind: run_controller.queue.add, TASK_RUNS.kind: task_controller.queue.add}
        runs.add_handler(_own_key(run_controller.queue.add))
        tasks.add_handler(_own_key(task_controller.queue.add))
        tasks.add_handler(_owner_key({PIPELINE_RUNS.kind: owners[PIPELINE_RUNS.kind]}))
        pods.add_handler(_owner_key({TASK_RUNS.kind: owners[TASK_RUNS.kind]}))
        requests.add_handler(_own_key(request_controller.queue.add))
        requests.add_handler(_owner_key(owners))
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
        controller = Controller(
            "bundleresolver", resolver.reconcile, workers=options.threads_per_controller, queue=_queue()
        )
        requests.add_handler(_own_key(controller.queue.add))
        return Manager([requests], [controller])


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


def _queue() -> WorkQueue[Key]:
    return WorkQueue(retries_bucket=TokenBucket(_RETRIES_QPS, _RETRIES_BURST))


def _own_key(add: Callable[[Key], None]) -> Handler:
    def handle(before: Document | None, after: Document | None) -> None:
        metadata = (after or before or {})["metadata"]
        add((metadata["namespace"], metadata["name"]))

    return handle


def _owner_key(add: Mapping[str, Callable[[Key], None]]) -> Handler:
    """Queue the controlling owner, by its name: not even knative asks for its uid."""

    def handle(before: Document | None, after: Document | None) -> None:
        metadata = (after or before or {})["metadata"]
        for reference in metadata.get("ownerReferences") or ():
            if reference.get("controller"):
                queue = add.get(reference["kind"])
                if queue is not None:
                    queue((metadata["namespace"], reference["name"]))
                return

    return handle
