"""Sets of fields in the form of FieldsV1, held against plain sets of paths."""

from random import Random
from typing import Any

import pytest

from sim.apiserver.ownership.sets import EMPTY, FieldSet, keyed, union, valued, without

Path = tuple[str, ...]


def paths(fields: FieldSet, prefix: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for key, node in fields.items():
        if key == ".":
            found.add(prefix)
            continue
        if not node:
            found.add((*prefix, key))
        found |= paths(node, (*prefix, key))
    return found


def of(members: set[Path]) -> FieldSet:
    root: dict[str, Any] = {}
    for path in sorted(members):
        node = root
        for key in path:
            node = node.setdefault(key, {})
        node["."] = {}
    return tidy(root)


def tidy(node: dict[str, Any]) -> dict[str, Any]:
    inner = {key: tidy(one) for key, one in node.items() if key != "."}
    return {**({".": {}} if "." in node else {}), **inner} if inner else {}


def random_paths(random: Random) -> set[Path]:
    return {tuple(random.choice("abc") for _ in range(random.randint(1, 3))) for _ in range(random.randint(0, 6))}


@pytest.mark.parametrize("seed", range(40))
def test_union_and_difference_are_those_of_the_paths(seed: int) -> None:
    random = Random(seed)
    for _ in range(25):
        one, other = random_paths(random), random_paths(random)
        assert paths(union(of(one), of(other))) == one | other
        assert paths(without(of(one), of(other))) == one - other


def test_sets_with_nothing_in_common_are_not_copied() -> None:
    one = of({("a", "b"), ("c",)})
    assert without(one, of({("a",), ("b",)})) is one
    assert union(one, EMPTY) is one


def test_an_inner_place_may_be_a_member_without_what_is_below() -> None:
    whole = {"f:spec": {".": {}, "f:image": {}}}
    assert without(whole, {"f:spec": {"f:image": {}}}) == {"f:spec": {}}
    assert without(whole, {"f:spec": {}}) == {"f:spec": {"f:image": {}}}
    assert union({"f:spec": {}}, {"f:spec": {"f:image": {}}}) == whole


def test_items_are_named_by_their_keys_or_by_themselves() -> None:
    assert keyed({"containerPort": 80}, ("containerPort", "protocol"), {"protocol": "TCP"}) == (
        'k:{"containerPort":80,"protocol":"TCP"}'
    )
    assert valued("mine/cleanup") == 'v:"mine/cleanup"'
