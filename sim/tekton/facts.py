"""What a PipelineRun is to do and to say, given its graph and its TaskRuns (``resources.PipelineRunFacts``)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.ports import Document
from sim.tekton.conditions import condition_of
from sim.tekton.deadlines import Deadlines
from sim.tekton.graph import Graph, Task
from sim.tekton.substitution import param_values, substitute

_EMPTY: Document = {}
TIMED_OUT_MESSAGE = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
WHEN_SKIP = "When Expressions evaluated to false"
_PARENT_SKIP = "Parent Tasks were skipped"
_STOPPING_SKIP = "PipelineRun was stopping"
_DEMAND_SKIPS = {
    "CancelledRunFinally": "PipelineRun was gracefully cancelled",
    "StoppedRunFinally": "PipelineRun was gracefully stopped",
}
_RESULTS_SKIP = "Results were missing"
_PIPELINE_TIMEOUT_SKIP = "PipelineRun timeout has been reached"
_TASKS_TIMEOUT_SKIP = "PipelineRun Tasks timeout has been reached"
_FINALLY_TIMEOUT_SKIP = "PipelineRun Finally timeout has been reached"
TIMEOUT_SKIPS = frozenset({_PIPELINE_TIMEOUT_SKIP, _TASKS_TIMEOUT_SKIP, _FINALLY_TIMEOUT_SKIP})


@dataclass(slots=True, eq=False)
class Member:
    """A task of the graph together with its TaskRun, if there is one. ``name`` is the TaskRun's."""

    task: Task
    name: str
    run: Document | None = None
    state: str = "Unknown"
    reason: str = ""
    reference: Document | None = None
    """Its entry in ``status.childReferences``, once made and if it always stays the same."""

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

    @property
    def running(self) -> bool:
        return self.run is not None and self.state == "Unknown"

    @property
    def cancelled(self) -> bool:
        return self.state == "False" and self.reason == "TaskRunCancelled"

    @property
    def cancelled_for_timeout(self) -> bool:
        return self.cancelled and self.run["spec"].get("statusMessage") == TIMED_OUT_MESSAGE  # type: ignore[index]


