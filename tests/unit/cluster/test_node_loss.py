"""A node that dies, is noticed, is given up, and comes back."""

import pytest
from cluster_stage import SECOND, Stage, recorded

from sim.cluster.behaviour import Behaviour
from sim.cluster.options import NodePool


def lost() -> Stage:
    stage = Stage({"step-a": Behaviour(duration_us=3600 * SECOND)}, options=recorded(pools=(NodePool(count=2),)))
    stage.create_task("a")
    stage.run(3)
    stage.models.lose_node("node-0")
    return stage


def ready(stage: Stage) -> str:
    return {one["type"]: one["status"] for one in stage.node()["status"]["conditions"]}["Ready"]


def test_nothing_is_known_of_a_dead_node_for_forty_seconds() -> None:
    stage = lost()
    stage.run(39)
    assert (ready(stage), stage.pod()["status"]["phase"]) == ("True", "Running")
    stage.run(2)
    assert ready(stage) == "Unknown"
    conditions = {one["type"]: one["status"] for one in stage.pod()["status"]["conditions"]}
    assert (conditions["Ready"], conditions["ContainersReady"]) == ("False", "True")


def test_its_pods_are_deleted_after_five_more_minutes_and_stay_terminating() -> None:
    stage = lost()
    stage.run(339)
    assert "deletionTimestamp" not in stage.pod()["metadata"]
    stage.run(3600)
    assert "deletionTimestamp" in stage.pod()["metadata"]
    assert stage.state("step-a") == "running"


def test_new_pods_avoid_the_dead_node_once_it_is_known() -> None:
    stage = lost()
    stage.run(45)
    for name in ("q", "r"):
        stage.create_task("b", name=name)
    stage.run(20)
    assert [stage.pod(name)["spec"]["nodeName"] for name in ("q", "r")] == ["node-1", "node-1"]


def test_a_node_that_boots_reports_the_loss_of_its_containers() -> None:
    stage = lost()
    stage.run(60)
    stage.models.recover_node("node-0")
    stage.run(60)
    assert ready(stage) == "True"
    assert stage.pod()["status"]["phase"] == "Failed"
    assert stage.state("step-a") == "137:ContainerStatusUnknown"
    assert stage.node()["spec"].get("taints", []) == []
    stage.run(3600)
    assert "deletionTimestamp" not in stage.pod()["metadata"]


def test_a_pod_that_was_given_up_is_removed_when_its_node_boots() -> None:
    stage = lost()
    stage.run(400)
    stage.models.recover_node("node-0")
    stage.run(10)
    assert stage.gone()


def test_losing_a_node_twice_is_losing_it_once() -> None:
    stage = lost()
    stage.models.lose_node("node-0")
    stage.run(400)
    stage.models.recover_node("node-0")
    stage.models.recover_node("node-0")
    stage.run(10)
    assert ready(stage) == "True"


def test_a_node_that_is_not_there_is_an_error_of_the_scenario() -> None:
    with pytest.raises(ValueError, match="no node is called 'node-9': there are node-0, node-1"):
        lost().models.lose_node("node-9")


def test_a_node_that_is_back_within_its_grace_was_never_missed() -> None:
    stage = lost()
    stage.run(20)
    stage.models.recover_node("node-0")
    stage.run(5)
    stage.models.lose_node("node-0")
    stage.run(30)
    assert ready(stage) == "True"
    stage.run(15)
    assert ready(stage) == "Unknown"
