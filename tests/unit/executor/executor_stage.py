"""A simulated API server, the executor in a process of its own under its own RBAC, and Tekton played by hand."""

from collections.abc import Callable
from random import Random
from typing import Any

import yaml
from prometheus_client import CollectorRegistry

from controller.api.crd import DIRECTORY
from controller.api.lock import lock_name
from controller.api.resources import EVENTS, PIPELINE_RUNS, TASK_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.audit import AuditBuffer
from controller.executor.settings import Settings
from controller.executor.wiring import executor
from controller.ports import Cluster, Document, Resource
from sim.apiserver.identity import ADMIN, service_account
from sim.apiserver.server import ApiServer
from sim.apiserver.watch import Lag
from sim.clock import Clock
from sim.loop import Loop, Process
from sim.streams import Streams

DEPLOY = DIRECTORY.parent
SYSTEM, RUNS = "kubernaut-system", "kubernaut-workflows"
TARGET = "payment/deployment/payment-api"
LOCK = lock_name(TARGET)


def tekton_crd(kind: str) -> dict[str, Any]:
    plural = kind.lower() + "s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "metadata": {"name": f"{plural}.tekton.dev"},
        "spec": {
            "group": "tekton.dev",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


class Logs:
    """Every container has the same log."""

    def __init__(self) -> None:
        self.text = ""

    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        return self.text


class Stage:
    """``wrap`` puts a fault around the executor's client; ``calls`` are the executor's own, events left out."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        wrap: Callable[[Cluster, Process], Cluster] = lambda cluster, _: cluster,
        watch_lag: Lag | None = None,
        audit: Any = None,
        ties: Random | None = None,
        seed: int = 1,
    ) -> None:
        self.settings = settings or Settings()
        self.loop = Loop(ties=ties)
        self.streams = Streams(seed)
        self.clock = Clock(self.loop)
        self.server = ApiServer(self.loop, self.streams, self.clock, watch_lag=watch_lag, guard=True)
        self.audit = audit or AuditBuffer()
        self.logs = Logs()
        self.wrap = wrap
        self.created: list[str] = []
        self.phases: list[str] = []
        self.server.observe(self._observe)
        for path in sorted((DEPLOY / "crds").glob("kubernaut.ai_workflowexecutions.yaml")):
            self.server.install_crd(yaml.safe_load(path.read_text("utf-8")))
        for kind in ("PipelineRun", "TaskRun"):
            self.server.install_crd(tekton_crd(kind))
        for namespace in (SYSTEM, RUNS):
            self._create("v1", "Namespace", {"metadata": {"name": namespace}})
        for document in yaml.safe_load_all((DEPLOY / "rbac-executor.yaml").read_text("utf-8")):
            self._create(document["apiVersion"], document["kind"], document)
        self.start()

    def _create(self, api_version: str, kind: str, document: Any) -> None:
        group = api_version.rpartition("/")[0]
        plural = kind.lower() + "s"
        resource = self.server.resource(group, plural)
        self.server.create(ADMIN, resource, document["metadata"].get("namespace", ""), document)

    def _observe(self, type_: str, resource: Any, old: Document | None, new: Document | None) -> None:
        if resource.plural == "pipelineruns" and type_ == "ADDED" and new is not None:
            self.created.append(new["metadata"]["uid"])
        if resource.plural == "workflowexecutions" and new is not None:
            phase = (new.get("status") or {}).get("phase", "")
            if phase and phase != (self.phases or [""])[-1]:
                self.phases.append(phase)

    def start(self) -> None:
        """A new process, whatever became of the last; counters start over, as they do in a pod."""
        self.process = self.loop.process("executor")
        self.registry = CollectorRegistry()
        user = service_account(SYSTEM, "workflowexecution-controller")
        client = self.wrap(self.server.client(user, component="executor"), self.process)
        manager = executor(
            client,
            self.logs,
            self.audit,
            self.clock,
            self.settings,
            random=self.streams("executor"),
            registry=self.registry,
        )
        self.process.start(manager.run())

    def restart(self) -> None:
        self.process.kill()
        self.start()

    def close(self) -> None:
        self.loop.close()

    def run(self, seconds: float) -> "Stage":
        self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000))
        return self

    def until(self, holds: Callable[[], bool], seconds: float = 600.0) -> "Stage":
        assert self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000), until=holds), "it never happened"
        return self

    def request(self, name: str = "we-1", target: str = TARGET, **spec: Any) -> "Stage":
        body = {
            "apiVersion": "kubernaut.ai/v1alpha1",
            "kind": "WorkflowExecution",
            "metadata": {"name": name, "namespace": SYSTEM},
            "spec": {
                "remediationRequestRef": {"name": "rr-1"},
                "workflowRef": {"workflowId": "restart", "version": "1.0.0", "containerImage": "reg.local/wf:1"},
                "targetResource": target,
                **spec,
            },
        }
        self.server.create(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, body)
        return self

    def withdraw(self, name: str = "we-1") -> "Stage":
        self.server.delete(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, name)
        return self

    def execution(self, name: str = "we-1") -> Any:
        return self.server.find(WORKFLOW_EXECUTIONS, SYSTEM, name)

    def status(self, name: str = "we-1") -> Any:
        return (self.execution(name) or {}).get("status") or {}

    def phase(self, name: str = "we-1") -> str:
        return str(self.status(name).get("phase", ""))

    def condition(self, type_: str, name: str = "we-1") -> Any:
        return next((each for each in self.status(name).get("conditions", ()) if each["type"] == type_), None)

    def pipeline_run(self, name: str = LOCK) -> Any:
        return self.server.find(PIPELINE_RUNS, RUNS, name)

    def report(self, status: str, reason: str, message: str, *, run: str = LOCK, **more: Any) -> "Stage":
        """Write the PipelineRun's status as Tekton would."""
        condition = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
        body = {"status": {"conditions": [condition], **more}}
        if status != "Unknown":
            body["status"]["completionTime"] = self.clock.timestamp()
        self.server.patch(ADMIN, PIPELINE_RUNS, RUNS, run, body, subresource="status")
        return self

    def progress(self, done: int, total: int) -> "Stage":
        message = f"Tasks Completed: {done} (Failed: 0, Cancelled 0), Incomplete: {total - done}, Skipped: 0"
        children = [self.child(f"t{number}") for number in range(min(done + 1, total))]
        tasks = {"tasks": [{"name": f"t{number}"} for number in range(total)]}
        return self.report("Unknown", "Running", message, childReferences=children, pipelineSpec=tasks)

    def succeed(self, total: int = 1, run: str = LOCK) -> "Stage":
        message = f"Tasks Completed: {total} (Failed: 0, Cancelled 0), Skipped: 0"
        return self.report("True", "Succeeded", message, run=run)

    def child(self, task: str) -> dict[str, str]:
        return {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": f"{LOCK}-{task}", "pipelineTaskName": task}

    def fail(self, task: str = "apply", exit_code: int = 1) -> "Stage":
        """The only task's step exits non-zero."""
        self.task_run(task, "False", "StepFailed", f'"step-a" exited with code {exit_code}: Error', exit_code)
        message = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0"
        return self.report("False", "Failed", message, childReferences=[self.child(task)])

    def put(self, resource: Resource, name: str, **parts: Any) -> Document:
        """Create an object of Tekton's in the execution namespace; ``metadata`` is put beside its name."""
        metadata = {"name": name, **parts.pop("metadata", {})}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": {}, **parts}
        return self.server.create(ADMIN, resource, RUNS, body)

    def task_run(self, task: str, status: str, reason: str, message: str, exit_code: int) -> None:
        name = f"{LOCK}-{task}"
        owner = self.pipeline_run()["metadata"]
        reference = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "name": owner["name"],
            "uid": owner["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        self.put(TASK_RUNS, name, metadata={"ownerReferences": [reference]})
        ended = {"exitCode": exit_code, "reason": "Error", "startedAt": self.clock.timestamp()}
        step = {"name": "a", "container": "step-a", "imageID": "reg.local/x@sha256:aaaa", "terminated": ended}
        condition = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
        body = {"status": {"conditions": [condition], "podName": f"{name}-pod", "steps": [step]}}
        self.server.patch(ADMIN, TASK_RUNS, RUNS, name, body, subresource="status")

    def events(self, reason: str) -> list[Any]:
        return [event for event in self.server.items(EVENTS, SYSTEM) if event["reason"] == reason]

    def audited(self) -> list[str]:
        return [str(event["event_type"]) for event in self.audit.take()]

    def calls(self) -> dict[str, int]:
        """The executor's calls by ``verb resource``, reflectors and events left out."""
        return {
            f"{verb} {resource}": count.count
            for (component, verb, resource), count in self.server.calls.items()
            if component == "executor" and verb not in ("list", "watch") and not resource.startswith("events")
        }

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"workflowexecution_reconciler_{name}", labels) or 0.0