class Facts:
    """One look at the tasks of a PipelineRun. ``members`` are in the order of ``childReferences``.

    The questions are asked several times in every look, so their loops are plain ones and leave out early.
    """

    __slots__ = ("_by_name", "_deadlines", "_now_us", "_skips", "demand", "graph", "members", "unusable")

    def __init__(
        self,
        graph: Graph,
        by_name: Mapping[str, Member],
        members: Sequence[Member],
        demand: str,
        deadlines: Deadlines,
        now_us: int,
    ) -> None:
        self.graph = graph
        self.members = members
        self.demand = demand
        """``spec.status`` of the PipelineRun: what its user asked for, or ``""``."""
        self.unusable: dict[str, str] = {}
        """Tasks that cannot be started because a finished task did not emit what they use, with the reason."""
        self._by_name = by_name
        self._deadlines = deadlines
        self._now_us = now_us
        self._skips: dict[str, str] = {}

    def forget_skips(self) -> None:
        self._skips.clear()

    def restart_clock(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines

    @property
    def stopping(self) -> bool:
        unusable = self.unusable
        for one in self.members:
            if one.state == "False" or (unusable and one.task.name in unusable):
                task = one.task
                if not (task.final or task.ignores_failure):
                    return True
        return False

    def is_done(self, member: Member) -> bool:
        return member.state != "Unknown" or member.task.name in self.unusable or self.skip_reason(member) != ""

    def tasks_done(self) -> bool:
        for one in self.members:
            if one.state == "Unknown" and not one.task.final and not self.is_done(one):
                return False
        return True

    def finals_done(self) -> bool:
        if self.graph.has_finally:
            for one in self.members:
                if one.task.final and not self.is_done(one):
                    return False
        return True

    def finals_started(self) -> bool:
        if self.graph.has_finally:
            for one in self.members:
                if one.task.final and one.run is not None:
                    return True
        return False

    def next_tasks(self) -> list[Member]:
        """Tasks that may start now, in order; not those of ``finally``."""
        if self.demand in ("Cancelled", "CancelledRunFinally", "StoppedRunFinally") or self.stopping:
            return []
        return [
            one
            for one in self.members
            if one.run is None and not one.task.final and self._parents_done(one.task) and not self.is_done(one)
        ]

    def _parents_done(self, task: Task) -> bool:
        by_name = self._by_name
        for parent in task.parents:
            one = by_name[parent]
            if one.state == "Unknown" and not self.is_done(one):
                return False
        return True

    def next_finals(self) -> list[Member]:
        if not self.graph.has_finally or not self.tasks_done():
            return []
        return [one for one in self.members if one.task.final and one.run is None]

    def skip_reason(self, member: Member) -> str:
        """Why a task of the graph will not run, or ``""``."""
        if member.run is not None:
            return ""
        known = self._skips.get(member.task.name)
        if known is None:
            known = self._skips[member.task.name] = self._skip_reason(member)
        return known

    def _skip_reason(self, member: Member) -> str:
        if member.task.final or member.task.name in self.unusable:
            return ""
        if self.stopping:
            return _STOPPING_SKIP
        if self.demand in _DEMAND_SKIPS:
            return _DEMAND_SKIPS[self.demand]
        parents_done = self._parents_done(member.task)
        if parents_done and not self._when_allows(member.task):
            return WHEN_SKIP
        for parent in member.task.parents:
            if self.skip_reason(self._by_name[parent]) not in ("", WHEN_SKIP):
                return _PARENT_SKIP
        return self._late_skip_reason(member.task) if parents_done else ""

    def _late_skip_reason(self, task: Task) -> str:
        if self._results_skip(task):
            return _RESULTS_SKIP
        if self._deadlines.pipeline_over(self._now_us):
            return _PIPELINE_TIMEOUT_SKIP
        return _TASKS_TIMEOUT_SKIP if self._deadlines.tasks_over(self._now_us) else ""

    def final_skip_reason(self, member: Member) -> str:
        """Why a task of ``finally`` will not run, or ``""``."""
        if not member.task.final or member.run is not None or not self.tasks_done():
            return ""
        if self._results_skip(member.task):
            return _RESULTS_SKIP
        if not self._when_allows(member.task):
            return WHEN_SKIP
        if self._deadlines.pipeline_over(self._now_us):
            return _PIPELINE_TIMEOUT_SKIP
        return _FINALLY_TIMEOUT_SKIP if self._deadlines.finally_over(self._now_us) else ""

    def skipped(self) -> list[dict[str, Any]]:
        """``status.skippedTasks``."""
        listed = []
        for one in self.members:
            if one.run is not None:
                continue
            reason = self.skip_reason(one) or self.final_skip_reason(one)
            if reason:
                entry: dict[str, Any] = {"name": one.task.name, "reason": reason}
                if one.task.spec.get("when") and (not one.task.final or reason == WHEN_SKIP):
                    entry["whenExpressions"] = self.when_of(one.task)
                listed.append(entry)
        return listed

    def when_of(self, task: Task) -> Any:
        """The task's ``when`` with the results in place; None without one."""
        when = task.spec.get("when")
        return substitute(when, self.result_values(task)) if when else None

    def _when_allows(self, task: Task) -> bool:
        when = task.spec.get("when")
        if not when:
            return True
        values = self.values_for(task)
        return all(
            (substitute(one.get("input", ""), values) in substitute(one.get("values") or [], values))
            == (one.get("operator") == "in")
            for one in when
        )

    def _results_skip(self, task: Task) -> bool:
        for source, result in task.results:
            if self._result(source, result) is None:
                origin = self._by_name.get(source)
                if origin is not None and (task.ignores_failure or task.final or self.skip_reason(origin) == WHEN_SKIP):
                    return True
        return False

    def missing_result(self, task: Task) -> str:
        """Why a task that is due cannot have the results it uses, or ``""``."""
        for source, result in task.results:
            origin = self._by_name.get(source)
            if origin is None:
                return f'could not find task "{source}" referenced by result'
            if self._result(source, result) is None:
                if origin.state == "True":
                    return (
                        f'task "{source}" completed successfully but did not emit the result "{result}", '
                        f'which is referenced by task "{task.name}"'
                    )
                return (
                    "[User error] Invalid task result reference: Could not find result with name "
                    f"{result} for pipeline task {source}"
                )
        return ""

    def _result(self, source: str, result: str) -> Any:
        origin = self._by_name.get(source)
        if origin is None or origin.run is None or origin.state == "Unknown":
            return None
        for one in origin.run["status"].get("results") or ():
            if one["name"] == result:
                return one["value"]
        return None

    def result_values(self, task: Task) -> dict[str, Any]:
        """The variables that the results used by a task stand for."""
        values: dict[str, Any] = {}
        for source, result in task.results:
            value = self._result(source, result)
            if value is not None:
                values.update(param_values(({"name": result, "value": value},), f"tasks.{source}.results"))
        return values

    def values_for(self, task: Task) -> dict[str, Any]:
        """All variables that the state of the run defines for a task: results, and for ``finally`` the states."""
        values = self.result_values(task)
        if task.final:
            for one in self.members:
                if not one.task.final:
                    word = {"True": "Succeeded", "False": "Failed"}.get(one.state, "None")
                    values[f"tasks.{one.task.name}.status"] = word
                    values[f"tasks.{one.task.name}.reason"] = one.reason
            values["tasks.status"] = self._aggregate(one for one in self.members if not one.task.final)
        return values

    def all_values(self) -> dict[str, Any]:
        """The variables of every result that was emitted."""
        values: dict[str, Any] = {}
        for one in self.members:
            if one.run is not None and one.state != "Unknown":
                results = one.run["status"].get("results") or ()
                values.update(param_values(results, f"tasks.{one.task.name}.results"))
        return values

    def _aggregate(self, members: Iterable[Member]) -> str:
        if not self.tasks_done():
            return "None"
        word = "Succeeded"
        for one in members:
            if one.state == "False":
                return "Failed"
            if self.skip_reason(one):
                word = "Completed"
        return word
