"""What the manifests allow: everything the executor does, and little else."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from executor_stage import DEPLOY, RUNS, SYSTEM, Stage

from controller.api.resources import EVENTS, PIPELINE_RUNS, PODS, TASK_RUNS, WORKFLOW_EXECUTIONS
from controller.ports import ApiError, Resource
from sim.apiserver.identity import service_account

Make = Callable[..., Stage]
EXECUTOR = service_account(SYSTEM, "workflowexecution-controller")


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


def refused(call: Callable[[], Any]) -> bool:
    """Whether RBAC says no; that the object does not exist is no refusal."""
    try:
        call()
    except ApiError as error:
        return error.code == 403
    return False


@pytest.mark.parametrize("resource", [PIPELINE_RUNS, TASK_RUNS, PODS], ids=lambda each: each.plural)
def test_the_evidence_of_a_failure_can_be_read(stage: Make, resource: Resource) -> None:
    server = stage().server
    assert not refused(lambda: server.get(EXECUTOR, resource, RUNS, "absent"))


def test_events_about_a_killed_pod_can_be_listed_and_taskruns_too(stage: Make) -> None:
    server = stage().server
    assert not refused(lambda: server.list(EXECUTOR, EVENTS, RUNS))
    assert not refused(lambda: server.list(EXECUTOR, TASK_RUNS, RUNS))


def test_logs_of_task_pods_can_be_read() -> None:
    role = next(each for each in documents("rbac-executor.yaml") if each["kind"] == "Role")
    assert any("pods/log" in rule["resources"] and "get" in rule["verbs"] for rule in role["rules"])


def test_nothing_is_allowed_outside_the_job(stage: Make) -> None:
    server = stage().server
    secrets = server.resource("", "secrets")
    body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "x"}}
    assert refused(lambda: server.create(EXECUTOR, PIPELINE_RUNS, SYSTEM, body))
    assert refused(lambda: server.patch(EXECUTOR, PIPELINE_RUNS, RUNS, "x", {}))
    assert refused(lambda: server.delete(EXECUTOR, PODS, RUNS, "x"))
    assert refused(lambda: server.get(EXECUTOR, secrets, RUNS, "x"))
    assert refused(lambda: server.create(EXECUTOR, WORKFLOW_EXECUTIONS, SYSTEM, {}))
    assert refused(lambda: server.delete(EXECUTOR, WORKFLOW_EXECUTIONS, SYSTEM, "x"))


@pytest.mark.parametrize("name", ["rbac-executor.yaml", "rbac-runner.yaml"])
def test_no_rule_has_a_wildcard(name: str) -> None:
    rules = [rule for each in documents(name) for rule in each.get("rules", ())]
    assert rules
    assert not [rule for rule in rules for values in rule.values() if "*" in values]


def test_the_runner_lives_where_the_runs_are() -> None:
    account = next(each for each in documents("rbac-runner.yaml") if each["kind"] == "ServiceAccount")
    assert account["metadata"] == {"name": "kubernaut-workflow-runner", "namespace": RUNS}
