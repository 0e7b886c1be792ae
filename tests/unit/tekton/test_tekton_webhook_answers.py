"""Every answer of the webhooks that was recorded, and answers that the release's own Go code gave."""

import json
from pathlib import Path
from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import ApiError, Document, Resource
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, TASK_RUNS, TASKS
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

DATA = Path(__file__).parent / "data"
RESOURCES = {one.kind: one for one in (PIPELINE_RUNS, TASK_RUNS, PIPELINES, TASKS)}
STEPS = {"tasks": [task("run")]}
EMBEDDED = {"pipelineSpec": STEPS}
TWICE = [{"name": "bundle", "value": "x"}] * 2
CREATED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create duplicate": ("run", NAMESPACE, EMBEDDED),
    "create in absent namespace": ("other", "absent-ns", EMBEDDED),
    "create: tasks timeout > pipeline timeout": (
        "x",
        NAMESPACE,
        {**EMBEDDED, "timeouts": {"pipeline": "1m", "tasks": "2m"}},
    ),
    "create: unknown spec field": ("x", NAMESPACE, {**EMBEDDED, "bogusField": 1}),
    "create: bad name": ("Bad_Name", NAMESPACE, EMBEDDED),
    "create: no pipelineRef/pipelineSpec": ("y", NAMESPACE, {}),
    "create: wrong type (int SA)": ("y", NAMESPACE, {**EMBEDDED, "taskRunTemplate": {"serviceAccountName": 7}}),
    "create: duplicate resolver param": ("y", NAMESPACE, {"pipelineRef": {"resolver": "bundles", "params": TWICE}}),
    "create: duplicate task name": ("y", NAMESPACE, {"pipelineSpec": {"tasks": [task("run"), task("run")]}}),
}
PATCHED: dict[str, tuple[Resource, str, dict[str, Any]]] = {
    "running: change spec.params": (PIPELINE_RUNS, "run", {"spec": {"params": [{"name": "a", "value": "b"}]}}),
    "running: change spec.timeouts": (PIPELINE_RUNS, "run", {"spec": {"timeouts": {"pipeline": "9m"}}}),
    "running: add label": (PIPELINE_RUNS, "run", {"metadata": {"labels": {"a": "b"}}}),
    "running: bogus spec.status": (PIPELINE_RUNS, "run", {"spec": {"status": "Bogus"}}),
    "done: cancel": (PIPELINE_RUNS, "run", {"spec": {"status": "Cancelled"}}),
    "done: cancel TaskRun": (TASK_RUNS, "run-run", {"spec": {"status": "TaskRunCancelled"}}),
    "done: add label": (PIPELINE_RUNS, "run", {"metadata": {"labels": {"c": "d"}}}),
}


def asked(world: TektonWorld, request: str) -> tuple[int, Document | None]:
    """Code and Status of one request of the series."""
    server = world.server
    try:
        if request in CREATED:
            name, namespace, spec = CREATED[request]
            world.create(PIPELINE_RUNS, {"metadata": {"name": name}, "spec": spec}, namespace)
            return 201, None
        if request in PATCHED:
            resource, name, patch = PATCHED[request]
            server.patch(ADMIN, resource, NAMESPACE, name, patch)
        elif request == "get absent":
            server.get(ADMIN, PIPELINE_RUNS, NAMESPACE, "run-absent")
        else:
            server.delete(ADMIN, PIPELINE_RUNS, NAMESPACE, "run-absent")
    except ApiError as error:
        return error.code, status_of(error)
    return 200, None


def status_of(error: ApiError) -> Document:
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    status |= {"message": error.message, "reason": error.reason, "code": error.code}
    return status | ({"details": error.details} if error.details else {})


@pytest.mark.parametrize("release", VERSIONS)
def test_the_recorded_series_of_requests_gets_the_recorded_answers(release: str) -> None:
    series = json.loads((DATA / "api_and_webhook_answers.json").read_text())
    outcome = Outcome(work_ms=2_000)
    with TektonWorld(TektonOptions(version=VERSIONS[release]), outcomes={"run": outcome}) as world:
        world.submit([task("run")])
        answers = []
        for entry in series:
            world.run({"running: change spec.params": 0.5, "done: cancel": 9}.get(entry["request"], 0))
            answers.append((entry["request"], *asked(world, entry["request"])))
    assert answers == [(entry["request"], entry["code"], entry["status"]) for entry in series]


@pytest.mark.parametrize("release", VERSIONS)
def test_specs_get_the_answers_of_the_release_s_own_code(release: str) -> None:
    prefixes = {
        "mutation failed": 'admission webhook "webhook.pipeline.tekton.dev" denied the request: ',
        "validation failed": 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: ',
    }
    with TektonWorld(TektonOptions(version=VERSIONS[release])) as world:
        for case in json.loads((DATA / "webhook_answers.json").read_text()):
            if case["name"] == "Bad_Name":
                continue  # the API server itself refuses that before the webhook validates
            answer = case["answers"].get("both") or case["answers"][release]
            refusal = answer["refusal"]
            expected = prefixes[refusal.partition(":")[0]] + refusal if refusal else answer["spec"]
            assert judged(world, RESOURCES[case["kind"]], case) == expected, case["spec"]


def judged(world: TektonWorld, resource: Resource, case: Document) -> Any:
    """The refusal, or the spec as it would be stored: creates are dry runs."""
    body = {"apiVersion": "tekton.dev/v1", "kind": resource.kind, "metadata": {"name": case["name"]}}
    try:
        created = world.server.create(ADMIN, resource, NAMESPACE, {**body, "spec": case["spec"]}, dry_run=True)
    except ApiError as error:
        return error.message
    return created["spec"]
