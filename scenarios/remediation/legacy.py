"""What version 3.1 left behind: remediations under way whose executions its executor skipped, by its own table."""

from collections.abc import Sequence
from typing import Any

from controller.api.crd import KINDS, manifest
from controller.api.resources import REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import child_metadata, execution_name
from scenarios.remediation import signals
from scenarios.target import NAMESPACE, Target
from scenarios.workflows import Workflow
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock

REASONS = ("ResourceBusy", "RecentlyRemediated", "ExhaustedRetries", "PreviousExecutionFailed")
"""``status.skipDetails.reason`` of version 3.1."""
_DEFINITIONS = "customresourcedefinitions"


def leave(server: ApiServer, clock: Clock, targets: Sequence[Target], workflow: Workflow, count: int) -> None:
    """``count`` of them, over the targets in turn, written under the old definition; then the kind is upgraded."""
    current = next(manifest(kind) for kind in KINDS if kind.resource == WORKFLOW_EXECUTIONS)
    definitions = server.resource("apiextensions.k8s.io", _DEFINITIONS)
    name = current["metadata"]["name"]
    server.patch(ADMIN, definitions, "", name, {"spec": _with_skipped(current["spec"])})
    for number in range(count):
        _one(server, clock, targets[number % len(targets)], workflow, number)
    server.patch(ADMIN, definitions, "", name, {"spec": current["spec"]})


def _with_skipped(spec: dict[str, Any]) -> dict[str, Any]:
    """The definition as version 3.1 had it, as far as it matters here: phase Skipped, and why."""
    (version,) = spec["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    status = schema["properties"]["status"]
    phase = status["properties"]["phase"]
    properties = {
        **status["properties"],
        "phase": {**phase, "enum": [*phase["enum"], "Skipped"]},
        "skipDetails": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    old = {**schema, "properties": {**schema["properties"], "status": {**status, "properties": properties}}}
    return {**spec, "versions": [{**version, "schema": {"openAPIV3Schema": old}}]}


def _one(server: ApiServer, clock: Clock, target: Target, workflow: Workflow, number: int) -> None:
    which, now, reason = f"legacy-{number:04d}", clock.timestamp(), REASONS[number % len(REASONS)]
    name = signals.name_of(target, which)
    request = server.create(ADMIN, REMEDIATION_REQUESTS, NAMESPACE, signals.body(name, target.resource, which))
    body = workflow.execution(execution_name(name, 0), NAMESPACE, target.resource)
    body["metadata"] = child_metadata(request, body["metadata"]["name"], "workflow-execution")
    execution = server.create(ADMIN, WORKFLOW_EXECUTIONS, NAMESPACE, body)
    details = {"reason": reason, "message": f"version 3.1 skipped it: {reason}", "skippedAt": now}
    status = {"phase": "Skipped", "completionTime": now, "skipDetails": details}
    server.patch(
        ADMIN, WORKFLOW_EXECUTIONS, NAMESPACE, execution["metadata"]["name"], {"status": status}, subresource="status"
    )
    metadata = execution["metadata"]
    reference = {"kind": "WorkflowExecution", "name": metadata["name"], "uid": metadata["uid"]}
    reached = {
        "overallPhase": "Executing",
        "startTime": now,
        "executingStartTime": now,
        "workflowExecutionRef": reference,
        "message": "Executing under version 3.1",
    }
    server.patch(ADMIN, REMEDIATION_REQUESTS, NAMESPACE, name, {"status": reached}, subresource="status")
