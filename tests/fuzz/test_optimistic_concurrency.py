"""Many writers of one object over HTTP, judged by a small model of optimistic concurrency."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from victim import Victim

NAMES = ("a", "b")
VALUES = st.sampled_from(["1", "2", "3"])
PATH = "/api/v1/namespaces/default/configmaps"


class Writers(RuleBasedStateMachine):
    """The model knows of each object its data, and every version of it that anyone has read.

    A write with a version succeeds if, and only if, nobody has changed the object since; what changes nothing makes no
    new version; names are taken once; a deleted object's versions are worth nothing to its successor.
    """

    versions = Bundle("versions")
    victim: Victim

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, dict[str, str]] = {}
        self.version: dict[str, str] = {}
        self.uid: dict[str, str] = {}
        self.highest = 0

    @initialize()
    def begin(self) -> None:
        self.victim.client.delete(PATH, params={"labelSelector": "by=writers"})
        assert self.listed() == {}

    @rule(target=versions, name=st.sampled_from(NAMES), value=VALUES)
    def create(self, name: str, value: str) -> Any:
        body = {"metadata": {"name": name, "labels": {"by": "writers"}}, "data": {"k": value}}
        answer = self.victim.client.post(PATH, json=body)
        if name in self.data:
            assert (answer.status_code, answer.json()["reason"]) == (409, "AlreadyExists")
            return name, self.version[name], self.uid[name]
        assert answer.status_code == 201
        return self._written(name, {"k": value}, answer.json(), fresh=True)

    @rule(target=versions, known=versions, value=VALUES)
    def replace(self, known: tuple[str, str, str], value: str) -> Any:
        """By someone who has read ``known`` at some time."""
        name, version, uid = known
        metadata = {"name": name, "labels": {"by": "writers"}, "resourceVersion": version, "uid": uid}
        answer = self.victim.client.put(f"{PATH}/{name}", json={"metadata": metadata, "data": {"k": value}})
        return self._judged(known, {"k": value}, answer)

    @rule(target=versions, known=versions, value=VALUES)
    def merge(self, known: tuple[str, str, str], value: str) -> Any:
        name, version, _ = known
        body = {"metadata": {"resourceVersion": version}, "data": {"m": value}}
        answer = self._patch(name, body)
        return self._judged(known, {**self.data.get(name, {}), "m": value}, answer)

    @rule(target=versions, name=st.sampled_from(NAMES), value=VALUES)
    def merge_whatever_is_there(self, name: str, value: str) -> Any:
        answer = self._patch(name, {"data": {"w": value}})
        if name not in self.data:
            assert answer.status_code == 404
            return name, "1", "nobody"
        assert answer.status_code == 200
        return self._written(name, {**self.data[name], "w": value}, answer.json())

    @rule(known=consumes(versions))
    def delete(self, known: tuple[str, str, str]) -> None:
        name, version, uid = known
        body = {"preconditions": {"resourceVersion": version, "uid": uid}}
        answer = self.victim.client.request("DELETE", f"{PATH}/{name}", json=body)
        if name not in self.data:
            assert answer.status_code == 404
        elif (version, uid) != (self.version[name], self.uid[name]):
            assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")
        else:
            assert answer.status_code == 200
            for memory in (self.data, self.version, self.uid):
                del memory[name]

    @invariant()
    def everybody_reads_what_was_written(self) -> None:
        assert self.listed() == self.data

    def listed(self) -> dict[str, dict[str, str]]:
        found = self.victim.client.get(PATH, params={"labelSelector": "by=writers"}).json()
        return {one["metadata"]["name"]: one["data"] for one in found["items"]}

    def _patch(self, name: str, body: Any) -> Any:
        headers = {"content-type": "application/merge-patch+json"}
        return self.victim.client.patch(f"{PATH}/{name}", json=body, headers=headers)

    def _judged(self, known: tuple[str, str, str], data: dict[str, str], answer: Any) -> tuple[str, str, str]:
        name, version, _ = known
        if name not in self.data:
            assert answer.status_code == 404
            return known
        if version != self.version[name]:
            assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")
            return known
        assert answer.status_code == 200, answer.text
        return self._written(name, data, answer.json())

    def _written(self, name: str, data: dict[str, str], stored: Any, *, fresh: bool = False) -> tuple[str, str, str]:
        version, uid = stored["metadata"]["resourceVersion"], stored["metadata"]["uid"]
        assert stored["data"] == data
        if fresh:
            assert uid not in self.uid.values()
        else:
            assert uid == self.uid[name]
        if fresh or data != self.data[name]:
            assert int(version) > self.highest
        else:
            assert version == self.version[name]
        self.highest = max(self.highest, int(version))
        self.data[name], self.version[name], self.uid[name] = data, version, uid
        return name, version, uid


def test_writers_meet_as_the_model_says(victim: Victim) -> None:
    machine = type("WritersOfThis", (Writers,), {"victim": victim})
    case = machine.TestCase
    case.settings = settings(
        max_examples=40,
        stateful_step_count=30,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
