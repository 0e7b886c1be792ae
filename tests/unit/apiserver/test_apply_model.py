"""Applying and updating in any order against a small model that knows keys, values and owners, and nothing of sets."""

from typing import Any

from applying import MAPS, Applying, owners
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN

_DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)
_APPLY = st.tuples(st.just("apply"), st.sampled_from(["x", "y", "z"]), _DATA, st.booleans())
_UPDATE = st.tuples(st.just("update"), st.sampled_from(["x", "u"]), _DATA, st.just(True))


_ALWAYS = {"z": "0"}  # that somebody else owns: the map itself, which has owners of its own, never goes


class Model:
    """``owned`` are the owners of every key: ``x Apply``, ``u Update``."""

    def __init__(self) -> None:
        self.data: dict[str, str] = {"a": "1"}
        self.owned: dict[str, set[str]] = {"a": {"u Update"}}

    def apply(self, manager: str, wanted: dict[str, str], *, force: bool) -> bool:
        me = f"{manager} Apply"
        changed = {key for key, value in wanted.items() if self.data.get(key) != value}
        if not force and any(self.owned.get(key, set()) - {me} for key in changed):
            return False
        for key in [key for key, who in self.owned.items() if me in who and key not in wanted]:
            self.owned[key].discard(me)
            if not self.owned[key]:
                del self.owned[key], self.data[key]
        for key, value in wanted.items():
            self.owned[key] = {me} if key in changed else self.owned.get(key, set()) | {me}
            self.data[key] = value
        return True

    def update(self, manager: str, wanted: dict[str, str]) -> None:
        for key in [key for key in self.data if key not in wanted]:
            del self.data[key]
            self.owned.pop(key, None)
        for key, value in wanted.items():
            if self.data.get(key) != value:
                self.owned[key] = {f"{manager} Update"}
            self.data[key] = value


def told(document: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for who, fields in owners(document).items():
        for key in fields.get("f:data", {}):
            if key not in (".", "f:z"):
                found.setdefault(key[2:], set()).add(who)
    return found


def answered(cluster: Applying, manager: str, data: dict[str, str], *, force: bool) -> int:
    try:
        cluster.apply(MAPS, manager, force=force, data=data)
    except ApiError as error:
        return error.code
    return 200


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(_APPLY, _UPDATE), max_size=12))
def test_owners_and_values_are_those_of_the_model(steps: list[tuple[str, str, dict[str, str], bool]]) -> None:
    cluster, model = Applying(), Model()
    body = {"metadata": {"name": "a", "labels": {"kept": "yes"}}, "data": {"a": "1", **_ALWAYS}}
    cluster.server.create(ADMIN, MAPS, "default", body, manager="u")
    for kind, manager, data, force in steps:
        if kind == "update":
            model.update(manager, data)
            current = cluster.server.get(ADMIN, MAPS, "default", "a")
            cluster.server.update(
                ADMIN, MAPS, "default", "a", {**current, "data": {**data, **_ALWAYS}}, manager=manager
            )
        else:
            code = 200 if model.apply(manager, data, force=force) else 409
            assert answered(cluster, manager, data, force=force) == code
        found = cluster.server.get(ADMIN, MAPS, "default", "a")
        assert found["data"] == {**model.data, **_ALWAYS}
        assert told(found) == model.owned
    cluster.server.verify()
    cluster.loop.close()
