"""Steps that ask the API server for something, as their ServiceAccount."""

from typing import Any

import pytest
from cluster_stage import NAMESPACE, SECOND, Stage

from controller.ports import Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.rbac import ROLE_BINDINGS, ROLES
from sim.cluster.behaviour import ApiRequest, Behaviour

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
RESTART = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
PATCH = ApiRequest("patch", DEPLOYMENTS, NAMESPACE, "api", RESTART)


def deployment(name: str = "api") -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "c", "image": "x:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "api"}}, "template": template}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def stage_with(*requests: ApiRequest, allowed: tuple[str, ...] = ()) -> Stage:
    stage = Stage({"step-a": Behaviour(duration_us=SECOND, log="+ kubectl\n", requests=requests)})
    stage.server.create(ADMIN, DEPLOYMENTS, NAMESPACE, deployment())
    if allowed:
        rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": list(allowed)}]
        stage.server.create(ADMIN, ROLES, NAMESPACE, {"metadata": {"name": "r"}, "rules": rules})
        binding = {
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": NAMESPACE}],
        }
        stage.server.create(ADMIN, ROLE_BINDINGS, NAMESPACE, binding)
    stage.create_task("a", "b")
    stage.run(20)
    return stage


def log(stage: Stage) -> str:
    return stage.models.logs.text(stage.pod()["metadata"]["uid"], "step-a")


def test_a_step_without_the_right_prints_the_refusal_and_fails() -> None:
    stage = stage_with(PATCH)
    assert log(stage) == (
        "+ kubectl\n"
        'Error from server (Forbidden): deployments.apps "api" is forbidden: User '
        f'"system:serviceaccount:{NAMESPACE}:runner" cannot patch resource "deployments" in API group "apps" in the '
        f'namespace "{NAMESPACE}"\n'
    )
    assert (stage.state("step-a"), stage.state("step-b")) == ("1:Error", "1:Error")
    assert "forbidden" not in str(stage.pod()["status"]).lower()


def test_a_step_with_the_right_really_changes_the_object() -> None:
    stage = stage_with(PATCH, allowed=("patch",))
    assert stage.state("step-a") == "0:Completed"
    assert log(stage).endswith("deployment.apps/api patched\n")
    changed = stage.server.get(ADMIN, DEPLOYMENTS, NAMESPACE, "api")
    assert changed["spec"]["template"]["metadata"]["annotations"] == {"kubectl.kubernetes.io/restartedAt": "now"}
    assert stage.calls("kubectl") == {"patch deployments.apps": 1}


def test_what_does_not_exist_fails_the_step_in_the_servers_words() -> None:
    stage = stage_with(ApiRequest("get", DEPLOYMENTS, NAMESPACE, "gone"), allowed=("get",))
    assert log(stage).endswith('Error from server (NotFound): deployments.apps "gone" not found\n')
    assert stage.state("step-a") == "1:Error"


def test_the_first_refusal_ends_the_step() -> None:
    stage = stage_with(ApiRequest("delete", DEPLOYMENTS, NAMESPACE, "api"), PATCH, allowed=("patch",))
    assert log(stage).count("Error from server") == 1
    assert stage.calls("kubectl") == {"delete deployments.apps": 1}


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (ApiRequest("delete", DEPLOYMENTS, NAMESPACE, "api"), 'deployment.apps "api" deleted\n'),
        (
            ApiRequest("create", DEPLOYMENTS, NAMESPACE, body=deployment("new")),
            "deployment.apps/new created\n",
        ),
        (ApiRequest("list", DEPLOYMENTS, NAMESPACE), "+ kubectl\n"),
    ],
)
def test_every_verb_speaks_like_kubectl(request_: ApiRequest, line: str) -> None:
    stage = stage_with(request_, allowed=("delete", "create", "list"))
    assert log(stage).endswith(line)
    assert stage.state("step-a") == "0:Completed"


def test_an_unknown_verb_is_an_error_of_the_scenario() -> None:
    with pytest.raises(ValueError, match="a step cannot 'destroy': verbs are get, list, create, patch, delete"):
        stage_with(ApiRequest("destroy", DEPLOYMENTS, NAMESPACE))
