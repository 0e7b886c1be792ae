"""ConfigMaps and Secrets that a pod needs and does not find."""

from typing import Any

import pytest
from cluster_stage import NAMESPACE, Stage, step, task_spec

from controller.ports import Resource
from sim.apiserver.identity import ADMIN

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")


def variable(kind: str, name: str, key: str = "k", **more: Any) -> dict[str, Any]:
    return {"env": [{"name": "V", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, **more}}}]}


def stage_with(**fields: Any) -> Stage:
    stage = Stage()
    stage.server.create(ADMIN, SECRETS, NAMESPACE, {"metadata": {"name": "half"}, "data": {"other": "eA=="}})
    stage.create(**{**task_spec(), "containers": [step(0, "a", **fields)]})
    stage.run(3)
    return stage


def message(stage: Stage) -> str:
    return str(stage.pod()["status"]["containerStatuses"][0]["state"]["waiting"].get("message"))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (variable("secret", "nope"), 'secret "nope" not found'),
        (variable("configMap", "nope"), 'configmap "nope" not found'),
        (variable("secret", "half"), f"couldn't find key k in Secret {NAMESPACE}/half"),
        ({"envFrom": [{"configMapRef": {"name": "nope"}}]}, 'configmap "nope" not found'),
        ({"envFrom": [{"secretRef": {"name": "nope"}}]}, 'secret "nope" not found'),
    ],
)
def test_a_missing_reference_of_a_container_is_a_config_error(fields: dict[str, Any], text: str) -> None:
    stage = stage_with(**fields)
    assert stage.state("step-a") == "waiting:CreateContainerConfigError"
    assert message(stage) == text
    assert stage.pod()["status"]["phase"] == "Pending"


def test_what_is_optional_is_not_missed() -> None:
    stage = stage_with(**variable("secret", "nope", optional=True))
    stage.run(3)
    assert stage.state("step-a") == "0:Completed"


def test_the_container_starts_at_a_sync_after_the_reference_appeared() -> None:
    stage = stage_with(**variable("configMap", "late"))
    stage.run(600)
    stage.server.create(ADMIN, CONFIG_MAPS, NAMESPACE, {"metadata": {"name": "late"}, "data": {"k": "v"}})
    stage.run(5)
    assert stage.state("step-a") == "0:Completed"


def test_a_missing_volume_keeps_the_whole_pod_waiting_without_a_word() -> None:
    stage = Stage()
    stage.create_task("a", volumes=[{"name": "ws", "secret": {"secretName": "late"}}])
    stage.run(3000)
    assert stage.state("prepare") == "waiting:PodInitializing"
    stage.server.create(ADMIN, SECRETS, NAMESPACE, {"metadata": {"name": "late"}})
    stage.run(20)
    assert stage.pod()["status"]["phase"] == "Succeeded"


def test_waiting_for_a_reference_costs_no_calls() -> None:
    stage = stage_with(**variable("secret", "nope"))
    before = stage.calls("kubelet")
    stage.run(3600)
    assert stage.calls("kubelet") == before
