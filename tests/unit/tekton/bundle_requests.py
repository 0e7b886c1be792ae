"""PipelineRuns whose pipeline lies in a bundle."""

from typing import Any

from tekton_world import TektonWorld, task

from controller.ports import Document
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.bundles import BundleCatalogue

IMAGE = "registry.example/workflows/restart:v1"


def pipeline(*tasks: Document) -> Document:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"tasks": list(tasks) or [task("t")]},
    }


def catalogue() -> BundleCatalogue:
    bundles = BundleCatalogue()
    bundles.add(IMAGE, pipeline())
    return bundles


def submit_bundle(world: TektonWorld, run: str = "run", **params: Any) -> Document:
    """Ask for ``workflow`` of :data:`IMAGE`; a parameter that is None is left out."""
    given = {"bundle": params.pop("image", IMAGE), "name": "workflow", "kind": "pipeline", **params}
    listed = [{"name": name, "value": value} for name, value in given.items() if value is not None]
    spec = {"pipelineRef": {"resolver": "bundles", "params": listed}}
    return world.create(PIPELINE_RUNS, {"metadata": {"name": run}, "spec": spec})
