"""The Task that a TaskRun runs: embedded, from the cluster or resolved, with its variables filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.ports import ApiError, Document
from controller.runtime.controller import PermanentError
from sim.tekton.access import TASK_RUNS, TASKS, Access
from sim.tekton.attempt import Attempt, RequeueAfter, message_of
from sim.tekton.conditions import set_condition
from sim.tekton.remote import InProgress, Refused, Remote
from sim.tekton.substitution import Memo, param_values, substitute, variables


@dataclass(frozen=True, slots=True, eq=False)
class TaskTemplate:
    """``spec`` after substitution; ``results`` are the declared results with their types; ``source`` is where a
    resolved Task came from."""

    spec: Document
    results: Mapping[str, str]
    source: Document | None = None


_EMPTY: Document = {}
_variables = Memo()
_plain = Memo()


class TaskTemplates:
    def __init__(self, access: Access, remote: Remote) -> None:
        self._access = access
        self._remote = remote

    async def resolve(self, attempt: Attempt) -> TaskTemplate:
        """The Task of this attempt. Raises PermanentError or RequeueAfter after having set the condition."""
        status, spec = attempt.status, attempt.document["spec"]
        source = (status.get("provenance") or _EMPTY).get("refSource")
        known = status.get("taskSpec")
        if known is not None:
            return _template(known, source)
        embedded = spec.get("taskSpec")
        if embedded is None:
            embedded, source = await self._referenced(attempt, spec["taskRef"])
        return _template(_filled(embedded, attempt), source)

    async def _referenced(self, attempt: Attempt, reference: Document) -> tuple[Document, Document | None]:
        access = self._access
        now = access.time.timestamp()
        try:
            if reference.get("resolver"):
                task = await self._remote.fetch(TASK_RUNS, attempt.document, reference)
                return task.document["spec"], task.source
            found = await access.tekton.get(TASKS, attempt.namespace, reference["name"])
        except InProgress:
            text = f"TaskRun {attempt.namespace}/{attempt.name} awaiting remote resource"
            set_condition(attempt.status, "Unknown", "ResolvingTaskRef", text, now)
            raise RequeueAfter(self._remote.recheck_us or access.options.default_timeout_us) from None
        except (ApiError, Refused) as error:
            set_condition(attempt.status, "False", "TaskRunResolutionFailed", message_of(error), now)
            attempt.status["completionTime"] = now
            attempt.precise = True
            raise PermanentError(message_of(error)) from error
        return found["spec"], None


def _template(spec: Document, source: Document | None) -> TaskTemplate:
    known: TaskTemplate | None = _plain.get(spec)
    if known is None or known.source is not source:
        results = {one["name"]: one.get("type", "string") for one in spec.get("results") or ()}
        known = TaskTemplate(spec, results, source)
        _plain.put(spec, known)
    return known


def _filled(spec: Document, attempt: Attempt) -> Document:
    names: frozenset[str] | None = _variables.get(spec)
    if names is None:
        names = variables(spec)
        _variables.put(spec, names)
    if not names:
        return spec
    values: dict[str, Any] = {
        "context.taskRun.name": attempt.name,
        "context.taskRun.namespace": attempt.namespace,
        "context.taskRun.uid": attempt.metadata["uid"],
        "context.task.name": (attempt.document["spec"].get("taskRef") or {}).get("name", ""),
        "context.task.retry-count": str(len(attempt.status.get("retriesStatus") or ())),
    }
    declared = spec.get("params") or ()
    values.update(param_values({"name": one["name"], "value": one.get("default")} for one in declared))
    values.update(param_values(attempt.document["spec"].get("params") or ()))
    for one in spec.get("results") or ():
        values[f"results.{one['name']}.path"] = f"/tekton/results/{one['name']}"
    bound = {one["name"] for one in attempt.document["spec"].get("workspaces") or ()}
    for one in spec.get("workspaces") or ():
        values[f"workspaces.{one['name']}.bound"] = "true" if one["name"] in bound else "false"
        values[f"workspaces.{one['name']}.path"] = f"/workspace/{one['name']}" if one["name"] in bound else ""
    filled: Document = substitute(spec, values)
    return filled
