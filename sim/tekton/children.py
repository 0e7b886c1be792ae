"""The TaskRuns of a PipelineRun: created from its tasks, and cancelled by a JSON patch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.ports import ApiError, ConnectionLost, Document
from sim.tekton.access import PIPELINE_RUNS, TASK_RUNS, Access, controller_reference
from sim.tekton.attempt import Attempt, message_of
from sim.tekton.bindings import merged, own_settings, pod_template, workspaces
from sim.tekton.deadlines import Deadlines, parse_duration_us
from sim.tekton.defaults import MANAGED_BY
from sim.tekton.facts import Facts
from sim.tekton.graph import Task
from sim.tekton.matrix import Fan, combination_count, display_name
from sim.tekton.member import TIMED_OUT_MESSAGE, Member
from sim.tekton.substitution import param_values, substitute
from sim.workload.durations import format_us

CANCELLED_MESSAGE = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
ON_ERROR_ANNOTATION = "pipeline.tekton.dev/pipeline-task-on-error"
_CHAINS = "chains.tekton.dev/"
_OF_RESULT = 5  # parts of the variable that counts results
_PLAIN = 4  # entries of a reference without a displayName or whenExpressions
_OVERRIDES = ("stepSpecs", "sidecarSpecs", "computeResources")


def _demand(message: str) -> list[Document]:
    return [
        {"op": "add", "path": "/spec/status", "value": "TaskRunCancelled"},
        {"op": "add", "path": "/spec/statusMessage", "value": message},
    ]


_CANCEL, _TIME_OUT = _demand(CANCELLED_MESSAGE), _demand(TIMED_OUT_MESSAGE)


def child_references(member: Member, facts: Facts) -> list[Document]:
    """The entries of a task's TaskRuns in ``status.childReferences``; the same ones always where no results matter."""
    if member.reference is not None:
        return [member.reference]
    if isinstance(member, Fan):
        return [_child_reference(member, run, facts) for run in member.runs]
    run = member.run
    assert run is not None, "a task without a TaskRun has no reference"
    reference = _child_reference(member, run, facts)
    if len(reference) == _PLAIN:
        member.reference = reference
    return [reference]


def _child_reference(member: Member, run: Document, facts: Facts) -> Document:
    task, when = member.task, facts.when_of(member.task)
    name = run["metadata"]["name"]
    reference: dict[str, Any] = {"apiVersion": TASK_RUNS.api_version, "kind": TASK_RUNS.kind, "name": name}
    if member.fans or task.spec.get("displayName"):
        shown = display_name(task.spec, run, facts.values_for(task))
        if shown:
            reference["displayName"] = shown
    reference["pipelineTaskName"] = task.name
    if when:
        reference["whenExpressions"] = when
    return reference


def recovered(references: Sequence[Document], lost: Sequence[tuple[str, str]]) -> list[Document]:
    """``status.childReferences`` with TaskRuns that an earlier attempt created without being able to say so, given by
    their own and their task's name."""
    kind: Document = {"apiVersion": TASK_RUNS.api_version, "kind": TASK_RUNS.kind}
    found = [{**kind, "name": name, "pipelineTaskName": task} for name, task in lost]
    return sorted((*references, *found), key=lambda one: (one["pipelineTaskName"], one["name"]))


