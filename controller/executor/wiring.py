"""Puts the executor together: reflectors, reconciler, workers."""

from random import Random

from prometheus_client import CollectorRegistry

from controller.api.resources import PIPELINE_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.desk import Desk
from controller.executor.labels import EXECUTION
from controller.executor.metrics import ExecutorMetrics
from controller.executor.reconcile import Executor
from controller.executor.settings import Settings
from controller.ports import AuditSink, Clock, Cluster, Document, LogReader, Recorder
from controller.runtime.cache import key_of
from controller.runtime.controller import Controller, Hooks
from controller.runtime.events import EventRecorder
from controller.runtime.manager import Manager
from controller.runtime.reflector import Reflector

NAME = "workflowexecution-controller"


def executor(
    cluster: Cluster,
    logs: LogReader,
    audit: AuditSink,
    clock: Clock,
    settings: Settings,
    *,
    random: Random,
    registry: CollectorRegistry | None = None,
    recorder: Recorder | None = None,
    hooks: Hooks | None = None,
) -> Manager:
    """The executor as one process. ``random`` draws back-off jitter and watch timeouts; ``registry`` takes the metrics;
    without ``recorder`` events go to the cluster."""
    executions = Reflector(cluster, WORKFLOW_EXECUTIONS, random)
    runs = Reflector(cluster, PIPELINE_RUNS, random, namespace=settings.execution_namespace, label_selector=EXECUTION)
    background = []
    if recorder is None:
        recorder = events = EventRecorder(cluster, clock, NAME)
        background.append(events.run)
    reconciler = Executor(
        Desk(
            cluster=cluster,
            logs=logs,
            audit=audit,
            clock=clock,
            events=recorder,
            metrics=ExecutorMetrics(registry if registry is not None else CollectorRegistry()),
            settings=settings,
            random=random,
            executions=executions.cache,
            runs=runs.cache,
            waiting={},
        )
    )
    controller = Controller(NAME, reconciler.reconcile, workers=settings.workers, hooks=hooks or Hooks())
    add = controller.queue.add

    def execution_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        if after is None or not reconciler.is_known(after):
            add(key_of(document))

    def run_changed(before: Document | None, after: Document | None) -> None:
        document = after if after is not None else before
        assert document is not None
        for key in reconciler.wake_for(document):
            add(key)

    executions.add_handler(execution_changed)
    runs.add_handler(run_changed)
    return Manager([executions, runs], [controller], background=background)
