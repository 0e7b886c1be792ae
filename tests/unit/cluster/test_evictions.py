"""Pods that have to leave: the node is short of memory, or is drained."""

from cluster_stage import SECOND, Stage, recorded, step, task_spec

from sim.cluster.behaviour import Behaviour
from sim.cluster.eviction import evict
from sim.cluster.options import NodePool

GIB = 2**30


def greedy(gib: int, duration_s: int = 3600) -> Behaviour:
    return Behaviour(duration_us=duration_s * SECOND, memory_peak_bytes=gib * GIB)


def conditions(stage: Stage, name: str = "p") -> dict[str, dict[str, str]]:
    return {one["type"]: dict(one) for one in stage.pod(name)["status"]["conditions"]}


def test_the_pod_that_exceeds_its_request_most_is_evicted_at_a_look_of_the_kubelet() -> None:
    stage = Stage({"step-a": greedy(30), "step-b": greedy(2)})
    stage.create_task("a", name="large")
    stage.create("small", **{**task_spec(), "containers": [step(0, "b")]})
    stage.run(60)
    status = stage.pod("large")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"] == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 0Ki. "
        "Container step-a was using 31457280Ki, request is 0, has larger consumption of memory. "
    )
    assert stage.state("step-a", "large") == "137:Error"
    assert conditions(stage, "large")["DisruptionTarget"]["reason"] == "TerminationByKubelet"
    assert stage.trace("large")[-1].split()[0] == "10000"
    assert stage.pod("small")["status"]["phase"] == "Running"


def test_pressure_is_reported_for_five_minutes_and_keeps_pods_away() -> None:
    stage = Stage({"step-a": greedy(40)})
    stage.create_task("a")
    stage.run(15)
    assert {one["type"]: one["status"] for one in stage.node()["status"]["conditions"]}["MemoryPressure"] == "True"
    stage.create_task("b", name="later")
    stage.run(200)
    assert "nodeName" not in stage.pod("later")["spec"]
    stage.run(200)
    assert {one["type"]: one["status"] for one in stage.node()["status"]["conditions"]}["MemoryPressure"] == "False"
    assert stage.pod("later")["status"]["phase"] == "Succeeded"


def test_pressure_that_returns_is_reported_for_another_five_minutes() -> None:
    stage = Stage({"step-a": greedy(40)})
    stage.create_task("a")
    stage.run(200)
    stage.create_task("a", name="second", nodeName="node-0")
    stage.run(200)
    assert stage.pod("second")["status"]["reason"] == "Evicted"
    assert {one["type"]: one["status"] for one in stage.node()["status"]["conditions"]}["MemoryPressure"] == "True"
    stage.run(200)
    assert {one["type"]: one["status"] for one in stage.node()["status"]["conditions"]}["MemoryPressure"] == "False"


def test_memory_that_is_given_back_in_time_evicts_nobody() -> None:
    stage = Stage({"step-a": greedy(20, 4), "step-b": greedy(20, 4)})
    stage.create_task("a")
    stage.create("q", **{**task_spec(), "containers": [step(0, "b")]})
    stage.run(60)
    assert [stage.pod(name)["status"]["phase"] for name in ("p", "q")] == ["Succeeded", "Succeeded"]


def test_an_eviction_says_what_the_scenario_says() -> None:
    stage = Stage({"step-a": greedy(1)})
    stage.create_task("a")
    stage.run(3)
    (worker,) = stage.models.kubelets["node-0"].workers.values()
    evict(worker, 'Usage of EmptyDir volume "ws-b6dfk" exceeds the limit "10Gi". ')
    stage.run(1)
    assert stage.pod()["status"]["message"] == 'Usage of EmptyDir volume "ws-b6dfk" exceeds the limit "10Gi". '


def test_a_drained_node_is_cordoned_and_its_pods_end_with_grace() -> None:
    pools = (NodePool(count=2),)
    stage = Stage({"step-a": greedy(1)}, options=recorded(pools=pools))
    stage.create_task("a")
    stage.create_task("a", name="q")
    stage.run(3)
    drained = stage.models.drain_node("node-0")
    assert [pod["metadata"]["name"] for pod in drained] == ["p"]
    assert stage.calls("kubectl") == {"create pods/eviction": 1}
    stage.create_task("a", name="r")
    stage.run(10)
    assert stage.gone("p")
    assert any("step-a=137:Error" in line for line in stage.trace("p"))
    assert [stage.pod(name)["spec"]["nodeName"] for name in ("q", "r")] == ["node-1", "node-1"]
