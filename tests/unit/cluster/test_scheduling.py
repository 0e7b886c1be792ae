"""Where pods go, what the scheduler says when they go nowhere, and what brings them back."""

from random import Random
from typing import Any

import pytest
from cluster_stage import SECOND, Stage, recorded

from controller.ports import ApiError, Document, Resource
from sim.apiserver.identity import ADMIN
from sim.cluster.behaviour import Behaviour
from sim.cluster.fleet import Fleet
from sim.cluster.nodes import NODES, document
from sim.cluster.options import NodePool
from sim.cluster.requests import request_of

FULL = "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "


def asking(cpu: str = "", memory: str = "", **spec: Any) -> dict[str, Any]:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    container = {"name": "main", "image": "busybox:1", "resources": {"requests": requests}}
    return {"restartPolicy": "Never", "containers": [container], **spec}


def stage_with(*pools: NodePool, work_s: int = 10) -> Stage:
    behaviours = {"main": Behaviour(duration_us=work_s * SECOND)}
    return Stage(behaviours, options=recorded(pools=pools), annotate=False)


def scheduled(stage: Stage, name: str = "p") -> dict[str, Any]:
    conditions = stage.pod(name)["status"].get("conditions", ())
    return dict(next((one for one in conditions if one["type"] == "PodScheduled"), {}))


def test_pods_spread_over_equal_nodes() -> None:
    stage = stage_with(NodePool(count=3))
    for index in range(6):
        stage.create(f"p{index}", **asking("1"))
    stage.run(5)
    nodes = [stage.pod(f"p{index}")["spec"]["nodeName"] for index in range(6)]
    assert nodes == ["node-0", "node-1", "node-2"] * 2


def test_attempts_are_made_one_after_the_other() -> None:
    stage = stage_with(NodePool(count=1))
    for index in range(3):
        stage.create(f"p{index}", **asking())
    stage.run(1)
    bound = [stage.trace(f"p{index}")[1].split()[0] for index in range(3)]
    assert bound == ["100", "200", "300"]


def test_a_pod_that_fits_nowhere_says_why_and_starts_when_room_is_made() -> None:
    stage = stage_with(NodePool(count=2, cpu="2"))
    for name in ("a", "b", "p"):
        stage.create(name, **asking("2"))
    stage.run(5)
    told = scheduled(stage)
    assert (told["status"], told["reason"]) == ("False", "Unschedulable")
    assert told["message"] == FULL + "2 No preemption victims found for incoming pod."
    stage.run(20)
    assert stage.trace()[1:3] == [
        "300 MOD PodScheduled=False:Unschedulable",
        "10570 MOD node=node-0 PodScheduled=True",
    ]


def test_waiting_pods_follow_each_other_while_room_lasts() -> None:
    stage = stage_with(NodePool(count=1, cpu="2"))
    stage.create("big", **asking("2"))
    for index in range(3):
        stage.create(f"p{index}", **asking("1"))
    stage.run(14)
    assert ["nodeName" in stage.pod(f"p{index}")["spec"] for index in range(3)] == [True, True, False]
    stage.run(30)
    assert "nodeName" in stage.pod("p2")["spec"]


def test_a_pod_is_tried_again_only_after_its_back_off() -> None:
    stage = stage_with(NodePool(count=1, cpu="1"))
    stage.create("blocker", **asking("1"))
    stage.create("p", **asking("1"))
    stage.run(0.25)
    stage.delete("blocker", grace_period_s=0)
    stage.run(10)
    assert next(line for line in stage.trace() if "node=node-0" in line).split()[0] == "1300"


@pytest.mark.parametrize("deleted_at_s", [0.45, 1.25])
def test_a_pod_deleted_before_its_turn_gives_it_to_the_next(deleted_at_s: float) -> None:
    stage = stage_with(NodePool(count=1, cpu="1"))
    for name in ("blocker", "p", "next"):
        stage.create(name, **asking("1"))
    stage.run(0.35)
    stage.delete("blocker", grace_period_s=0)
    stage.run(deleted_at_s - 0.35)
    stage.delete("p")
    stage.run(10)
    assert stage.pod("next")["spec"]["nodeName"] == "node-0"


def test_a_pod_that_asks_for_nothing_fits_on_an_overcommitted_node() -> None:
    stage = stage_with(NodePool(count=1, cpu="1"))
    stage.create("huge", **asking("100"), nodeName="node-0")
    stage.create(**asking())
    stage.run(5)
    assert stage.pod()["spec"]["nodeName"] == "node-0"


def test_the_heap_of_nodes_does_not_grow_with_the_pods_that_pass() -> None:
    fleet = Fleet()
    fleet.describe(document(NodePool(), "n", "10.0.0.1", "now"))
    request = request_of({"spec": asking("1")})
    for _ in range(10_000):
        fleet.take("n", request)
        fleet.give_back("n", request)
    assert len(fleet._heap) < 100
    assert fleet.find(request) == "n"


def test_a_full_cluster_costs_nothing_while_nothing_changes() -> None:
    stage = stage_with(NodePool(count=1, cpu="1"), work_s=100_000)
    for index in range(50):
        stage.create(f"p{index}", **asking("1"))
    stage.run(60)
    before = stage.calls("kube-scheduler")
    stage.run(3600)
    assert stage.calls("kube-scheduler") == before == {"create pods/binding": 1, "patch pods/status": 49}


