"""What the containers of a pod ask for: a TaskRun's demand and a LimitRange's defaults, divided among the steps."""

from typing import Any

import pytest
from task_stage import STEP, TaskStage

from controller.ports import Document
from sim.tekton.access import LIMIT_RANGES
from sim.tekton.computeresources import default_requests, merged, share_of, with_default_requests
from sim.tekton.podspec import build_pod
from sim.tekton.version import V1_7, V1_15, Version


def limit_range(**item: Any) -> Document:
    return {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", **item}]}}


def test_default_requests_are_divided_among_the_steps_but_not_below_the_minimum() -> None:
    defaults = {"cpu": "100m", "memory": "100Mi", "ephemeral-storage": "3"}
    assert default_requests([limit_range(defaultRequest=defaults)], 3) == {
        "cpu": "33m",
        "memory": "34952533",
        "ephemeral-storage": "1",
    }
    assert default_requests([limit_range(defaultRequest=defaults, min={"cpu": "50m"})], 4)["cpu"] == "50m"
    assert default_requests([limit_range(max={"cpu": "1"})], 1) == {}
    assert default_requests([{"spec": {"limits": [{"type": "Pod", "min": {"cpu": "1"}}]}}], 1) == {}


def test_several_limit_ranges_count_as_the_smallest_default_and_the_largest_minimum() -> None:
    ranges = [limit_range(defaultRequest={"cpu": "8"}, min={"cpu": "1"}), limit_range(defaultRequest={"cpu": "4"})]
    assert default_requests(ranges, 2) == {"cpu": "2"}
    assert default_requests([*ranges, limit_range(min={"cpu": "3"})], 2) == {"cpu": "3"}


def test_what_a_step_requests_itself_stays() -> None:
    container = {"name": "step-a", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1", "memory": "0"}}}
    assert with_default_requests(container, {"cpu": "3", "memory": "1Mi"})["resources"] == {
        "limits": {"cpu": "2"},
        "requests": {"cpu": "1", "memory": "1Mi"},
    }
    assert with_default_requests(container, {"cpu": "3"}) is container


def test_a_task_runs_own_demand_is_shared_by_its_steps_and_its_limits_are_each_ones() -> None:
    own = {"requests": {"cpu": "7"}}
    assert share_of({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}, own, 4) == {
        "requests": {"cpu": "250m"},
        "limits": {"cpu": "2"},
    }
    assert share_of({"limits": {"memory": "4Gi"}}, {}, 2) == {
        "requests": {"memory": "2Gi"},
        "limits": {"memory": "4Gi"},
    }
    assert share_of({}, own, 4) is own


def test_settings_of_the_task_run_replace_resource_by_resource() -> None:
    base, over = {"requests": {"cpu": "1", "memory": "1Gi"}}, {"requests": {"cpu": "2"}, "limits": {"cpu": "3"}}
    assert merged(base, over) == {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "3"}}


@pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
def test_a_limit_range_of_the_namespace_shapes_the_steps_and_only_them(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.create(LIMIT_RANGES, limit_range(defaultRequest={"cpu": "200m"}))
        stage.run(1.0)
        sidecars = [{"name": "db", "image": "db:1"}]
        stage.start({"steps": [STEP, {**STEP, "name": "b"}], "sidecars": sidecars})
        spec = stage.pod()["spec"]
        requests = {
            one["name"]: one["resources"].get("requests") for one in (*spec["containers"], *spec["initContainers"])
        }
        assert requests["step-a"] == requests["step-b"] == {"cpu": "100m"}
        assert requests["sidecar-db"] == requests["prepare"] == {"cpu": "200m"}, "the API server's own defaults"


def test_a_step_template_fills_in_what_a_step_leaves_out_entry_by_entry() -> None:
    template = {
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "computeResources": {"limits": {"cpu": "1"}},
        "securityContext": {"runAsUser": 1, "runAsNonRoot": True},
        "workingDir": "src",
    }
    step = {**STEP, "env": [{"name": "B", "value": "3"}], "securityContext": {"runAsUser": 2}}
    run = {"metadata": {"name": "run", "namespace": "n", "uid": "u"}, "spec": {}}
    spec = build_pod(run, {"steps": [step], "stepTemplate": template}, retries=0, release="r")["spec"]
    made = spec["containers"][0]
    assert made["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]
    assert made["securityContext"] == {"runAsUser": 2, "runAsNonRoot": True}
    assert made["resources"] == {"limits": {"cpu": "1"}}
    inits = {one["name"]: one for one in spec["initContainers"]}
    assert inits["working-dir-initializer"]["args"] == ["src"]
