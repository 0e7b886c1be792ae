"""Optimistic concurrency against a small model of its own: any interleaving of readers and writers."""

from core_world import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN

NAMES = st.sampled_from(("a", "b"))
SIZES = st.integers(min_value=0, max_value=10)


class Concurrency(RuleBasedStateMachine):
    """The model: per name a generation count, a size, a phase and a number of writes; None when there is no object."""

    reads = Bundle("reads")

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.model: dict[str, dict[str, object]] = {}
        self.births = 0
        self.last_version = 0
        self.stream = self.world.server.watch(ADMIN, self.world.widgets, bookmarks=False)
        self.writes = 0
        self.writes_seen = 0

    def _attempt(self, call: object) -> tuple[int, Document | None]:
        try:
            return 200, call()  # type: ignore[operator]
        except ApiError as error:
            return error.code, None

    def _wrote(self, name: str, **changes: object) -> None:
        self.model[name] = {**self.model[name], **changes, "serial": self._serial()}

    def _serial(self) -> int:
        self.writes += 1
        return self.writes

    @rule(name=NAMES, size=SIZES)
    def create(self, name: str, size: int) -> None:
        code, _ = self._attempt(lambda: self.world.create(self.world.widgets, name, spec={"size": size}))
        assert code == (409 if name in self.model else 200)
        if code == 200:
            self.births += 1
            self.model[name] = {
                "birth": self.births, "size": size, "phase": None, "generation": 1, "serial": self._serial()
            }  # fmt: skip

    @rule(target=reads, name=NAMES)
    def read(self, name: str) -> object:
        code, found = self._attempt(lambda: self.world.get(self.world.widgets, name))
        assert code == (200 if name in self.model else 404)
        return multiple() if found is None else (name, dict(self.model[name]), found)

    def _expected(self, name: str, known: dict[str, object]) -> int:
        if name not in self.model:
            return 404
        return 200 if self.model[name]["serial"] == known["serial"] else 409

    @rule(taken=reads, size=SIZES)
    def replace(self, taken: tuple[str, dict[str, object], Document], size: int) -> None:
        name, known, document = taken
        expected = self._expected(name, known)
        code, _ = self._attempt(lambda: self.world.update(self.world.widgets, {**document, "spec": {"size": size}}))
        assert code == expected
        if code == 200 and size != self.model[name]["size"]:
            generation = self.model[name]["generation"]
            assert isinstance(generation, int)
            self._wrote(name, size=size, generation=generation + 1)

    @rule(taken=consumes(reads), phase=st.sampled_from(("Up", "Down")))
    def report(self, taken: tuple[str, dict[str, object], Document], phase: str) -> None:
        name, known, document = taken
        expected = self._expected(name, known)
        change = {
            "metadata": {"resourceVersion": document["metadata"]["resourceVersion"]},
            "status": {"phase": phase},
        }
        code, _ = self._attempt(lambda: self.world.patch(self.world.widgets, name, change, subresource="status"))
        assert code == expected
        if code == 200 and phase != self.model[name]["phase"]:
            self._wrote(name, phase=phase)

    @rule(taken=reads)
    def remove(self, taken: tuple[str, dict[str, object], Document]) -> None:
        name, known, document = taken
        uid = document["metadata"]["uid"]
        code, _ = self._attempt(lambda: self.world.delete(self.world.widgets, name, uid=uid))
        current = self.model.get(name)
        assert code == (404 if current is None else 200 if current["birth"] == known["birth"] else 409)
        if code == 200:
            del self.model[name]
            self._serial()

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        assert self.world.names(self.world.widgets) == sorted(self.model)
        for name, known in self.model.items():
            found = self.world.get(self.world.widgets, name)
            assert found["spec"]["size"] == known["size"]
            assert found.get("status", {}).get("phase") == known["phase"]
            assert found["metadata"]["generation"] == known["generation"]

    @invariant()
    def watchers_saw_each_effective_write_once(self) -> None:
        if not hasattr(self, "model"):
            return
        for event in self.stream.take():
            version = int(event.object["metadata"]["resourceVersion"])
            assert version > self.last_version
            self.last_version = version
            self.writes_seen += 1
        assert self.writes_seen == self.writes

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.server.verify()


Concurrency.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestAnyInterleavingOfReadersAndWriters = Concurrency.TestCase
