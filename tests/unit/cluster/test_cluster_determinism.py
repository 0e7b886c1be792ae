"""One seed, one cluster: the same pods, the same instants, the same words."""

from cluster_stage import SECOND, Stage, limited, step, task_spec

from sim.cluster.behaviour import Behaviour
from sim.cluster.images import Catalogue, Image
from sim.cluster.options import ClusterOptions, NodePool


def documents(seed: int) -> list[object]:
    options = ClusterOptions(pools=(NodePool(count=2, cpu="2"),), images=Catalogue(default=Image()))
    cast = {"step-a": Behaviour(duration_us=SECOND, memory_peak_bytes=2**30), "step-b": Behaviour(duration_us=SECOND)}
    stage = Stage(cast, options=options, seed=seed)
    for index in range(12):
        first = limited(step(0, "a"), "64Mi" if index % 4 == 0 else "2Gi")
        stage.create(f"p{index}", **{**task_spec(), "containers": [first, step(1, "b")]})
    stage.run(30)
    stage.delete("p4")
    stage.models.lose_node("node-1")
    stage.run(600)
    return [(at_ms, type_, name, pod) for at_ms, type_, name, pod in stage.rows]


def test_equal_seeds_give_equal_documents_at_equal_times() -> None:
    assert documents(7) == documents(7)


def test_another_seed_gives_other_times() -> None:
    assert documents(7) != documents(8)
