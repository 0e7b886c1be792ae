import random
import re

import pytest
from faker import Faker

from sim.workload.names import KINDS, Names, targets

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@pytest.mark.parametrize("kind", ["namespaces", "workloads"])
@pytest.mark.parametrize("count", [1, 7, 250, 5_000])
def test_names_are_as_many_as_asked_for_all_different_and_valid_labels(kind: str, count: int) -> None:
    names = getattr(Names(random.Random(1)), kind)(count)
    assert len(names) == len(set(names)) == count
    assert all(LABEL.fullmatch(name) for name in names)


def test_targets_are_namespace_kind_and_name_spread_evenly() -> None:
    made = [target.split("/") for target in Names(random.Random(1)).targets(3_000, namespaces=30)]
    assert len({name for _, _, name in made}) == 3_000
    namespaces = [namespace for namespace, _, _ in made]
    assert len(set(namespaces)) == 30
    assert {namespaces.count(namespace) for namespace in set(namespaces)} == {100}
    assert {kind for _, kind, _ in made} == set(KINDS)


def test_pairs_name_each_target_by_its_workload() -> None:
    pairs = targets(random.Random(1), 50)
    assert [target.split("/")[2] for _, target in pairs] == [name for name, _ in pairs]
    assert len(dict(pairs)) == 50


def test_few_names_already_vary_in_both_their_parts() -> None:
    names = Names(random.Random(1)).workloads(20)
    assert len({name.rpartition("-")[0] for name in names}) == 20
    assert len({name.rpartition("-")[2] for name in names}) > 3


def test_names_repeat_with_their_stream_and_differ_with_another() -> None:
    assert targets(random.Random(1), 100) == targets(random.Random(1), 100)
    assert targets(random.Random(1), 100) != targets(random.Random(2), 100)


def test_other_fakers_and_the_global_stream_are_left_alone() -> None:
    Faker.seed(5)
    random.seed(5)
    undisturbed = (Faker().name(), random.random())
    Faker.seed(5)
    random.seed(5)
    targets(random.Random(1), 100)
    assert (Faker().name(), random.random()) == undisturbed


def test_targets_without_a_namespace_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 namespace"):
        Names(random.Random(1)).targets(5, namespaces=0)
