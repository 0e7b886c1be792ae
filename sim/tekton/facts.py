"""What a PipelineRun is to do and to say, given its graph and its TaskRuns (``resources.PipelineRunFacts``)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.deadlines import Deadlines
from sim.tekton.goformat import listed
from sim.tekton.graph import Graph, Task
from sim.tekton.member import Member
from sim.tekton.references import ResultReference
from sim.tekton.substitution import param_values, substitute, substitute_when

_EMPTY: Document = {}
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
_EMPTY_MATRIX_SKIP = "Matrix Parameters have an empty array"
_FINALLY_TIMEOUT_SKIP = "PipelineRun Finally timeout has been reached"
TIMEOUT_SKIPS = frozenset({_PIPELINE_TIMEOUT_SKIP, _TASKS_TIMEOUT_SKIP, _FINALLY_TIMEOUT_SKIP})


class DoneTooEarly(Exception):
    """Tasks count as done although the walk through the graph has not come to them: the attempt ends there.

    That is how the real controller meets a task that is skipped while its only parents still run.
    """

    def __init__(self, names: Sequence[str]) -> None:
        text = "invalid list of done tasks; some tasks were indicated completed without ancestors being done"
        super().__init__(f"{text}: {listed(names)}")


class Facts:
    """One look at the tasks of a PipelineRun. ``members`` are in the order of ``childReferences``.

    The questions are asked several times in every look, so their loops are plain ones and leave out early.
    """

    __slots__ = (
        "_by_name",
        "_deadlines",
        "_now_us",
        "_skips",
        "asks",
        "demand",
        "graph",
        "members",
        "starting",
        "unusable",
    )

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
        self.asks = self.graph.has_matrix
        """Whether every look costs requests or more than a glance, so that none may be left out."""
        self.starting: set[str] = set()
        """Tasks whose TaskRuns were created in this look."""

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
        """Tasks that may start now, in order; not those of ``finally``. Raises DoneTooEarly."""
        if self.demand in ("Cancelled", "CancelledRunFinally"):
            return []
        early = [
            one.task.name
            for one in self.members
            if one.task.parents and self.is_done(one) and not self._is_reached(one.task)
        ]
        if early:
            raise DoneTooEarly(early)
        if self.demand == "StoppedRunFinally" or self.stopping:
            return []
        return [
            one
            for one in self.members
            if one.run is None and not one.task.final and self._parents_done(one.task) and not self.is_done(one)
        ]

    def _is_reached(self, task: Task) -> bool:
        """Whether a walk from the roots that goes on only from tasks that are done comes by here."""
        for parent in task.parents:
            one = self._by_name[parent]
            if (one.state != "Unknown" or self.is_done(one)) and (not one.task.parents or self._is_reached(one.task)):
                return True
        return False

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
        if self._deadlines.tasks_over(self._now_us):
            return _TASKS_TIMEOUT_SKIP
        return _EMPTY_MATRIX_SKIP if self._by_name[task.name].fans and self._has_empty_array(task) else ""

    def _has_empty_array(self, task: Task) -> bool:
        return any(one.get("value") == [] for one in self.matrix_of(task).get("params") or ())

    def matrix_of(self, task: Task) -> Document:
        """The task's matrix with the results in place."""
        matrix: Document = substitute(task.spec["matrix"], self.result_values(task))
        return matrix

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
        if self._deadlines.finally_over(self._now_us):
            return _FINALLY_TIMEOUT_SKIP
        return _EMPTY_MATRIX_SKIP if member.fans and self._has_empty_array(member.task) else ""

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
        """The task's ``when`` with what is known in place; None without one. The states of the other tasks are known
        to a task of ``finally`` only until it has started."""
        when = task.spec.get("when")
        return substitute_when(when, self.values_for(task)) if when else None

    def _when_allows(self, task: Task) -> bool:
        when = task.spec.get("when")
        if not when:
            return True
        for one in substitute_when(when, self.values_for(task)):
            allowed = one.get("input", "") in (one.get("values") or ())
            if allowed != (one.get("operator") == "in"):
                return False
        return True

    def _results_skip(self, task: Task) -> bool:
        if not task.skippable:
            return False
        for reference in task.results:
            if self._result(reference) is None:
                origin = self._by_name.get(reference.task)
                if origin is None:
                    return False
                return task.ignores_failure or task.final or self.skip_reason(origin) == WHEN_SKIP
        return False

    def has_results(self, task: Task) -> bool:
        """Whether every result that the task uses is there."""
        return all(self._result(reference) is not None for reference in task.results)

    def missing_result(self, task: Task) -> str:
        """Why a task that is due cannot have the results it uses, or ``""``."""
        for source, result, _, _ in task.results:
            origin = self._by_name.get(source)
            if origin is None:
                return f'Result reference error: Could not find ref "{source}" in internal pipelineRunState'
            run = origin.run
            if run is None:
                return f'Result reference error: Internal result ref "{source}" has zero-length TaskRuns'
            if any(one["name"] == result for one in (run.get("status") or _EMPTY).get("results") or ()):
                continue
            if origin.state == "True":
                return (
                    f'task "{source}" completed successfully but did not emit the result "{result}", '
                    f'which is referenced by task "{task.name}"'
                )
            return f"Invalid task result reference: Could not find result with name {result} for pipeline task {source}"
        return ""

    def _result(self, reference: ResultReference) -> Any:
        origin = self._by_name.get(reference.task)
        if origin is None or origin.run is None or origin.state == "Unknown":
            return None
        return origin.results().get(reference.result)

    def index_out_of_bounds(self, task: Task) -> str:
        """What is wrong with an index into an array that a task emitted, or ``""``."""
        for reference in task.results:
            value = self._result(reference) if reference.item is not None else None
            if isinstance(value, list) and reference.item is not None and reference.item >= len(value):
                where = f"array Result Index {reference.item} for Task {reference.task} Result {reference.result}"
                return f"{where} is out of bound of size {len(value)}"
        return ""

    def result_values(self, task: Task) -> dict[str, Any]:
        """The variables that the results used by a task stand for: of all of them, or of none while one is missing."""
        values: dict[str, Any] = {}
        for reference in task.results:
            value = self._result(reference)
            if value is None:
                return {}
            values.update(
                param_values(({"name": reference.result, "value": value},), f"tasks.{reference.task}.results")
            )
        return values

    def values_for(self, task: Task) -> dict[str, Any]:
        """All variables that the state of the run defines for a task: results, and for ``finally`` the states."""
        values = self.result_values(task)
        if task.final and (task.name in self.starting or self._by_name[task.name].run is None):
            for one in self.members:
                if not one.task.final:
                    word = {"True": "Succeeded", "False": "Failed"}.get(one.state, "None")
                    values[f"tasks.{one.task.name}.status"] = word
                    values[f"tasks.{one.task.name}.reason"] = one.reason
            values["tasks.status"] = self._aggregate(one for one in self.members if not one.task.final)
        return values

    def emitted(self, failures: bool) -> dict[str, Mapping[str, Any]]:
        """The results of the finished tasks by task; with ``failures`` those of failed tasks, too. Those of a fan are
        gathered only where another task uses some of them."""
        used = {one.task for task in self.graph.tasks for one in task.results} if self.graph.has_matrix else set()
        return {
            one.task.name: one.results()
            for one in self.members
            if one.run is not None
            and (one.state == "True" or (failures and one.state == "False"))
            and (not one.fans or one.task.name in used)
        }

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
