"""Puts the orchestrator together: reflectors, reconciler, workers."""

from random import Random

from prometheus_client import CollectorRegistry

from controller.api.remediationrequest import Phase
from controller.api.resources import AI_ANALYSES, PIPELINE_RUNS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.api.tekton import is_finished
from controller.orchestrator.desk import Desk
from controller.orchestrator.labels import owning_request
from controller.orchestrator.metrics import OrchestratorMetrics
from controller.orchestrator.reconcile import Orchestrator
from controller.orchestrator.settings import Settings
from controller.orchestrator.view import DUPLICATE_OF, View, is_active, phase_of, requests_cache, stands_for_others
from controller.ports import AuditSink, Clock, Cluster, Document, Recorder
from controller.runtime.backoff import ItemBackoff
from controller.runtime.cache import Key, key_of
from controller.runtime.controller import Controller, Hooks
from controller.runtime.events import EventRecorder
from controller.runtime.manager import Manager
from controller.runtime.queue import WorkQueue
from controller.runtime.reflector import Reflector

NAME = "remediation-orchestrator"
_UNDER_WAY = ("Pending", "Running")
_TELLING = ("annotations", "deletionTimestamp", "ownerReferences")
_NONE: Document = {}


def orchestrator(
    cluster: Cluster,
    audit: AuditSink,
    clock: Clock,
    settings: Settings,
    *,
    random: Random,
    registry: CollectorRegistry | None = None,
    recorder: Recorder | None = None,
    hooks: Hooks | None = None,
) -> Manager:
    """The orchestrator as one process. ``random`` draws back-off jitter and watch timeouts; ``registry`` takes the
    metrics; without ``recorder`` events go to the cluster."""
    requests = Reflector(cluster, REMEDIATION_REQUESTS, random, cache=requests_cache())
    executions = Reflector(cluster, WORKFLOW_EXECUTIONS, random)
    analyses = Reflector(cluster, AI_ANALYSES, random)
    runs = Reflector(cluster, PIPELINE_RUNS, random, namespace=settings.execution_namespace)
    background = []
    if recorder is None:
        recorder = events = EventRecorder(cluster, clock, NAME)
        background.append(events.run)
    view = View(requests.cache, executions.cache, analyses.cache, runs.cache, settings.execution_namespace)
    metrics = OrchestratorMetrics(registry if registry is not None else CollectorRegistry())
    reconciler = Orchestrator(
        Desk(
            cluster=cluster,
            audit=audit,
            clock=clock,
            events=recorder,
            metrics=metrics,
            settings=settings,
            random=random,
            view=view,
        )
    )
    queue: WorkQueue[Key] = WorkQueue(ItemBackoff(cap_s=settings.poll_s))  # an outage must not outlast itself for long
    controller = Controller(NAME, reconciler.reconcile, workers=settings.workers, queue=queue, hooks=hooks or Hooks())
    _count(metrics, requests)
    _listen(controller, reconciler, view, requests, executions, analyses)
    _listen_for_release(controller, view, runs)
    return Manager([requests, executions, analyses, runs], [controller], background=background)


def _count(metrics: OrchestratorMetrics, requests: Reflector) -> None:
    """What stands in the cluster, not what this process has done: a restart changes nothing."""

    def request_changed(before: Document | None, after: Document | None) -> None:
        was = before is not None and phase_of(before) == Phase.BLOCKED
        now = after is not None and phase_of(after) == Phase.BLOCKED
        if was != now:
            metrics.count_blocked(((after or before) or _NONE)["metadata"]["namespace"], 1 if now else -1)

    requests.add_handler(request_changed)


def _listen(
    controller: Controller[Key],
    reconciler: Orchestrator,
    view: View,
    requests: Reflector,
    executions: Reflector,
    analyses: Reflector,
) -> None:
    """Whom a change concerns: its remediation, who waits for the target, and the original of a duplicate."""
    add = controller.queue.add

    def request_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        if after is None or not reconciler.is_known(after):
            add(key_of(document))
        namespace, name = key_of(document)
        original = (document.get("status") or _NONE).get("duplicateOf")
        if original and view.requests.get(namespace, original) is not None:
            add((namespace, original))
        if before is not None and stands_for_others(before) and (after is None or not stands_for_others(after)):
            for waiting in view.requests.by_index(DUPLICATE_OF, f"{namespace}/{name}"):
                if is_active(waiting):
                    add(key_of(waiting))

    def execution_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        view.note_execution(before, after)
        if before is not None and after is not None and _goes_on(before, after):
            return
        target = document["spec"]["targetResource"]
        request = owning_request(document)
        if request is not None:
            if after is None:
                reconciler.remember_end(request, document)
            add(request)
        for waiting in view.waiting_for(target):
            add(waiting)

    def analysis_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        request = owning_request(document)
        if request is not None:
            add(request)

    requests.add_handler(request_changed)
    executions.add_handler(execution_changed)
    analyses.add_handler(analysis_changed)


def _goes_on(before: Document, after: Document) -> bool:
    """Whether an execution has only told how far it is: most of its events, and nothing follows from them."""
    was, now = before.get("status") or _NONE, after.get("status") or _NONE
    phase = now.get("phase") or "Pending"
    if phase not in _UNDER_WAY or phase != (was.get("phase") or "Pending"):
        return False
    old, new = before["metadata"], after["metadata"]
    return old["uid"] == new["uid"] and all(old.get(field) == new.get(field) for field in _TELLING)


def _listen_for_release(controller: Controller[Key], view: View, runs: Reflector) -> None:
    """Who waits for a target need not wait for the poll when its lock is given back, or not taken after all."""
    add = controller.queue.add

    def free(target: str) -> None:
        for waiting in view.waiting_for(target):
            add(waiting)

    def run_changed(before: Document | None, after: Document | None) -> None:
        if after is not None and not is_finished(after):
            return
        for waiting in view.waiting_for_lock((after or before or _NONE)["metadata"]["name"]):
            add(waiting)

    view.when_free = free
    runs.add_handler(run_changed)
