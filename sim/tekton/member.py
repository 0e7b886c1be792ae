"""A task of a PipelineRun together with what has become of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from controller.ports import Document
from sim.tekton.conditions import condition_of
from sim.tekton.graph import Task

_EMPTY: Document = {}
TIMED_OUT_MESSAGE = "TaskRun cancelled as the PipelineRun it belongs to has timed out."


@dataclass(slots=True, eq=False)
class Member:
    """A task of the graph together with its TaskRun, if there is one. ``name`` is the TaskRun's."""

    fans: ClassVar[bool] = False
    """Whether it may have several TaskRuns."""
    task: Task
    name: str
    run: Document | None = None
    state: str = "Unknown"
    reason: str = ""
    reference: Document | None = None
    """Its entry in ``status.childReferences``, once made and if it always stays the same."""
    spec: Document | None = None
    """The Task it runs, as far as it is known."""
    checked: bool = False
    """Whether its parameters were found to fit, with every result in place."""

    def take(self, run: Document | None) -> None:
        self.run = run
        condition = condition_of(run.get("status") or _EMPTY) if run is not None else None
        if condition is None:
            self.state, self.reason = "Unknown", ""
        else:
            self.state, self.reason = condition["status"], condition.get("reason", "")

    def follow(self, run: Document | None) -> bool:
        """Take the TaskRun as it is now if it counts as it did, for a running one's reason does not; else leave it."""
        if run is None or self.run is None:
            return run is self.run
        condition = condition_of(run.get("status") or _EMPTY)
        state, reason = ("Unknown", "") if condition is None else (condition["status"], condition.get("reason", ""))
        if state != self.state or (reason != self.reason and state != "Unknown"):
            return False
        self.run = run
        self.reason = reason
        return True

    def results(self) -> Mapping[str, Any]:
        """The results that were emitted, by name."""
        status = (self.run or _EMPTY).get("status") or _EMPTY
        return {one["name"]: one["value"] for one in status.get("results") or ()}

    @property
    def running(self) -> bool:
        return self.run is not None and self.state == "Unknown"

    @property
    def cancelled(self) -> bool:
        return self.state == "False" and self.reason == "TaskRunCancelled"

    @property
    def cancelled_for_timeout(self) -> bool:
        return self.cancelled and self.run["spec"].get("statusMessage") == TIMED_OUT_MESSAGE  # type: ignore[index]
