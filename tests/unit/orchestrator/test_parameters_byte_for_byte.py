"""Parameters from the analyst to the pipeline, through both controllers: nobody changes a byte of them."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import RUNS, SYSTEM, TARGET_RESOURCE, Stage, manifest

from controller.api.lock import lock_name
from controller.api.resources import PIPELINE_RUNS
from controller.executor.audit import AuditBuffer
from controller.executor.settings import Settings as ExecutorSettings
from controller.executor.wiring import executor
from sim.apiserver.identity import ADMIN, service_account

Make = Callable[..., Stage]
CASINGS: dict[str, dict[str, str]] = {
    "UPPER_SNAKE": {"MEMORY_LIMIT": "512Mi", "TARGET_NAMESPACE": "payment"},
    "lower_snake": {"memory_limit": "512Mi", "target_namespace": "payment"},
    "the same in all casings": {"A_b": "1", "a_b": "2", "A_B": "3", "aB": "4", "a-b": "5", "a.b": "6"},
    "unicode": {"name": "Überlast ☃ \N{FAMILY} \uff46ull", "nfd": "e\u0301", "nfc": "\u00e9", "rtl": "\u202eabc"},
    "empty": {"EMPTY": "", "blank": " ", "lines": "a\r\nb\n", "tab": "\t"},
    "looks like something else": {
        "number": "007",
        "bool": "false",
        "json": '{"a": 1}',
        "var": "$(params.x) ${Y} {{z}}",
    },
    "the target by hand": {"TARGET_RESOURCE": "not what you think"},
}


class _NoLogs:
    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        raise NotImplementedError


def with_executor(stage: Stage) -> Stage:
    for document in manifest("rbac-executor.yaml"):
        stage._create(document["apiVersion"], document["kind"], document)
    user = service_account(SYSTEM, "workflowexecution-controller")
    client = stage.server.client(user, component="executor")
    random = stage.streams("executor")
    manager = executor(client, _NoLogs(), AuditBuffer(), stage.clock, ExecutorSettings(cooldown_s=5), random=random)
    stage.loop.process("executor").start(manager.run())
    return stage.run(1)


def run_of(stage: Stage) -> Any:
    return stage.server.find(PIPELINE_RUNS, RUNS, lock_name(TARGET_RESOURCE))


def given(stage: Stage) -> dict[str, str]:
    return {param["name"]: param["value"] for param in run_of(stage)["spec"]["params"]}


@pytest.mark.parametrize("casing", CASINGS)
def test_the_pipeline_gets_what_the_analyst_said(make_stage: Make, casing: str) -> None:
    parameters = CASINGS[casing]
    stage = with_executor(make_stage()).signal().run(1).answer(selected={"parameters": parameters}).run(1)
    assert given(stage) == {"TARGET_RESOURCE": TARGET_RESOURCE, **parameters}
    assert stage.execution()["spec"]["parameters"] == parameters
    assert {key.encode(): value.encode() for key, value in given(stage).items() if key in parameters} == {
        key.encode(): value.encode() for key, value in parameters.items()
    }


def test_no_parameters_are_none_but_the_target(make_stage: Make) -> None:
    stage = with_executor(make_stage()).signal().run(1).answer().run(1)
    assert given(stage) == {"TARGET_RESOURCE": TARGET_RESOURCE}


def test_a_recovery_is_told_the_parameters_as_they_were_executed(make_stage: Make) -> None:
    parameters = {key: value for each in CASINGS.values() for key, value in each.items()}
    stage = with_executor(make_stage()).signal().run(1).answer(selected={"parameters": parameters}).run(1)
    condition = {
        "type": "Succeeded",
        "status": "False",
        "reason": "CouldntGetPipeline",
        "message": "bundle not found",
        "lastTransitionTime": stage.clock.timestamp(),
    }
    status = {"status": {"conditions": [condition], "completionTime": stage.clock.timestamp()}}
    stage.server.patch(ADMIN, PIPELINE_RUNS, RUNS, lock_name(TARGET_RESOURCE), status, subresource="status")
    stage.run(2)
    [told] = stage.analysis("rr-1-recovery-1")["spec"]["previousExecutions"]
    details = stage.execution()["status"]["failureDetails"]
    assert told["selectedWorkflow"]["parameters"] == parameters
    assert told["naturalLanguageSummary"] == details["naturalLanguageSummary"]
    assert (told["failure"]["reason"], told["wasExecutionFailure"]) == (details["reason"], False)
