"""A simulated API server, the orchestrator in a process of its own under its own RBAC; analyst, executor and Tekton are
played by hand."""

import hashlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import yaml
from prometheus_client import CollectorRegistry

from controller.api.crd import DIRECTORY
from controller.api.lock import lock_name
from controller.api.resources import (
    AI_ANALYSES,
    EVENTS,
    NOTIFICATION_REQUESTS,
    PIPELINE_RUNS,
    REMEDIATION_REQUESTS,
    WORKFLOW_EXECUTIONS,
)
from controller.executor.audit import AuditBuffer
from controller.orchestrator.settings import Settings
from controller.orchestrator.wiring import orchestrator
from controller.ports import Cluster, Document, Resource
from sim.apiserver.identity import ADMIN, service_account
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.apiserver.watch import Lag
from sim.clock import Clock
from sim.loop import Loop, Process
from sim.streams import Streams

DEPLOY = DIRECTORY.parent
SYSTEM, RUNS = "kubernaut-system", "kubernaut-workflows"
TARGET = ("payment", "Deployment", "payment-api")
TARGET_RESOURCE = "/".join(TARGET)


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


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def manifest(name: str) -> tuple[Any, ...]:
    """The documents of a file of ``deploy``, read once: nobody mutates them."""
    return tuple(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


class Stage:
    """``wrap`` puts a fault around the client of each orchestrator; ``replicas`` of them all believe that they lead."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        wrap: Callable[[Cluster, Process], Cluster] = lambda cluster, _: cluster,
        watch_lag: Lag | None = None,
        latency: Latency | None = None,
        ties: Random | None = None,
        seed: int = 1,
        replicas: int = 1,
    ) -> None:
        self.settings = settings or Settings()
        self.loop = Loop(ties=ties)
        self.streams = Streams(seed)
        self.clock = Clock(self.loop)
        self.server = ApiServer(self.loop, self.streams, self.clock, latency=latency, watch_lag=watch_lag, guard=True)
        self.audit = AuditBuffer()
        self.wrap = wrap
        self.phases: dict[str, list[str]] = {}
        self.server.observe(self._observe)
        for path in sorted((DEPLOY / "crds").glob("kubernaut.ai_*.yaml")):
            self.server.install_crd(manifest(f"crds/{path.name}")[0])
        for kind in ("PipelineRun", "TaskRun"):
            self.server.install_crd(tekton_crd(kind))
        for namespace in (SYSTEM, RUNS):
            self._create("v1", "Namespace", {"metadata": {"name": namespace}})
        for document in manifest("rbac-orchestrator.yaml"):
            self._create(document["apiVersion"], document["kind"], document)
        self.processes: list[Process] = []
        self.registry = CollectorRegistry()
        for _ in range(replicas):
            self.start()

    def _create(self, api_version: str, kind: str, document: Any) -> None:
        group = api_version.rpartition("/")[0]
        resource = self.server.resource(group, kind.lower() + "s")
        self.server.create(ADMIN, resource, document["metadata"].get("namespace", ""), document)

    def _observe(self, type_: str, resource: Any, old: Document | None, new: Document | None) -> None:
        if resource.plural == "remediationrequests" and new is not None:
            phase = (new.get("status") or {}).get("overallPhase", "")
            reached = self.phases.setdefault(new["metadata"]["name"], [])
            if phase and phase != (reached or [""])[-1]:
                reached.append(phase)

    def start(self) -> None:
        """One more process; counters start over, as they do in a pod."""
        process = self.loop.process(f"orchestrator-{len(self.processes)}")
        self.registry = CollectorRegistry()
        user = service_account(SYSTEM, "remediation-orchestrator")
        client = self.wrap(self.server.client(user, component="orchestrator"), process)
        manager = orchestrator(
            client,
            self.audit,
            self.clock,
            self.settings,
            random=self.streams(f"orchestrator-{len(self.processes)}"),
            registry=self.registry,
        )
        process.start(manager.run())
        self.processes.append(process)

    def restart(self) -> None:
        self.processes[-1].kill()
        self.start()

    def close(self) -> None:
        self.loop.close()

    def run(self, seconds: float) -> "Stage":
        self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000))
        return self

    def until(self, holds: Callable[[], bool], seconds: float = 600.0) -> "Stage":
        assert self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000), until=holds), "it never happened"
        return self

    # people and programs around it

    def signal(
        self, name: str = "rr-1", target: tuple[str, str, str] = TARGET, about: str | None = None, **spec: Any
    ) -> "Stage":
        """A RemediationRequest; ``about`` is what its fingerprint is made of, the name if not given."""
        namespace, kind, resource_name = target
        target_resource = {"kind": kind, "name": resource_name}
        if namespace:
            target_resource["namespace"] = namespace
        body = {
            "apiVersion": "kubernaut.ai/v1alpha1",
            "kind": "RemediationRequest",
            "metadata": {"name": name, "namespace": SYSTEM},
            "spec": {
                "signalFingerprint": fingerprint(about if about is not None else name),
                "signalName": "KubePodCrashLooping",
                "severity": "critical",
                "signalType": "prometheus-alert",
                "targetType": "kubernetes",
                "targetResource": target_resource,
                **spec,
            },
        }
        self.server.create(ADMIN, REMEDIATION_REQUESTS, SYSTEM, body)
        return self

    def answer(self, name: str = "ai-rr-1", workflow: str = "restart", **status: Any) -> "Stage":
        """The analyst's answer."""
        selected = {
            "workflowId": workflow,
            "version": "1.0.0",
            "containerImage": f"reg.local/{workflow}:1",
            "confidence": 0.9,
            "rationale": "it has helped before",
            **status.pop("selected", {}),
        }
        cause = {"summary": "the process runs out of memory"}
        body = {"phase": "Completed", "selectedWorkflow": selected, "rootCauseAnalysis": cause, **status}
        return self.put_status(AI_ANALYSES, name, {key: value for key, value in body.items() if value is not None})

    def execution_ends(self, name: str = "we-rr-1", phase: str = "Completed", **details: Any) -> "Stage":
        """The executor's end of an execution; ``details`` are failureDetails."""
        status: dict[str, Any] = {"phase": phase, "completionTime": self.clock.timestamp()}
        if details:
            status["failureDetails"] = {
                "failedTaskIndex": 0,
                "failedTaskName": "apply",
                "reason": "TaskFailed",
                "message": "it failed",
                "failedAt": self.clock.timestamp(),
                "executionTimeBeforeFailure": "45s",
                "naturalLanguageSummary": "Workflow restart failed in task apply after 45s.",
                "wasExecutionFailure": False,
                **details,
            }
        return self.put_status(WORKFLOW_EXECUTIONS, name, status)

    def v31_skips(self, name: str, reason: str) -> "Stage":
        """An executor of v3.1, under its own definition of the kind, skips an execution; then the kind is upgraded."""
        path = DEPLOY / "crds" / "kubernaut.ai_workflowexecutions.yaml"
        definition = yaml.safe_load(path.read_text("utf-8"))
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
        schema["properties"]["phase"]["enum"].append("Skipped")
        schema["properties"]["skipDetails"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        definitions = self.server.resource("apiextensions.k8s.io", "customresourcedefinitions")
        crd = definition["metadata"]["name"]
        self.server.patch(ADMIN, definitions, "", crd, {"spec": definition["spec"]})
        details = {"reason": reason, "message": f"skipped: {reason}", "skippedAt": self.clock.timestamp()}
        self.put_status(WORKFLOW_EXECUTIONS, name, {"phase": "Skipped", "skipDetails": details})
        self.server.patch(ADMIN, definitions, "", crd, {"spec": yaml.safe_load(path.read_text("utf-8"))["spec"]})
        return self

    def put_status(self, resource: Resource, name: str, status: Document) -> "Stage":
        self.server.patch(ADMIN, resource, SYSTEM, name, {"status": status}, subresource="status")
        return self

    def annotate(self, resource: Resource, name: str, key: str, value: str) -> "Stage":
        self.server.patch(ADMIN, resource, SYSTEM, name, {"metadata": {"annotations": {key: value}}})
        return self

    def remedied(self, name: str = "rr-1", workflow: str = "restart", **spec: Any) -> "Stage":
        """One remediation from its signal to Completed."""
        self.signal(name, **spec).run(1).answer(f"ai-{name}", workflow).run(1).execution_ends(f"we-{name}").run(1)
        assert self.phase(name) == "Completed", self.status(name)
        return self

    def pipeline_run(self, target: str = TARGET_RESOURCE, *, finished: bool = False) -> "Stage":
        """Somebody's PipelineRun under the lock's name, labelled as an executor labels it."""
        metadata = {"name": lock_name(target), "labels": {"kubernaut.ai/workflow-execution": "we-other"}}
        body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": {}}
        self.server.create(ADMIN, PIPELINE_RUNS, RUNS, body)
        if finished:
            condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded"}
            status = {"status": {"conditions": [condition]}}
            self.server.patch(ADMIN, PIPELINE_RUNS, RUNS, lock_name(target), status, subresource="status")
        return self

    # what is seen

    def request(self, name: str = "rr-1") -> Any:
        return self.server.find(REMEDIATION_REQUESTS, SYSTEM, name)

    def status(self, name: str = "rr-1") -> Any:
        return (self.request(name) or {}).get("status") or {}

    def phase(self, name: str = "rr-1") -> str:
        return str(self.status(name).get("overallPhase", ""))

    def analysis(self, name: str = "ai-rr-1") -> Any:
        return self.server.find(AI_ANALYSES, SYSTEM, name)

    def execution(self, name: str = "we-rr-1") -> Any:
        return self.server.find(WORKFLOW_EXECUTIONS, SYSTEM, name)

    def executions(self) -> list[str]:
        return sorted(one["metadata"]["name"] for one in self.server.items(WORKFLOW_EXECUTIONS, SYSTEM))

    def notifications(self) -> list[str]:
        return sorted(one["metadata"]["name"] for one in self.server.items(NOTIFICATION_REQUESTS, SYSTEM))

    def notification(self, name: str) -> Any:
        return self.server.find(NOTIFICATION_REQUESTS, SYSTEM, name)

    def events(self, reason: str) -> list[Any]:
        return [event for event in self.server.items(EVENTS, SYSTEM) if event["reason"] == reason]

    def audited(self) -> list[str]:
        return [str(event["event_type"]) for event in self.audit.take()]
