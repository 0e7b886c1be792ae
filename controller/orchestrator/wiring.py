"""Puts the orchestrator together: reflectors, reconciler, workers."""

from random import Random

from prometheus_client import CollectorRegistry

from controller.api.resources import AI_ANALYSES, PIPELINE_RUNS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.executor.labels import EXECUTION
from controller.orchestrator.desk import Desk
from controller.orchestrator.labels import owning_request
from controller.orchestrator.metrics import OrchestratorMetrics
from controller.orchestrator.reconcile import Orchestrator
from controller.orchestrator.settings import Settings
from controller.orchestrator.view import DUPLICATE_OF, View, executions_cache, is_active, requests_cache
from controller.ports import AuditSink, Clock, Cluster, Document, Recorder
from controller.runtime.cache import key_of
from controller.runtime.controller import Controller, Hooks
from controller.runtime.events import EventRecorder
from controller.runtime.manager import Manager
from controller.runtime.reflector import Reflector

NAME = "remediation-orchestrator"
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
    executions = Reflector(cluster, WORKFLOW_EXECUTIONS, random, cache=executions_cache())
    analyses = Reflector(cluster, AI_ANALYSES, random)
    runs = Reflector(cluster, PIPELINE_RUNS, random, namespace=settings.execution_namespace, label_selector=EXECUTION)
    background = []
    if recorder is None:
        recorder = events = EventRecorder(cluster, clock, NAME)
        background.append(events.run)
    view = View(requests.cache, executions.cache, analyses.cache, runs.cache, settings.execution_namespace)
    reconciler = Orchestrator(
        Desk(
            cluster=cluster,
            audit=audit,
            clock=clock,
            events=recorder,
            metrics=OrchestratorMetrics(registry if registry is not None else CollectorRegistry()),
            settings=settings,
            random=random,
            view=view,
        )
    )
    controller = Controller(NAME, reconciler.reconcile, workers=settings.workers, hooks=hooks or Hooks())
    _listen(controller, reconciler, view, requests, executions, analyses)
    return Manager([requests, executions, analyses, runs], [controller], background=background)


def _listen(
    controller: Controller[tuple[str, str]],
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
        if before is not None and is_active(before) and (after is None or not is_active(after)):
            for waiting in view.requests.by_index(DUPLICATE_OF, f"{namespace}/{name}"):
                if is_active(waiting):
                    add(key_of(waiting))

    def execution_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        target = document["spec"]["targetResource"]
        request = owning_request(document)
        if request is not None:
            view.release(target, request)
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
