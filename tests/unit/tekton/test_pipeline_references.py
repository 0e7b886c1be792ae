"""Pipelines and Tasks that a run refers to: what it makes of those that cannot be had or used."""

from typing import Any

from bundle_requests import catalogue
from tekton_world import Outcome, TektonWorld, task

from controller.ports import Document
from sim.tekton.access import PIPELINE_RUNS, TASKS
from sim.tekton.options import CONTROLLER

IMAGE = "registry.example/odd:v1"
DENIED = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: '


def stored(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def referring(kind: str, **params: str) -> dict[str, Any]:
    given = {"bundle": IMAGE, "name": "odd", "kind": kind, **params}
    return {"resolver": "bundles", "params": [{"name": key, "value": value} for key, value in given.items()]}


def test_a_resolved_pipeline_that_the_webhook_denies_fails_the_validation_with_its_words() -> None:
    bundles = catalogue()
    bundles.add(IMAGE, stored("Pipeline", "odd", {"tasks": [task("a", runAfter=["nowhere"])]}))
    with TektonWorld(bundles=bundles) as world:
        world.create(PIPELINE_RUNS, {"metadata": {"name": "run"}, "spec": {"pipelineRef": referring("pipeline")}})
        world.run(5)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "PipelineValidationFailed")
        assert message.startswith(
            "[User error] Failed dryRunValidation for PipelineRun run: failed to read runtime object as Pipeline: "
            f"validation failed for referenced object odd: {DENIED}"
        )


def test_parameters_of_the_run_fill_those_of_its_reference() -> None:
    bundles = catalogue()
    bundles.add(IMAGE, stored("Pipeline", "odd", {"tasks": [task("t")]}))
    spec = {
        "pipelineRef": referring("pipeline", bundle="registry.example/$(params.which):v1"),
        "params": [{"name": "which", "value": "odd"}],
    }
    with TektonWorld(bundles=bundles) as world:
        world.create(PIPELINE_RUNS, {"metadata": {"name": "run"}, "spec": spec})
        world.run(8)
        assert world.verdict()[:2] == ("True", "Succeeded")


def test_a_resolved_task_that_the_webhook_denies_is_a_task_that_cannot_be_had() -> None:
    bundles = catalogue()
    bundles.add(IMAGE, stored("Task", "odd", {"steps": []}))
    with TektonWorld(bundles=bundles) as world:
        world.submit([{"name": "t", "taskRef": referring("task")}])
        world.run(5)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "CouldntGetTask")
        called = 'Couldn\'t retrieve Task "resolver type bundles\\nname = odd\\n"'
        assert f"{called}: validation failed for referenced object odd: {DENIED}" in message


def test_a_task_that_is_still_to_start_is_looked_up_whenever_another_one_moves() -> None:
    with TektonWorld(outcomes={"first": Outcome(work_ms=1000)}) as world:
        world.create(TASKS, {"metadata": {"name": "later"}, "spec": task("x")["taskSpec"]})
        later = {"name": "later", "taskRef": {"name": "later"}, "runAfter": ["first"]}
        world.submit([task("first"), later])
        looks = world.server.calls[CONTROLLER, "get", "tasks.tekton.dev"]
        world.run(0.5)
        before = looks.count
        world.run(1.5)
        assert looks.count > before
        world.run(5)
        assert world.verdict()[:2] == ("True", "Succeeded")
