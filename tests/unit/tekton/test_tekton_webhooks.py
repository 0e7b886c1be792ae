"""Refusals and defaults of the webhooks, with the texts of recorded answers."""

from typing import Any

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, TASK_RUNS

DENIED = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: '
NO_UPDATES = "invalid value: Once the PipelineRun is complete, no updates are allowed: spec"
ONLY_STATUS = "invalid value: Once the PipelineRun has started, only status updates are allowed: spec"
DEMANDS = "Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending"
BOGUS = f"invalid value: Bogus should be {DEMANDS}: spec.status"


def refusal(world: TektonWorld, spec: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as refused:
        world.create(PIPELINE_RUNS, {"metadata": {"name": "run"}, "spec": spec})
    return refused.value


def patched(world: TektonWorld, spec: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as refused:
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"spec": spec})
    return refused.value.message


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, "expected exactly one, got neither: spec.pipelineRef, spec.pipelineSpec"),
        (
            {"pipelineSpec": {"tasks": [task("t")]}, "timeouts": {"pipeline": "1m0s", "tasks": "2m0s"}},
            "invalid value: 2m0s should be <= pipeline duration: spec.timeouts.tasks",
        ),
        (
            {"pipelineRef": {"resolver": "bundles", "params": [{"name": "bundle", "value": "x"}] * 2}},
            "expected exactly one, got both: spec.pipelineRef[bundle].name",
        ),
        (
            {"pipelineSpec": {"tasks": [task("run"), task("run")]}},
            "expected exactly one, got both: spec.pipelineSpec.tasks[1].name\ninvalid value: task run is already "
            "present in Graph, can't add it again: duplicate pipeline task: spec.pipelineSpec.tasks",
        ),
        (
            {"pipelineSpec": {"tasks": [task("run", runAfter=["nope"])]}},
            "invalid value: couldn't add link between run and nope: task run depends on nope but nope wasn't present "
            "in Pipeline: spec.pipelineSpec.tasks",
        ),
        ({"pipelineSpec": {"tasks": [task("t")]}, "status": "Bogus"}, BOGUS),
    ],
)
def test_a_wrong_spec_is_a_bad_request_that_names_the_field(spec: dict[str, Any], text: str) -> None:
    with TektonWorld() as world:
        error = refusal(world, spec)
        assert (error.code, error.reason) == (400, "BadRequest")
        assert error.message == DENIED + text


def test_a_cycle_is_found_before_the_run_exists() -> None:
    with TektonWorld() as world:
        tasks = [task("a", runAfter=["b"]), task("b", runAfter=["a"])]
        assert "cycle detected" in refusal(world, {"pipelineSpec": {"tasks": tasks}}).message


def test_a_value_of_the_wrong_type_is_refused_by_the_other_webhook() -> None:
    with TektonWorld() as world:
        spec = {"pipelineSpec": {"tasks": [task("t")]}, "taskRunTemplate": {"serviceAccountName": 7}}
        assert refusal(world, spec).message == (
            'admission webhook "webhook.pipeline.tekton.dev" denied the request: mutation failed: cannot decode '
            "incoming new object: json: cannot unmarshal number into Go struct field "
            "PipelineRun.spec.taskRunTemplate.serviceAccountName of type string"
        )


def test_unknown_fields_are_accepted() -> None:
    with TektonWorld() as world:
        world.submit([task("t")], bogusField=1)
        world.run(5)
        assert world.verdict()[0] == "True"


def test_a_run_under_way_accepts_demands_and_labels_only() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(2)
        assert patched(world, {"params": [{"name": "x", "value": "y"}]}) == DENIED + ONLY_STATUS
        assert patched(world, {"timeouts": {"pipeline": "9m"}}) == DENIED + ONLY_STATUS
        assert patched(world, {"status": "Bogus"}) == DENIED + BOGUS
        labels = {"metadata": {"labels": {"a": "b"}}}
        assert world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", labels)["metadata"]["generation"] == 1