class Children:
    def __init__(self, access: Access) -> None:
        self._access = access
        self._default_timeout = format_us(access.options.default_timeout_us)

    async def create(
        self,
        attempt: Attempt,
        member: Member,
        facts: Facts,
        deadlines: Deadlines,
        name: str,
        combination: Sequence[Document] = (),
    ) -> Document:
        """Create a TaskRun of a task; ``combination``: what the matrix gives it.

        Raises Unbound, or ApiError (409 when the name is taken, by whomever).
        """
        spec, task = attempt.document["spec"], member.task
        own = own_settings(spec, task.name)
        template = spec.get("taskRunTemplate") or {}
        body: dict[str, Any] = {
            "serviceAccountName": own.get("serviceAccountName") or template.get("serviceAccountName", "default")
        }
        if task.template is not None:
            body["taskSpec"] = self._embedded(task.template, task, facts)
        else:
            reference: Document = task.spec["taskRef"]
            body["taskRef"] = substitute(reference, facts.values_for(task)) if task.variables else reference
        timeout = own.get("timeout") or task.spec.get("timeout")
        body["timeout"] = format_us(parse_duration_us(timeout)) if timeout else self._timeout(task, deadlines)
        params = task.spec.get("params")
        if params:
            body["params"] = substitute(params, self._values(task, facts)) if task.variables else params
        if combination:
            body["params"] = [*combination, *body.get("params", ())]
        if task.spec.get("retries"):
            body["retries"] = task.spec["retries"]
        bound = workspaces(attempt, task, member.spec)
        if bound:
            body["workspaces"] = bound
        pods = pod_template(own.get("podTemplate"), template.get("podTemplate"))
        if pods:
            body["podTemplate"] = pods
        for key in _OVERRIDES:
            if own.get(key):
                body[key] = own[key]
        document = {
            "apiVersion": TASK_RUNS.api_version,
            "kind": TASK_RUNS.kind,
            "metadata": self._metadata(attempt, task, name, own.get("metadata")),
            "spec": body,
        }
        return await self._access.tekton.create(TASK_RUNS, attempt.namespace, document)

    def _embedded(self, template: Document, task: Task, facts: Facts) -> Document:
        """An embedded Task with the results in place that its steps use: those of finished tasks, if any."""
        if not task.variables or not any(name.startswith("tasks.") for name in task.variables):
            return template
        values: dict[str, Any] = {}
        for name, results in facts.emitted(self._access.options.version.failures_give_results).items():
            listed = ({"name": one, "value": value} for one, value in results.items())
            values.update(param_values(listed, f"tasks.{name}.results"))
        filled: Document = substitute(template, values)
        return filled

    def _values(self, task: Task, facts: Facts) -> dict[str, Any]:
        widths = (name for name in task.variables if name.endswith(".length") and ".matrix." in name)
        return {
            **facts.values_for(task),
            **{name: _width(name, facts) for name in sorted(widths)},
            "context.pipelineTask.retries": str(task.spec.get("retries") or 0),
        }

    def _timeout(self, task: Task, deadlines: Deadlines) -> str:
        """The default, unless the part of the run it belongs to may last longer than that."""
        default_us = self._access.options.default_timeout_us
        limit_us = deadlines.finally_us if task.final else deadlines.tasks_us
        inherited = self._access.options.version.long_timeouts_inherited
        if not inherited or limit_us is None or 0 < limit_us <= default_us:
            return self._default_timeout
        return format_us(limit_us)

    def _metadata(self, attempt: Attempt, task: Task, name: str, own: Document | None) -> dict[str, Any]:
        metadata = attempt.metadata
        labels: Mapping[str, str] = {
            MANAGED_BY: "tekton-pipelines",
            **attempt.labels,
            "tekton.dev/memberOf": "finally" if task.final else "tasks",
            "tekton.dev/pipelineRun": attempt.name,
            "tekton.dev/pipelineRunUID": metadata["uid"],
            "tekton.dev/pipelineTask": task.name,
        }
        annotations: Mapping[str, str] = attempt.annotations
        if any(key.startswith(_CHAINS) for key in annotations):
            annotations = {key: value for key, value in annotations.items() if not key.startswith(_CHAINS)}
        embedded = (task.spec.get("taskSpec") or {}).get("metadata")
        if own or embedded:
            first, last = own or {}, embedded or {}
            labels = merged(first.get("labels"), labels, last.get("labels"))
            annotations = merged(first.get("annotations"), annotations, last.get("annotations"))
        if task.ignores_failure:
            annotations = {**annotations, ON_ERROR_ANNOTATION: "continue"}
        made: dict[str, Any] = {
            "name": name,
            "namespace": attempt.namespace,
            "labels": labels,
            "ownerReferences": [controller_reference(PIPELINE_RUNS, attempt.document)],
        }
        if annotations:
            made["annotations"] = annotations
        return made

    async def cancel(self, namespace: str, references: Iterable[Document]) -> list[str]:
        """Demand that the children stop. Answers the errors, in Tekton's words."""
        return await self._patch(namespace, references, _CANCEL, "cancellation")

    async def time_out(self, namespace: str, references: Iterable[Document]) -> list[str]:
        return await self._patch(namespace, references, _TIME_OUT, "timeout")

    async def _patch(
        self, namespace: str, references: Iterable[Document], patch: list[Document], purpose: str
    ) -> list[str]:
        errors = []
        for reference in references:
            name = reference["name"]
            try:
                await self._access.tekton.patch(TASK_RUNS, namespace, name, patch, patch_type="json")
            except (ApiError, ConnectionLost) as error:
                if not _is_moot(error):
                    errors.append(f"failed to patch TaskRun `{name}` with {purpose}: {message_of(error)}")
        return errors


def _is_moot(error: ApiError | ConnectionLost) -> bool:
    """Whether a TaskRun that could not be stopped is gone or over anyway."""
    if not isinstance(error, ApiError):
        return False
    return error.code == 404 or (error.code == 400 and "no updates are allowed" in error.message)


def _width(name: str, facts: Facts) -> str:
    """``tasks.t.matrix.length`` or ``tasks.t.matrix.r.length``: the TaskRuns of a fan, or its results of one name."""
    parts = name.split(".")
    member = next((one for one in facts.members if one.task.name == parts[1]), None)
    if member is None or not member.fans:
        return "0"
    if len(parts) == _OF_RESULT:
        return str(len(member.results().get(parts[3], ())))
    return str(combination_count(member.task.spec["matrix"]))
