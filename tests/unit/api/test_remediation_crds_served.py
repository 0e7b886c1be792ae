"""The orchestrator's kinds on an API server: what it lets in, shows and finds."""

from collections.abc import Iterator
from typing import Any

import pytest

from controller.api import crd
from controller.api.remediationrequest import Outcome, Phase, RoutingReason
from controller.api.resources import AI_ANALYSES, NOTIFICATION_REQUESTS, REMEDIATION_REQUESTS
from controller.ports import ApiError, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

KINDS = {kind.resource.plural: kind for kind in crd.KINDS}
TARGET = {"kind": "Deployment", "name": "api", "namespace": "pay"}
SPECS: dict[Resource, dict[str, Any]] = {
    REMEDIATION_REQUESTS: {
        "signalFingerprint": "a" * 64,
        "signalName": "KubePodCrashLooping",
        "severity": "critical",
        "signalType": "prometheus-alert",
        "targetType": "kubernetes",
        "targetResource": TARGET,
    },
    AI_ANALYSES: {
        "remediationRequestRef": {"name": "rr"},
        "signalContext": {
            "fingerprint": "a" * 64,
            "signalName": "s",
            "severity": "info",
            "signalType": "t",
            "targetResource": TARGET,
        },
    },
    NOTIFICATION_REQUESTS: {
        "type": "manual-review",
        "priority": "critical",
        "channels": ["slack", "email"],
        "subject": "Manual Review Required",
        "body": "look at it",
    },
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    loop = Loop()
    made = ApiServer(loop, Streams(1), Clock(loop))
    for kind in crd.KINDS:
        made.install_crd(crd.manifest(kind))
    yield made
    loop.close()


def create(server: ApiServer, resource: Resource, name: str = "x", **spec: Any) -> Any:
    whole = {**SPECS[resource], **spec}
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name},
        "spec": {key: value for key, value in whole.items() if value is not None},
    }
    return server.create(ADMIN, resource, "default", body)


def put_status(server: ApiServer, resource: Resource, **status: Any) -> Any:
    return server.patch(ADMIN, resource, "default", "x", {"status": status}, subresource="status")


def schema(resource: Resource) -> Any:
    return crd.manifest(KINDS[resource.plural])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


@pytest.mark.parametrize(
    ("resource", "short_name", "columns"),
    [
        (REMEDIATION_REQUESTS, "rr", ["Phase", "Outcome", "Reason", "Signal", "Age"]),
        (AI_ANALYSES, "aia", ["Phase", "Workflow", "Recovery", "Age"]),
        (NOTIFICATION_REQUESTS, "nr", ["Type", "Priority", "Phase", "Age"]),
    ],
)
def test_names_and_columns(resource: Resource, short_name: str, columns: list[str]) -> None:
    spec = crd.manifest(KINDS[resource.plural])["spec"]
    assert (spec["names"]["shortNames"], spec["scope"], spec["group"]) == ([short_name], "Namespaced", "kubernaut.ai")
    version = spec["versions"][0]
    assert [column["name"] for column in version["additionalPrinterColumns"]] == columns
    assert (version["name"], version["subresources"]) == ("v1alpha1", {"status": {}})


def test_the_enums_are_those_of_the_models() -> None:
    status = schema(REMEDIATION_REQUESTS)["status"]["properties"]
    assert status["overallPhase"]["enum"] == [
        "Pending",
        "Processing",
        "Analyzing",
        "AwaitingApproval",
        "Executing",
        "Blocked",
        "Completed",
        "Failed",
        "TimedOut",
        "Skipped",
        "Cancelled",
    ]
    assert status["overallPhase"]["enum"] == [*Phase]
    assert status["skipReason"]["enum"] == status["blockReason"]["enum"] == [*RoutingReason]
    assert status["outcome"]["enum"] == [*Outcome]


