"""A running container whose image is changed is stopped and started anew, as Tekton ends sidecars."""

from typing import Any

from cluster_stage import NAMESPACE, Stage, task_spec

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.cluster.api import PODS
from sim.cluster.behaviour import Behaviour


def stage_with_sidecars(*names: str, nop: str = "reg.local/nop") -> Stage:
    behaviours = {name: Behaviour(hangs=True, sigterm_exit_code=143) for name in names}
    stage = Stage({"step-a": Behaviour(duration_us=1_000_000), **behaviours})
    spec = task_spec("a")
    stage.create(**{**spec, "containers": [*spec["containers"], *({"name": one, "image": "db:1"} for one in names)]})
    stage.run(10)
    patch: list[dict[str, Any]] = [
        {"op": "replace", "path": f"/spec/containers/{index}/image", "value": nop} for index in range(1, len(names) + 1)
    ]
    assert stage.pod()["status"]["phase"] == "Running"
    stage.server.patch(ADMIN, PODS, NAMESPACE, "p", patch, patch_type="json")
    stage.run(10)
    return stage


def statuses(stage: Stage) -> dict[str, Document]:
    return {one["name"]: one for one in stage.pod()["status"]["containerStatuses"]}


def test_a_sidecar_whose_image_becomes_one_that_does_nothing_ends_its_pod() -> None:
    stage = stage_with_sidecars("sidecar-db", "sidecar-proxy")
    assert stage.pod()["status"]["phase"] == "Succeeded"
    for name in ("sidecar-db", "sidecar-proxy"):
        told = statuses(stage)[name]
        assert told["state"]["terminated"]["exitCode"] == 0
        assert told["lastState"]["terminated"]["exitCode"] == 143
        assert told["restartCount"] == 1


def test_a_container_with_another_image_runs_on_under_it() -> None:
    stage = stage_with_sidecars("sidecar-db", nop="db:2")
    told = statuses(stage)["sidecar-db"]
    assert stage.pod()["status"]["phase"] == "Running"
    assert told["image"] == "db:2"
    assert "running" in told["state"]
