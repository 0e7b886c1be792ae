"""The process ``tekton-controller``: PipelineRuns, TaskRuns and ResolutionRequests."""

from dataclasses import replace

from controller.ports import Cluster
from controller.runtime.events import EventRecorder
from controller.runtime.manager import Manager
from controller.runtime.reflector import Reflector
from sim.loop import Process
from sim.tekton.access import LIMIT_RANGES, PIPELINE_RUNS, PODS, RESOLUTION_REQUESTS, TASK_RUNS, Access
from sim.tekton.candidacy import Candidacy, standing
from sim.tekton.clientset import DryRuns, Limited, limited
from sim.tekton.deadlines import Timepiece
from sim.tekton.locks import LeaseLock
from sim.tekton.options import CONTROLLER
from sim.tekton.pipelinerun import PipelineRuns
from sim.tekton.process import Replica
from sim.tekton.remote import Remote
from sim.tekton.resolution import ResolutionRequests
from sim.tekton.setting import Setting
from sim.tekton.taskrun import TaskRuns
from sim.tekton.tasktemplate import TaskTemplates
from sim.tekton.waking import never, waking

_MANAGED = "app.kubernetes.io/managed-by=tekton-pipelines"
_LEASE = "tekton-pipelines-controller.github.com.tektoncd.pipeline.pkg.reconciler.{}.reconciler"


def build(setting: Setting, process: Process, identity: str) -> Replica:
    """One replica; it elects leaders only where the installation does."""
    options, server, streams, clock = setting.options, setting.server, setting.streams, setting.clock
    user = setting.user("controller")
    client = server.client(user, component=CONTROLLER, manager="controller")
    core = limited(client, options.qps, options.burst)
    resolution = limited(client, options.qps, options.burst)
    dry_runs = DryRuns(server, user, CONTROLLER)
    tekton: Cluster = client
    dry_run = dry_runs.__call__
    if options.qps is not None:
        tekton = clientset = Limited(client, dry_runs, options.qps, options.burst)
        dry_run = clientset.dry_run
    runs = setting.reflector(tekton, PIPELINE_RUNS)
    tasks = setting.reflector(tekton, TASK_RUNS)
    requests = setting.reflector(resolution, RESOLUTION_REQUESTS)
    pods = setting.reflector(core, PODS, label_selector=_MANAGED)
    ranges = setting.reflector(core, LIMIT_RANGES)
    run_events = EventRecorder(core, clock, PIPELINE_RUNS.kind)
    task_events = EventRecorder(core, clock, TASK_RUNS.kind)
    access = Access(
        loop=setting.loop,
        time=Timepiece(setting.loop, clock),
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
        retry_stream=streams("tekton.conflicts"),
        work_stream=streams("tekton.work"),
        limit_ranges=ranges.cache,
    )
    remote = Remote(access)
    task_access = replace(access, event=task_events.event)
    pipeline_runs = PipelineRuns(access, remote, streams("tekton.dry-run-names"))
    task_runs = TaskRuns(task_access, TaskTemplates(task_access, remote))
    reflectors = [runs, tasks, requests, pods, ranges]
    standings = _candidacies(setting, core, identity, reflectors) if options.high_availability else {}
    run_controller = setting.controller("pipelinerun", pipeline_runs.reconcile, standings.get("pipelinerun"))
    task_controller = setting.controller("taskrun", task_runs.reconcile, standings.get("taskrun"))
    request_controller = setting.controller(
        "resolutionrequest", ResolutionRequests(access).reconcile, standings.get("resolutionrequest")
    )
    run = (pipeline_runs.idle, run_controller.queue.add)
    task = (task_runs.idle, task_controller.queue.add)
    request = (never, request_controller.queue.add)
    runs.add_handler(waking(run, {}))
    tasks.add_handler(waking(task, {PIPELINE_RUNS.kind: run}))
    pods.add_handler(waking(None, {TASK_RUNS.kind: task}))
    requests.add_handler(waking(request, {PIPELINE_RUNS.kind: run, TASK_RUNS.kind: task}))
    manager = Manager(
        reflectors,
        [run_controller, task_controller, request_controller],
        background=[run_events.run, task_events.run],
    )
    if not standings:
        return Replica(process, manager)
    candidacies = list(standings.values())
    return Replica(
        process,
        manager,
        [elector for one in candidacies for elector in one.electors],
        [one.leadership for one in candidacies],
        standing(setting.loop, candidacies, reflectors, lambda: 0),
    )


def _candidacies(setting: Setting, core: Cluster, identity: str, reflectors: list[Reflector]) -> dict[str, Candidacy]:
    options, stream = setting.options, setting.streams("tekton.leases")

    def lock(name: str) -> LeaseLock:
        return LeaseLock(core, setting.clock, options.namespace, name, identity, options.election.lease_us)

    runs, tasks, requests, *_ = reflectors
    caches = {"taskrun": tasks.cache, "pipelinerun": runs.cache, "resolutionrequest": requests.cache}
    return {
        name: Candidacy(setting.loop, options.election, _LEASE.format(name), lock, cache, stream)
        for name, cache in caches.items()
    }
