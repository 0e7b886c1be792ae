"""The Task that a TaskRun runs: embedded, from the cluster or resolved, with its variables filled in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import PermanentError
from sim.tekton.access import TASK_RUNS, TASKS, Access
from sim.tekton.attempt import Attempt, RequeueAfter, message_of
from sim.tekton.conditions import set_condition
from sim.tekton.podcontainers import step_name
from sim.tekton.remote import InProgress, Refused, Remote, Resolved
from sim.tekton.setback import Setback
from sim.tekton.substitution import Memo, param_values, substitute, variables
from sim.tekton.taskresults import Declared, declared_by, labelled
from sim.tekton.taskvalidation import unmet
from sim.tekton.transience import is_transient
from sim.tekton.workspaces import mount_path, volume_names

TASK_LABEL = "tekton.dev/task"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True, eq=False)
class TaskTemplate:
    """``spec`` after substitution; ``declared`` are its results; ``source`` is where a resolved Task came from."""

    spec: Document
    declared: Declared
    source: Document | None = None


_EMPTY: Document = {}
_variables = Memo()
_plain = Memo()


class TaskTemplates:
    def __init__(self, access: Access, remote: Remote) -> None:
        self._access = access
        self._remote = remote

    async def resolve(self, attempt: Attempt) -> TaskTemplate:
        """The Task of this attempt. Raises PermanentError, RequeueAfter or Setback after having set the condition, and
        ApiError for what is to be tried again."""
        status, spec = attempt.status, attempt.document["spec"]
        known = status.get("taskSpec")
        if known is not None:
            return _template(known, (status.get("provenance") or _EMPTY).get("refSource"))
        embedded, source, name = spec.get("taskSpec"), None, attempt.name
        if embedded is None:
            found = await self._referenced(attempt, spec["taskRef"])
            name, embedded, source = found.document["metadata"]["name"], found.document["spec"], found.source
            _adopt_metadata(attempt, found.document["metadata"])
        return _template(_filled(embedded, attempt, name), source)

    def check(self, attempt: Attempt, template: TaskTemplate) -> None:
        """Whether the TaskRun gives what the Task demands. Raises PermanentError after having set the condition."""
        name = attempt.labels.get(TASK_LABEL, attempt.name) if "taskRef" in attempt.document["spec"] else attempt.name
        text = unmet(name, template.spec, attempt.document["spec"])
        if text:
            raise self._failed(attempt, "TaskRunValidationFailed", labelled(text), text)

    def _failed(self, attempt: Attempt, reason: str, message: str, error: str) -> PermanentError:
        now = self._access.time.timestamp()
        set_condition(attempt.status, "False", reason, message, now)
        attempt.status["completionTime"] = now
        attempt.precise = True
        return PermanentError(error)

    async def _referenced(self, attempt: Attempt, reference: Document) -> Resolved:
        access, remote = self._access, bool(reference.get("resolver"))
        try:
            if remote:
                return await self._checked(attempt, await self._remote.fetch(TASK_RUNS, attempt.document, reference))
            return Resolved(await access.tekton.get(TASKS, attempt.namespace, reference["name"]), None)
        except InProgress:
            text = f"TaskRun {attempt.namespace}/{attempt.name} awaiting remote resource"
            set_condition(attempt.status, "Unknown", "ResolvingTaskRef", text, access.time.timestamp())
            if access.options.version.unresolved_task_runs_fail:
                raise Setback("resource request in progress") from None
            raise RequeueAfter(self._remote.recheck_us or access.options.default_timeout_us) from None
        except (ApiError, ConnectionLost, Refused) as error:
            text = message_of(error)
            if is_transient(error):
                raise Setback(text) from error
            if not remote:
                text = f"error when listing tasks for taskRun {attempt.name}: {text}"
            raise self._failed(attempt, "TaskRunResolutionFailed", text, text) from error

    async def _checked(self, attempt: Attempt, found: Resolved) -> Resolved:
        """The resolved Task as the API server would take it, but under its own name."""
        document, name = found.document, found.document["metadata"]["name"]
        uuid = str(UUID(int=self._access.work_stream.getrandbits(128), version=4))
        rehearsed = {**document, "metadata": {**document["metadata"], "name": uuid, "namespace": attempt.namespace}}
        try:
            checked = await self._access.dry_run(TASKS, attempt.namespace, rehearsed)
        except ApiError as error:
            text = f"referenced object {name}: {message_of(error)}"
            if error.code == 400:
                text = f"validation failed for {text}"
                raise self._failed(attempt, "TaskValidationFailed", text, text) from error
            if error.code in (405, 422):
                text = f"permanent error validating {text}"
                raise self._failed(attempt, "TaskValidationFailed", labelled(text), text) from error
            raise Setback(f"retryable error validating {text}") from error
        return Resolved({**document, "spec": checked["spec"]}, found.source)


def _adopt_metadata(attempt: Attempt, task: Document) -> None:
    """A TaskRun carries what its Task is labelled with, unless it says otherwise itself."""
    annotations = {key: value for key, value in (task.get("annotations") or {}).items() if key != _LAST_APPLIED}
    attempt.relabel(
        {**(task.get("labels") or {}), **attempt.labels, TASK_LABEL: task["name"]},
        {**annotations, **attempt.annotations},
    )


def _template(spec: Document, source: Document | None) -> TaskTemplate:
    known: TaskTemplate | None = _plain.get(spec)
    if known is None or known.source is not source:
        known = TaskTemplate(spec, declared_by(spec), source)
        _plain.put(spec, known)
    return known


def bound(attempt: Attempt, task_spec: Document) -> Document:
    """The TaskRun as its pod is made of it: labels of this attempt, variables of its own settings filled in."""
    run = attempt.with_metadata()
    spec = run["spec"]
    settings = {key: spec[key] for key in ("workspaces", "podTemplate") if spec.get(key)}
    if not settings or not variables(settings):
        return run
    values = _param_values(task_spec, spec)
    return {**run, "spec": {**spec, **substitute(settings, values)}}


def _param_values(task_spec: Document, spec: Document) -> dict[str, Any]:
    declared = task_spec.get("params") or ()
    values = param_values({"name": one["name"], "value": one.get("default")} for one in declared)
    values.update(param_values(spec.get("params") or ()))
    return values


def _filled(task_spec: Document, attempt: Attempt, task: str) -> Document:
    names: frozenset[str] | None = _variables.get(task_spec)
    if names is None:
        names = variables(task_spec)
        _variables.put(task_spec, names)
    if not names:
        return task_spec
    spec = attempt.document["spec"]
    values: dict[str, Any] = {
        "context.taskRun.name": attempt.name,
        "context.taskRun.namespace": attempt.namespace,
        "context.taskRun.uid": attempt.metadata["uid"],
        "context.task.name": task,
        "context.task.retry-count": str(len(attempt.status.get("retriesStatus") or ())),
        "credentials.path": "/tekton/creds",
        **_param_values(task_spec, spec),
        **_paths(task_spec),
        **_workspace_values(task_spec, spec.get("workspaces") or ()),
    }
    filled: Document = substitute(task_spec, values)
    if any(name.startswith("step.results") for name in names):
        filled = {**filled, "steps": [_with_own_results(step, index) for index, step in enumerate(filled["steps"])]}
    return filled


def _paths(task_spec: Document) -> dict[str, str]:
    values = {}
    for one in task_spec.get("results") or ():
        name = one["name"]
        for spelled in (f"results.{name}.path", f'results["{name}"].path', f"results['{name}'].path"):
            values[spelled] = f"/tekton/results/{name}"
    for index, step in enumerate(task_spec["steps"]):
        container = f"step-{step_name(step, index)}"
        values[f"steps.{container}.exitCode.path"] = f"/tekton/steps/{container}/exitCode"
    return values


def _with_own_results(step: Document, index: int) -> Document:
    directory = f"/tekton/steps/step-{step_name(step, index)}/results"
    values = {f"step.results.{one['name']}.path": f"{directory}/{one['name']}" for one in step.get("results") or ()}
    filled: Document = substitute(step, values)
    return filled


def _workspace_values(task_spec: Document, bindings: Any) -> dict[str, str]:
    by_name = {one["name"]: one for one in bindings}
    declared = {name: {"name": name} for name in by_name}
    declared.update((one["name"], one) for one in task_spec.get("workspaces") or ())
    values: dict[str, str] = {}
    for name, one in declared.items():
        absent = bool(one.get("optional")) and name not in by_name
        values[f"workspaces.{name}.bound"] = "false" if absent else "true"
        values[f"workspaces.{name}.path"] = "" if absent else mount_path(one)
    for name, volume in volume_names(bindings).items():
        values[f"workspaces.{name}.volume"] = volume
        claim = by_name[name].get("persistentVolumeClaim") or _EMPTY
        values[f"workspaces.{name}.claim"] = claim.get("claimName", "")
    return values