def test_each_node_objects_for_itself() -> None:
    stage = stage_with(
        NodePool("small", count=1, cpu="1", memory="1Gi"),
        NodePool("gpu", count=1, taints=(("gpu", "yes", "NoSchedule"),)),
        NodePool("crowded", count=1, pods=0),
    )
    stage.create(**asking("2", "2Gi"))
    stage.run(1)
    assert scheduled(stage)["message"] == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods, "
        "1 node(s) had untolerated taint(s). preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )


def test_without_nodes_there_is_nothing_to_count() -> None:
    stage = stage_with()
    stage.create(**asking())
    stage.run(1)
    assert scheduled(stage)["message"] == "no nodes available to schedule pods"


def test_taints_and_selectors_are_met_by_tolerations_and_labels() -> None:
    stage = stage_with(
        NodePool("plain", count=1),
        NodePool("gpu", count=1, labels=(("kind", "gpu"),), taints=(("gpu", "yes", "NoSchedule"),)),
    )
    tolerated = [{"key": "gpu", "operator": "Exists"}]
    stage.create(**asking(), nodeSelector={"kind": "gpu"}, tolerations=tolerated)
    stage.create("refused", **asking(), nodeSelector={"kind": "gpu"})
    stage.run(1)
    assert stage.pod()["spec"]["nodeName"] == "gpu-0"
    assert (
        "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)."
        in (scheduled(stage, "refused")["message"])
    )


def test_a_cordoned_node_takes_no_pods_until_it_is_uncordoned() -> None:
    stage = stage_with(NodePool(count=1))
    stage.server.patch(ADMIN, NODES, "", "node-0", {"spec": {"unschedulable": True}})
    stage.create(**asking())
    stage.run(5)
    assert "1 node(s) were unschedulable" in scheduled(stage)["message"]
    stage.server.patch(ADMIN, NODES, "", "node-0", {"spec": {"unschedulable": None}})
    stage.run(5)
    assert stage.pod()["spec"]["nodeName"] == "node-0"


def test_nodes_that_join_take_the_pods_that_waited() -> None:
    stage = stage_with(NodePool(count=1, cpu="1"))
    stage.create(**asking("4"))
    stage.run(5)
    stage.models.add_nodes(NodePool("large", count=1, cpu="8"))
    stage.run(5)
    assert stage.pod()["spec"]["nodeName"] == "large-0"


def test_a_pod_deleted_before_it_has_a_node_leaves_no_trace() -> None:
    stage = stage_with(NodePool(count=1))
    stage.create(**asking())
    stage.delete()
    stage.create("next", **asking())
    stage.run(30)
    assert stage.gone()
    assert stage.pod("next")["status"]["phase"] == "Succeeded"
    assert stage.calls("kube-scheduler") == {"create pods/binding": 1}


def test_pods_of_higher_priority_are_tried_first() -> None:
    stage = stage_with(NodePool(count=1))
    stage.create("low", **asking(), priority=1)
    stage.create("lower", **asking(), priority=0)
    stage.create("high", **asking(), priority=9)
    stage.run(1)
    bound = sorted(("low", "lower", "high"), key=lambda name: int(stage.trace(name)[1].split()[0]))
    assert bound == ["high", "low", "lower"]


def test_a_pod_of_another_scheduler_is_left_alone() -> None:
    stage = stage_with(NodePool(count=1))
    stage.create(**asking(), schedulerName="mine")
    stage.run(60)
    assert "nodeName" not in stage.pod()["spec"]


def test_a_binding_is_refused_twice() -> None:
    stage = stage_with(NodePool(count=2))
    stage.create(**asking())
    stage.run(1)
    with pytest.raises(ApiError, match='pod p is already assigned to node "node-0"') as refusal:
        stage.models.kubelets["node-0"].api.bind(stage.pod(), "node-1")
    assert refusal.value.code == 409


@pytest.mark.parametrize("seed", range(5))
def test_no_node_is_ever_overcommitted_and_every_pod_gets_its_turn(seed: int) -> None:
    stream = Random(seed)
    stage = stage_with(NodePool(count=3, cpu="4", pods=6), work_s=3)
    used: dict[str, dict[str, int]] = {f"node-{index}": {} for index in range(3)}

    def watch(type_: str, resource: Resource, old: Document | None, new: Document) -> None:
        node = new["spec"].get("nodeName") if resource.plural == "pods" else None
        if node is None:
            return
        if type_ == "DELETED" or new["status"]["phase"] in ("Succeeded", "Failed"):
            used[node].pop(new["metadata"]["uid"], None)
        else:
            request = new["spec"]["containers"][0]["resources"]["requests"]["cpu"]
            used[node][new["metadata"]["uid"]] = int(request)
        assert sum(used[node].values()) <= 4
        assert len(used[node]) <= 6

    stage.server.observe(watch)
    deleted = set()
    for index in range(120):
        stage.create(f"p{index}", **asking(str(stream.choice((1, 1, 2, 4)))))
        if stream.random() < 0.3:
            victim = stream.randrange(index + 1)
            if not stage.gone(f"p{victim}"):
                stage.delete(f"p{victim}", grace_period_s=stream.choice((0, 5)))
                deleted.add(victim)
        stage.run(stream.random())
    stage.run(600)
    for index in range(120):
        if index in deleted:
            assert stage.gone(f"p{index}")
        else:
            assert stage.pod(f"p{index}")["status"]["phase"] == "Succeeded"
