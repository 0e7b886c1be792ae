"""The CRD on an API server: what it lets in."""

from collections.abc import Iterator
from typing import Any

import pytest

from controller.api import crd
from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams


@pytest.fixture
def server() -> Iterator[ApiServer]:
    loop = Loop()
    made = ApiServer(loop, Streams(1), Clock(loop))
    made.install_crd(crd.manifest(crd.KINDS[0]))
    yield made
    loop.close()


def body(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubernaut.ai/v1alpha1",
        "kind": "WorkflowExecution",
        "metadata": {"name": "we-1", "namespace": "default"},
        "spec": {
            "remediationRequestRef": {"name": "rr"},
            "workflowRef": {"workflowId": "w", "version": "1", "containerImage": "i"},
            "targetResource": "node/n",
            **spec,
        },
    }


def test_the_spec_cannot_be_changed_after_creation(server: ApiServer) -> None:
    server.create(ADMIN, WORKFLOW_EXECUTIONS, "default", body())
    with pytest.raises(ApiError, match="spec is immutable after creation"):
        server.patch(ADMIN, WORKFLOW_EXECUTIONS, "default", "we-1", {"spec": {"targetResource": "node/m"}})


def test_a_reason_outside_the_enum_is_refused(server: ApiServer) -> None:
    server.create(ADMIN, WORKFLOW_EXECUTIONS, "default", body())
    details = {
        "failedTaskIndex": 0,
        "failedTaskName": "",
        "reason": "RaceConditionError",
        "message": "",
        "failedAt": "2026-01-05T08:00:00Z",
        "executionTimeBeforeFailure": "0s",
        "naturalLanguageSummary": "",
        "wasExecutionFailure": False,
    }
    patch = {"status": {"phase": "Failed", "failureDetails": details}}
    with pytest.raises(ApiError, match="Unsupported value"):
        server.patch(ADMIN, WORKFLOW_EXECUTIONS, "default", "we-1", patch, subresource="status")
    details["reason"] = "ExecutionRaceCondition"
    server.patch(ADMIN, WORKFLOW_EXECUTIONS, "default", "we-1", patch, subresource="status")


@pytest.mark.parametrize("phase", ["Skipped", "pending", ""])
def test_a_phase_outside_the_enum_is_refused(server: ApiServer, phase: str) -> None:
    server.create(ADMIN, WORKFLOW_EXECUTIONS, "default", body())
    patch = {"status": {"phase": phase}}
    with pytest.raises(ApiError, match="Unsupported value"):
        server.patch(ADMIN, WORKFLOW_EXECUTIONS, "default", "we-1", patch, subresource="status")


def test_defaults_fill_an_execution_config_that_is_given(server: ApiServer) -> None:
    created = server.create(ADMIN, WORKFLOW_EXECUTIONS, "default", body(executionConfig={"timeout": "5m"}))
    assert created["spec"]["executionConfig"] == {"timeout": "5m", "serviceAccountName": "kubernaut-workflow-runner"}
