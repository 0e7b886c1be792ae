"""Pipeline tasks that fan out over a matrix of parameters: one TaskRun for every combination (``v1.Matrix``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from controller.ports import Document
from sim.tekton.conditions import condition_of
from sim.tekton.member import TIMED_OUT_MESSAGE, Member
from sim.tekton.substitution import param_values, substitute

_EMPTY: Document = {}
_Combination = dict[str, str]


@dataclass(slots=True, eq=False)
class Fan(Member):
    """A task with a matrix; ``run`` is the first of its TaskRuns, and it counts as one task whatever their number."""

    fans: ClassVar[bool] = True
    names: Sequence[str] = ()
    """The names of the TaskRuns, once they are created."""
    runs: Sequence[Document] = ()

    def spread(self, runs: Sequence[Document]) -> None:
        """Take the TaskRuns as they are now: it has ended when all have, and failed when one of them has."""
        self.runs = runs
        self.run = runs[0] if runs else None
        states, reasons = self._seen()
        if runs and all(state == "True" for state in states):
            self.state = "True"
        else:
            self.state = "False" if "False" in states and "Unknown" not in states else "Unknown"
        first = next((reason for state, reason in zip(states, reasons, strict=True) if state != "True" and reason), "")
        self.reason = first or (reasons[0] if reasons else "")

    def _seen(self) -> tuple[list[str], list[str]]:
        conditions = [condition_of(run.get("status") or _EMPTY) or _EMPTY for run in self.runs]
        return [one.get("status", "Unknown") for one in conditions], [one.get("reason", "") for one in conditions]

    def results(self) -> Mapping[str, Any]:
        """Arrays: the texts that the TaskRuns emitted under one name, in the order of their names."""
        gathered: dict[str, list[str]] = {}
        for run in sorted(self.runs, key=lambda one: str(one["metadata"]["name"])):
            for one in (run.get("status") or _EMPTY).get("results") or ():
                gathered.setdefault(one["name"], []).append(one["value"] if isinstance(one["value"], str) else "")
        return gathered

    @property
    def cancelled(self) -> bool:
        return self.state == "False" and "TaskRunCancelled" in self._seen()[1]

    @property
    def cancelled_for_timeout(self) -> bool:
        _, reasons = self._seen()
        return self.state == "False" and any(
            reason == "TaskRunCancelled" and run["spec"].get("statusMessage") == TIMED_OUT_MESSAGE
            for reason, run in zip(reasons, self.runs, strict=True)
        )


def is_matrixed(task: Document) -> bool:
    matrix = task.get("matrix") or _EMPTY
    return bool(matrix.get("params") or matrix.get("include"))


def combination_count(matrix: Document) -> int:
    """How many TaskRuns a matrix makes, before it is known whether one of its arrays is empty."""
    params, includes = matrix.get("params") or (), matrix.get("include") or ()
    if not params:
        return len(includes)
    arrays = {one["name"]: one["value"] if isinstance(one.get("value"), list) else [] for one in params}
    return prod(len(values) for values in arrays.values() if values) + _additions(arrays, includes)


def _additions(arrays: Mapping[str, Sequence[str]], includes: Sequence[Document]) -> int:
    added = 0
    for include in includes:
        for param in include.get("params") or ():
            if param["name"] in arrays:
                if param.get("value") in arrays[param["name"]]:
                    break
                added += 1
    return added


def combinations(matrix: Document) -> list[list[dict[str, str]]]:
    """The parameters of every TaskRun, by name; the first array turns fastest. ``include`` adds to those it fits."""
    includes = [
        {one["name"]: str(one.get("value", "")) for one in row.get("params") or ()}
        for row in matrix.get("include") or ()
    ]
    rows: list[_Combination] = []
    for param in matrix.get("params") or ():
        values = param["value"] if isinstance(param.get("value"), list) else []
        if rows:
            rows = [{**row, param["name"]: value} for value in values for row in rows]
        else:
            rows = [{param["name"]: value} for value in values]
    if not matrix.get("params"):
        rows = includes
    else:
        for row in rows:
            for include in includes:
                if all(row.get(name, value) == value for name, value in include.items()):
                    row.update(include)
        for include in includes:
            if include and not any(row.get(name) == value for row in rows for name, value in include.items()):
                rows.append(include)
    return [[{"name": name, "value": row[name]} for name in sorted(row)] for row in rows]


def display_name(task: Document, run: Document, values: Mapping[str, Any]) -> str:
    """What a TaskRun of the task is called for people; combinations of a matrix may have names of their own."""
    given = param_values(run["spec"].get("params") or ())
    named = []
    for row in (task.get("matrix") or _EMPTY).get("include") or ():
        fits = all(given.get(f"params.{one['name']}") == one.get("value") for one in row.get("params") or ())
        if row.get("name") and fits:
            named.append(str(substitute(row["name"], given)))
    if named:
        return " ".join(named)
    return str(substitute(task.get("displayName") or "", {**values, **given}))
