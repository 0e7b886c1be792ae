from typing import Any

import pytest

from controller.ports import Document
from controller.runtime.cache import Cache, key_of


def pod(name: str, namespace: str = "team", **fields: Any) -> Document:
    return {"metadata": {"name": name, "namespace": namespace}, **fields}


def by_node(document: Document) -> list[str]:
    return [document["node"]] if "node" in document else []


def names(documents: list[Document]) -> list[str]:
    return [document["metadata"]["name"] for document in documents]


def test_the_latest_version_is_found_by_namespace_and_name() -> None:
    cache = Cache()
    first, second = pod("a", version=1), pod("a", version=2)
    assert cache.put(first) is None
    assert cache.put(second) is first
    assert cache.get("team", "a") is second
    assert cache.get("other", "a") is None
    assert len(cache) == 1
    assert cache.remove("team", "a") is second
    assert cache.remove("team", "a") is None
    assert cache.get("team", "a") is None


def test_cluster_scoped_objects_live_in_the_empty_namespace() -> None:
    cache = Cache()
    node: Document = {"metadata": {"name": "n1"}}
    cache.put(node)
    assert key_of(node) == ("", "n1")
    assert cache.get("", "n1") is node


def test_lists_are_in_the_order_in_which_objects_first_came() -> None:
    cache = Cache()
    for name in "cab":
        cache.put(pod(name))
    cache.put(pod("c", version=2))
    cache.put(pod("x", "other"))
    assert names(cache.list()) == ["c", "a", "b", "x"]
    assert names(cache.list("team")) == ["c", "a", "b"]
    assert list(cache) == [("team", "c"), ("team", "a"), ("team", "b"), ("other", "x")]


def test_an_index_follows_its_objects() -> None:
    cache = Cache({"node": by_node})
    cache.put(pod("a", node="n1"))
    cache.put(pod("b", node="n1"))
    cache.put(pod("c"))
    assert names(cache.by_index("node", "n1")) == ["a", "b"]
    cache.put(pod("a", node="n2"))
    assert names(cache.by_index("node", "n1")) == ["b"]
    assert names(cache.by_index("node", "n2")) == ["a"]
    cache.put(pod("c", node="n1", version=2))
    cache.put(pod("b", node="n1", version=3))
    assert names(cache.by_index("node", "n1")) == ["b", "c"]
    assert cache.by_index("node", "n1")[0]["version"] == 3
    cache.put(pod("c"))
    cache.remove("team", "b")
    assert cache.by_index("node", "n1") == []
    assert cache.by_index("node", "nowhere") == []


def test_an_object_may_have_many_values_in_one_index() -> None:
    cache = Cache({"tag": lambda document: document["tags"]})
    cache.put(pod("a", tags=["x", "y", "x"]))
    cache.put(pod("b", tags=["y"]))
    cache.put(pod("a", tags=["y", "z"]))
    assert names(cache.by_index("tag", "y")) == ["a", "b"]
    cache.remove("team", "b")
    assert [len(cache.by_index("tag", tag)) for tag in "xyz"] == [0, 1, 1]


def test_indexes_do_not_disturb_each_other() -> None:
    cache = Cache({"node": by_node})
    cache.add_index("name", lambda document: [document["metadata"]["name"]])
    cache.put(pod("a", node="n1"))
    cache.put(pod("a", node="n2"))
    assert names(cache.by_index("name", "a")) == ["a"]
    assert names(cache.by_index("node", "n2")) == ["a"]


def test_an_index_that_comes_late_or_twice_is_refused() -> None:
    cache = Cache({"node": by_node})
    with pytest.raises(ValueError, match="'node' exists"):
        cache.add_index("node", by_node)
    cache.put(pod("a"))
    with pytest.raises(ValueError, match="after the first object"):
        cache.add_index("late", by_node)


def test_an_unknown_index_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Cache().by_index("nope", "x")
