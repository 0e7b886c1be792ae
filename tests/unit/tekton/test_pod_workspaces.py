"""Workspaces, variables and the init containers of a pod."""

from typing import Any

from task_stage import STEP, TaskStage

from controller.ports import Document
from sim.tekton.podspec import build_pod
from sim.tekton.workspaces import volume_names, workspaces_of

SECRET = {"name": "w", "secret": {"secretName": "s"}}


def made(task_spec: Document, **spec: Any) -> Document:
    run = {"metadata": {"name": "run", "namespace": "n", "uid": "u"}, "spec": spec}
    built: Document = build_pod(run, task_spec, retries=0, release="r")["spec"]
    return built


def test_a_workspace_is_mounted_where_the_task_says_and_in_sidecars_too() -> None:
    declared = [{"name": "w", "mountPath": "/data", "readOnly": True}]
    sidecars = [
        {"name": "db", "image": "db:1"},
        {"name": "own", "image": "x", "volumeMounts": [{"mountPath": "/data"}]},
    ]
    spec = made(
        {"steps": [STEP], "sidecars": sidecars, "workspaces": declared}, workspaces=[{**SECRET, "subPath": "p"}]
    )
    mount = {"name": "ws-f20c3", "mountPath": "/data", "subPath": "p", "readOnly": True}
    step, sidecar, own = spec["containers"]
    assert step["volumeMounts"] == sidecar["volumeMounts"] == [mount]
    assert own["volumeMounts"] == [{"mountPath": "/data"}], "its own mount at that path stays"
    assert {"name": "ws-f20c3", "secret": {"secretName": "s"}} in spec["volumes"]


def test_a_workspace_that_a_step_asks_for_itself_is_that_steps_alone() -> None:
    asking = {**STEP, "name": "b", "workspaces": [{"name": "w", "mountPath": "/mine"}]}
    made_of = workspaces_of({"steps": [STEP, asking]}, [SECRET])
    assert made_of.mounts("steps", 0) == []
    assert made_of.mounts("steps", 1) == [{"name": "ws-f20c3", "mountPath": "/mine"}]


def test_one_claim_bound_twice_is_one_volume() -> None:
    claim = {"persistentVolumeClaim": {"claimName": "c"}}
    bindings = [{"name": "w", **claim}, {"name": "v", **claim}]
    assert len(set(volume_names(bindings).values())) == 1
    assert len(workspaces_of({"steps": [STEP]}, bindings).volumes) == 1


def test_working_directories_are_made_where_they_are_relative_or_in_the_workspace() -> None:
    def directories(*paths: str) -> list[str]:
        steps = [{**STEP, "name": f"s{index}", "workingDir": path} for index, path in enumerate(paths)]
        inits = {one["name"]: one for one in made({"steps": steps})["initContainers"]}
        return inits["working-dir-initializer"]["args"] if "working-dir-initializer" in inits else []

    assert directories("/workspace", "/workspacex", "/opt/a") == []
    assert directories("/workspace/./b/", "src", "/opt", "src") == ["/workspace/b", "src"]


def test_scripts_of_sidecars_are_placed_too() -> None:
    steps = [{"name": "a", "image": "i", "command": ["true"]}]
    spec = made({"steps": steps, "sidecars": [{"name": "db", "image": "db:1", "script": "serve"}]})
    assert [one["name"] for one in spec["initContainers"]] == ["prepare", "place-scripts"]
    assert spec["containers"][1]["command"] == ["/tekton/scripts/sidecar-script-0"]


def test_the_entrypoint_is_told_which_results_to_collect() -> None:
    task_spec = {
        "steps": [{**STEP, "results": [{"name": "r"}]}],
        "results": [{"name": "x"}, {"name": "y", "value": "v"}],
    }
    args = made(task_spec)["containers"][0]["args"]
    assert args[args.index("-results") + 1] == "x"
    assert args[args.index("-step_results") + 1] == "r"


def test_variables_of_settings_and_steps_are_filled_in() -> None:
    script = "$(params.p) $(workspaces.w.path) $(workspaces.w.bound) $(context.task.name) $(step.results.r.path)"
    task_spec = {
        "params": [{"name": "p", "default": "x"}],
        "steps": [{**STEP, "script": script, "results": [{"name": "r"}]}],
        "workspaces": [{"name": "w", "mountPath": "/data"}],
    }
    with TaskStage() as stage:
        binding = {"name": "w", "secret": {"secretName": "key-$(params.p)"}}
        stage.start(task_spec, workspaces=[binding], podTemplate={"nodeSelector": {"zone": "$(params.p)"}})
        spec = stage.pod()["spec"]
        assert spec["initContainers"][1]["args"][1] == "x /data true run /tekton/steps/step-a/results/r"
        assert spec["nodeSelector"] == {"zone": "x"}
        assert any(one.get("secret", {}).get("secretName") == "key-x" for one in spec["volumes"])