@pytest.mark.parametrize("resource", SPECS, ids=lambda each: each.plural)
def test_what_is_in_order_is_let_in(server: ApiServer, resource: Resource) -> None:
    assert create(server, resource)["spec"].items() >= SPECS[resource].items()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signalFingerprint", "A" * 64),
        ("signalFingerprint", "a" * 63),
        ("signalFingerprint", "a" * 65),
        ("signalFingerprint", None),
        ("signalName", "s" * 254),
        ("severity", "Critical"),
        ("targetType", "openstack"),
        ("targetResource", None),
        ("targetResource", {"kind": "", "name": "x"}),
        ("targetResource", {"kind": "Deployment"}),
        ("targetResource", {"kind": "pay/Deployment", "name": "api"}),
        ("targetResource", {"kind": "Deployment", "name": "a/b"}),
        ("targetResource", {"kind": "Deployment", "name": "a", "namespace": "b/c"}),
    ],
)
def test_a_request_that_is_not_in_order_is_refused(server: ApiServer, field: str, value: Any) -> None:
    with pytest.raises(ApiError, match=f"spec.{field}") as refused:
        create(server, REMEDIATION_REQUESTS, **{field: value})
    assert refused.value.code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "shout"),
        ("priority", "urgent"),
        ("channels", []),
        ("channels", ["pigeon"]),
        ("subject", ""),
        ("subject", "s" * 501),
        ("body", None),
    ],
)
def test_a_message_that_is_not_in_order_is_refused(server: ApiServer, field: str, value: Any) -> None:
    with pytest.raises(ApiError, match=f"spec.{field}"):
        create(server, NOTIFICATION_REQUESTS, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("overallPhase", "Verifying"),
        ("skipReason", "ConsecutiveFailures"),
        ("outcome", "Blocked"),
        ("duplicateCount", -1),
    ],
)
def test_a_status_outside_the_enums_is_refused(server: ApiServer, field: str, value: Any) -> None:
    create(server, REMEDIATION_REQUESTS)
    with pytest.raises(ApiError, match=f"status.{field}"):
        put_status(server, REMEDIATION_REQUESTS, **{field: value})


def test_the_fingerprint_of_a_signal_is_immutable_and_the_rest_is_not(server: ApiServer) -> None:
    create(server, REMEDIATION_REQUESTS)
    with pytest.raises(ApiError, match="signalFingerprint is immutable"):
        server.patch(ADMIN, REMEDIATION_REQUESTS, "default", "x", {"spec": {"signalFingerprint": "b" * 64}})
    changed = server.patch(ADMIN, REMEDIATION_REQUESTS, "default", "x", {"spec": {"severity": "info"}})
    assert (changed["spec"]["severity"], changed["metadata"]["generation"]) == ("info", 2)


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        (AI_ANALYSES, {"isRecoveryAttempt": True}),
        (AI_ANALYSES, {"signalContext": {"severity": "critical"}}),
        (NOTIFICATION_REQUESTS, {"priority": "low"}),
        (NOTIFICATION_REQUESTS, {"channels": ["console"]}),
    ],
)
def test_questions_and_messages_are_immutable(server: ApiServer, resource: Resource, change: Any) -> None:
    create(server, resource)
    with pytest.raises(ApiError, match="spec is immutable after creation"):
        server.patch(ADMIN, resource, "default", "x", {"spec": change})


def test_a_status_is_written_beside_an_immutable_spec(server: ApiServer) -> None:
    for resource, phase in ((AI_ANALYSES, "Completed"), (NOTIFICATION_REQUESTS, "Sent")):
        create(server, resource)
        assert put_status(server, resource, phase=phase)["status"]["phase"] == phase


def test_requests_can_be_selected_by_fingerprint_and_by_nothing_else_of_the_spec(server: ApiServer) -> None:
    create(server, REMEDIATION_REQUESTS, "x")
    create(server, REMEDIATION_REQUESTS, "y", signalFingerprint="b" * 64)
    selector = f"spec.signalFingerprint={'b' * 64}"
    found = server.list(ADMIN, REMEDIATION_REQUESTS, "default", field_selector=selector)
    assert [one["metadata"]["name"] for one in found["items"]] == ["y"]
    with pytest.raises(ApiError, match="field label not supported"):
        server.list(ADMIN, REMEDIATION_REQUESTS, "default", field_selector="spec.severity=info")


def test_a_previous_execution_must_say_what_happened(server: ApiServer) -> None:
    failure = {
        "failedStepIndex": 0,
        "failedStepName": "",
        "reason": "Forbidden",
        "message": "m",
        "failedAt": "2026-01-05T08:00:00Z",
        "executionTime": "1s",
    }
    element = {
        "workflowExecutionRef": "we",
        "selectedWorkflow": {"workflowId": "w", "version": "1", "containerImage": "i", "parameters": {"A_b": "ä"}},
        "failure": failure,
        "naturalLanguageSummary": "it failed",
        "wasExecutionFailure": False,
    }
    told = create(server, AI_ANALYSES, previousExecutions=[element], recoveryAttemptNumber=1)
    assert told["spec"]["previousExecutions"] == [element]
    for broken in ({**element, "failure": {**failure, "reason": "Tired"}}, {**element, "wasExecutionFailure": None}):
        kept = {key: value for key, value in broken.items() if value is not None}
        with pytest.raises(ApiError, match=r"spec\.previousExecutions\[0\]"):
            create(server, AI_ANALYSES, "z", previousExecutions=[kept])
    with pytest.raises(ApiError, match="recoveryAttemptNumber"):
        create(server, AI_ANALYSES, "z", recoveryAttemptNumber=0)
