"""What becomes of an execution whose PipelineRun the API server does not simply create."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from executor_stage import RUNS, Stage

from controller.api.resources import PIPELINE_RUNS
from controller.ports import ApiError, Cluster, ConnectionLost, Resource
from sim.apiserver.identity import ADMIN
from sim.faults.interception import Intercepted
from sim.loop import Process

Make = Callable[..., Stage]
Call = Callable[[], Awaitable[Any]]
HEAD = 'pipelineruns.tekton.dev "x" is forbidden: '


class Creates:
    """Answers creations of PipelineRuns with ``errors``, one after the other; notes when they came."""

    def __init__(self, *errors: Exception, carried_out: bool = False) -> None:
        self.errors = list(errors)
        self.carried_out = carried_out
        self.at_s: list[float] = []

    def wrap(self, cluster: Cluster, _: Process) -> Cluster:
        return Intercepted(cluster, self._around)

    async def _around(self, verb: str, resource: Resource, name: str, call: Call) -> Any:
        if verb != "create" or resource.plural != "pipelineruns":
            return await call()
        self.at_s.append(asyncio.get_running_loop().time())
        if not self.errors:
            return await call()
        if self.carried_out:
            await call()
            self.carried_out = False
        raise self.errors.pop(0)


@pytest.mark.parametrize(
    ("error", "reason", "created"),
    [
        (
            ApiError(403, "Forbidden", HEAD + "exceeded quota: runs, requested: count=1"),
            "ResourceExhausted",
            "QuotaExceeded",
        ),
        (ApiError(403, "Forbidden", HEAD + 'User "u" cannot create resource'), "Forbidden", "RBACDenied"),
        (ApiError(403, "Forbidden", HEAD + "unable to create new content in namespace"), "Forbidden", "RBACDenied"),
        (
            ApiError(403, "Forbidden", 'admission webhook "policy.x" denied the request: no quota for you'),
            "ConfigurationError",
            "PipelineCreationFailed",
        ),
        (ApiError(400, "BadRequest", "validation failed: spec.params"), "ConfigurationError", "PipelineCreationFailed"),
        (ApiError(422, "Invalid", "metadata.name: Invalid value"), "ConfigurationError", "PipelineCreationFailed"),
        (ApiError(404, "NotFound", 'namespaces "x" not found'), "ConfigurationError", "PipelineCreationFailed"),
    ],
    ids=lambda value: value.message[:40] if isinstance(value, ApiError) else None,
)
def test_a_final_refusal_fails_the_execution_before_it_started(
    stage: Make, error: ApiError, reason: str, created: str
) -> None:
    s = stage(wrap=Creates(error).wrap).request().run(5)
    details = s.status()["failureDetails"]
    assert (s.phase(), details["reason"], details["wasExecutionFailure"]) == ("Failed", reason, False)
    assert details["message"] == error.message
    assert (s.condition("TektonPipelineCreated")["status"], s.condition("TektonPipelineCreated")["reason"]) == (
        "False",
        created,
    )
    assert not s.created
    assert s.phases == ["Failed"]


@pytest.mark.parametrize(
    "error",
    [
        ApiError(409, "Conflict", "try again"),
        ApiError(429, "TooManyRequests", "slow down"),
        ApiError(500, "InternalError", "webhook down"),
        ApiError(503, "ServiceUnavailable", "restarting"),
        ApiError(504, "Timeout", "too slow"),
        ConnectionLost("reset"),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "code", "")),
)
def test_trouble_that_passes_leaves_it_pending_and_is_tried_again(stage: Make, error: Exception) -> None:
    creates = Creates(error, error, error)
    s = stage(wrap=creates.wrap).request().run(0.3)
    assert s.phase() == "Pending"
    assert "trying again" in s.condition("TektonPipelineCreated")["message"]
    s.run(5)
    assert s.phase() == "Running"
    assert s.condition("TektonPipelineCreated")["status"] == "True"
    gaps = [later - earlier for earlier, later in zip(creates.at_s, creates.at_s[1:], strict=False)]
    assert len(gaps) == 3
    assert gaps[0] < gaps[1] < gaps[2]


def test_retry_after_is_honoured(stage: Make) -> None:
    creates = Creates(ApiError(429, "TooManyRequests", "slow down", None, 7.0))
    s = stage(wrap=creates.wrap).request().run(20)
    assert creates.at_s[1] - creates.at_s[0] >= 7.0
    assert creates.at_s[1] - creates.at_s[0] < 9.0
    assert s.phase() == "Running"


def test_a_lost_reply_never_makes_a_second_run(stage: Make) -> None:
    s = stage(wrap=Creates(ConnectionLost("reset"), carried_out=True).wrap).request().run(5)
    assert s.phase() == "Running"
    assert len(s.created) == 1
    assert s.metric("pipelinerun_creations_total") == 1


def test_a_refusal_after_a_lost_reply_does_not_disown_the_run(stage: Make) -> None:
    """Our own run, created without our knowing, may be what exhausts the quota."""
    quota = ApiError(403, "Forbidden", HEAD + "exceeded quota: runs, requested: count=1")
    s = stage(wrap=Creates(ConnectionLost("reset"), quota, carried_out=True).wrap).request().run(5)
    assert s.phase() == "Running"
    assert len(s.created) == 1


def test_a_real_quota_refuses_and_is_typed(stage: Make) -> None:
    s = stage()
    s.put(PIPELINE_RUNS, "other")
    quotas = s.server.resource("", "resourcequotas")
    body = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "runs", "namespace": RUNS},
        "spec": {"hard": {"count/pipelineruns.tekton.dev": "1"}},
    }
    s.server.create(ADMIN, quotas, RUNS, body)
    s.run(2).request().run(2)
    assert s.status()["failureDetails"]["reason"] == "ResourceExhausted"


def test_missing_permission_is_typed_forbidden(stage: Make) -> None:
    s = stage()
    roles = s.server.resource("rbac.authorization.k8s.io", "roles")
    s.server.delete(ADMIN, roles, RUNS, "workflowexecution-controller")
    s.run(1).request().run(2)
    details = s.status()["failureDetails"]
    assert details["reason"] == "Forbidden"
    assert "cannot create resource" in details["message"]


def test_an_invalid_spec_never_reaches_tekton(stage: Make) -> None:
    s = stage().request(target="payment//api").run(2)
    details = s.status()["failureDetails"]
    assert (details["reason"], details["wasExecutionFailure"]) == ("ConfigurationError", False)
    assert "position 1 (kind)" in details["message"]
    assert not s.created
