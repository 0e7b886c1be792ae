"""Who owns the fields of Tekton's objects, as recordings of both releases tell it."""

import pytest
from tekton_world import NAMESPACE, TektonWorld, task

from controller.ports import Document, Resource, WatchType
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

CLIENT, CORE, STATUS = "workflowexecution-controller/Update", "controller/Update", "controller/Update/status"
RECORDED = {
    "pipelineruns": [{CLIENT}, {CLIENT, CORE}, {CLIENT, CORE, STATUS}],
    "taskruns": [{CORE}, {CORE, STATUS}],
}


@pytest.mark.parametrize("release", VERSIONS)
def test_every_state_of_a_run_has_the_recorded_managers(release: str) -> None:
    told: dict[str, list[set[str]]] = {"pipelineruns": [], "taskruns": []}

    def note(_type: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        if resource.plural in told:
            managers = managers_of(new)
            if not told[resource.plural] or told[resource.plural][-1] != managers:
                told[resource.plural].append(managers)

    with TektonWorld(TektonOptions(version=VERSIONS[release]), managed_fields=True) as world:
        world.server.observe(note)
        body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "run"}}
        spec = {"pipelineSpec": {"tasks": [task("t")]}}
        manager = CLIENT.partition("/")[0]
        world.server.create(ADMIN, PIPELINE_RUNS, NAMESPACE, {**body, "spec": spec}, manager=manager)
        world.run(5)
        assert world.verdict()[0] == "True"
    assert told == RECORDED


def test_what_the_webhook_filled_in_belongs_to_nobody() -> None:
    with TektonWorld(managed_fields=True) as world:
        created = world.submit([task("t")])
        fields = created["metadata"]["managedFields"][0]["fieldsV1"]
        assert "timeouts" in created["spec"]
        assert set(fields["f:spec"]) == {".", "f:pipelineSpec"}


def managers_of(document: Document) -> set[str]:
    entries = document["metadata"]["managedFields"]
    return {"/".join(filter(None, (one["manager"], one["operation"], one.get("subresource")))) for one in entries}
