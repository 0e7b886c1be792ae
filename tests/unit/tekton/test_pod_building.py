"""Pods as the builder makes them, and variables in shared templates."""

from typing import Any

from controller.ports import Document
from sim.tekton.podspec import build_pod
from sim.tekton.substitution import param_values, substitute, variables

STEPS: list[Document] = [
    {"name": "a", "image": "i:1", "script": "echo", "computeResources": {"requests": {"cpu": "1"}}},
    {
        "image": "i:2",
        "command": ["ls"],
        "args": ["-l"],
        "timeout": "5s",
        "onError": "continue",
        "workingDir": "/workspace/x",
    },
]
TASK_SPEC: Document = {"steps": STEPS}


def pod(name: str = "run-t", task_spec: Document = TASK_SPEC, **spec: Any) -> dict[str, Any]:
    run = {
        "metadata": {"name": name, "namespace": "n", "uid": f"uid-{name}", "labels": {"mine": "1"}},
        "spec": {"serviceAccountName": "sa", "timeout": "1h0m0s", **spec},
    }
    return build_pod(run, task_spec, retries=0, release="abc")


def test_steps_wait_for_each_other_in_order() -> None:
    first, second = pod()["spec"]["containers"]
    assert [first["name"], second["name"]] == ["step-a", "step-unnamed-1"]
    assert first["args"][:3] == ["-wait_file", "/tekton/downward/ready", "-wait_file_content"]
    assert second["args"][:2] == ["-wait_file", "/tekton/run/0/out"]
    assert second["args"][-4:] == ["-entrypoint", "ls", "--", "-l"]
    assert {"-timeout", "5s", "-on_error", "continue"} <= set(second["args"])
    assert first["resources"] == {"requests": {"cpu": "1"}}


def test_init_containers_are_those_that_the_steps_call_for() -> None:
    names = [one["name"] for one in pod()["spec"]["initContainers"]]
    assert names == ["prepare", "place-scripts", "working-dir-initializer"]
    plain = {"steps": [{"name": "a", "image": "i", "command": ["true"]}]}
    assert [one["name"] for one in pod(task_spec=plain)["spec"]["initContainers"]] == ["prepare"]


def test_pods_of_one_template_share_their_spec_and_only_that() -> None:
    one, other = pod("run-1"), pod("run-2")
    assert one["spec"] is other["spec"]
    assert one["metadata"]["labels"]["tekton.dev/taskRun"] == "run-1"
    assert other["metadata"]["ownerReferences"][0]["uid"] == "uid-run-2"
    assert pod(timeout="10m0s")["spec"]["activeDeadlineSeconds"] == 900
    assert pod(serviceAccountName="other")["spec"]["serviceAccountName"] == "other"


def test_workspaces_become_volumes_that_a_kubelet_must_mount() -> None:
    spec = pod(workspaces=[{"name": "w", "secret": {"secretName": "s"}}])["spec"]
    assert {"name": "ws-f20c3", "secret": {"secretName": "s"}} in spec["volumes"]
    assert {"name": "ws-f20c3", "mountPath": "/workspace/w"} in spec["containers"][0]["volumeMounts"]


def test_a_template_without_known_variables_comes_back_itself() -> None:
    template = {"a": ["$(params.x)", {"b": "$(other.y)"}]}
    assert substitute(template, {}) is template
    assert substitute(template, param_values([{"name": "z", "value": "1"}])) is template
    assert variables(template) == {"params.x", "other.y"}


def test_variables_are_found_in_every_spelling_and_arrays_spread() -> None:
    values = param_values(
        [{"name": "x", "value": "1"}, {"name": "l", "value": ["a", "b"]}, {"name": "o", "value": {"k": "v"}}]
    )
    assert substitute("$(params.x)$(params['x'])$(params[\"x\"])", values) == "111"
    assert substitute(["-", "$(params.l[*])", "$(params.l[1])"], values) == ["-", "a", "b", "b"]
    assert substitute("$(params.o.k) $(params.unknown)", values) == "v $(params.unknown)"