def test_a_finished_run_accepts_labels_only_and_its_task_run_too() -> None:
    with TektonWorld() as world:
        world.submit([task("t")])
        world.run(5)
        assert patched(world, {"status": "Cancelled"}) == DENIED + NO_UPDATES
        world.server.patch(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {"metadata": {"labels": {"a": "b"}}})
        with pytest.raises(ApiError) as refused:
            world.server.patch(ADMIN, TASK_RUNS, NAMESPACE, "run-t", {"spec": {"status": "TaskRunCancelled"}})
        assert refused.value.message == DENIED + NO_UPDATES.replace("PipelineRun", "TaskRun")


def test_chains_annotations_do_not_survive_a_create() -> None:
    with TektonWorld() as world:
        annotations = {"chains.tekton.dev/signed": "true", "mine": "kept"}
        spec = {"pipelineSpec": {"tasks": [task("t")]}}
        created = world.create(PIPELINE_RUNS, {"metadata": {"name": "run", "annotations": annotations}, "spec": spec})
        assert created["metadata"]["annotations"] == {"mine": "kept"}


def test_a_pipeline_is_judged_like_an_embedded_one() -> None:
    with TektonWorld() as world:
        with pytest.raises(ApiError) as refused:
            world.create(PIPELINES, {"metadata": {"name": "p"}, "spec": {"tasks": []}})
        fields = "spec.description, spec.params, spec.resources, spec.tasks, spec.workspaces"
        assert refused.value.message == f"{DENIED}expected at least one, got none: {fields}"
        world.create(PIPELINES, {"metadata": {"name": "p"}, "spec": {"tasks": [task("t")]}})
        world.create(PIPELINE_RUNS, {"metadata": {"name": "run"}, "spec": {"pipelineRef": {"name": "p"}}})
        world.run(5)
        assert world.verdict()[:2] == ("True", "Succeeded")
        assert world.pipeline_run()["metadata"]["labels"]["tekton.dev/pipeline"] == "p"


def test_nothing_of_a_run_is_written_while_the_webhook_is_away_not_even_its_status() -> None:
    with TektonWorld(outcomes={"t": Outcome(work_ms=500)}) as world:
        world.submit([task("t")])
        world.run(0.3)
        world.tekton.webhook.outage = "context deadline exceeded"
        before = world.pipeline_run()
        world.run(20)
        assert world.pipeline_run() == before
        run = {**before, "status": {**before["status"], "results": []}}
        with pytest.raises(ApiError) as failed:
            world.server.update(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", run, subresource="status")
        assert (failed.value.code, failed.value.reason) == (500, "InternalError")
        assert failed.value.message.endswith('/defaulting?timeout=10s": context deadline exceeded')
        world.tekton.webhook.outage = ""
        world.run(120)
        assert world.verdict()[:2] == ("True", "Succeeded")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"managedBy": "somebody"}, "invalid value: managedBy is immutable: spec.spec.managedBy"),
        (
            {"status": "PipelineRunPending"},
            "invalid value: PipelineRun cannot be Pending after it is started: spec.status",
        ),
        (
            {"status": "Bogus", "params": [{"name": "a", "value": "b"}]},
            f"{BOGUS}\n{ONLY_STATUS}",
        ),
    ],
)
def test_an_update_is_judged_as_a_change_and_as_a_whole(spec: dict[str, Any], text: str) -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(2)
        assert patched(world, spec) == DENIED + text


def test_a_finished_run_may_be_sent_without_the_defaults_it_got() -> None:
    with TektonWorld() as world:
        world.submit([task("t")])
        world.run(5)
        run = world.pipeline_run()
        sent = {"pipelineSpec": {"tasks": [task("t")]}}
        stored = world.server.update(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", {**run, "spec": sent})
        assert stored["spec"] == run["spec"]


def test_a_task_run_tells_who_manages_it_even_after_the_label_is_taken_away() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")])
        world.run(2)
        labels = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
        kept = world.server.patch(ADMIN, TASK_RUNS, NAMESPACE, "run-t", labels)
        assert kept["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "tekton-pipelines"
