"""The TaskRuns of a PipelineRun: created from its tasks, and cancelled by a JSON patch."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.ports import ApiError, Document
from sim.tekton.access import PIPELINE_RUNS, TASK_RUNS, Access, controller_reference
from sim.tekton.attempt import Attempt, message_of
from sim.tekton.deadlines import Deadlines
from sim.tekton.defaults import MANAGED_BY
from sim.tekton.facts import TIMED_OUT_MESSAGE, Facts, Member
from sim.tekton.graph import Task
from sim.tekton.names import task_run_name
from sim.tekton.substitution import substitute
from sim.workload.durations import format_us

CANCELLED_MESSAGE = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
ON_ERROR_ANNOTATION = "pipeline.tekton.dev/pipeline-task-on-error"
_CHAINS = "chains.tekton.dev/"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _demand(message: str) -> list[Document]:
    return [
        {"op": "add", "path": "/spec/status", "value": "TaskRunCancelled"},
        {"op": "add", "path": "/spec/statusMessage", "value": message},
    ]


_CANCEL, _TIME_OUT = _demand(CANCELLED_MESSAGE), _demand(TIMED_OUT_MESSAGE)


def child_reference(member: Member, facts: Facts) -> Document:
    """The entry of a TaskRun in ``status.childReferences``; always the same one where no results come into it."""
    if member.reference is not None:
        return member.reference
    task, when = member.task, facts.when_of(member.task)
    reference: dict[str, Any] = {"apiVersion": TASK_RUNS.api_version, "kind": TASK_RUNS.kind, "name": member.name}
    if task.spec.get("displayName"):
        reference["displayName"] = task.spec["displayName"]
    reference["pipelineTaskName"] = task.name
    if when:
        reference["whenExpressions"] = when
    else:
        member.reference = reference
    return reference


class Children:
    def __init__(self, access: Access) -> None:
        self._access = access

    async def create(self, attempt: Attempt, task: Task, values: Mapping[str, Any], deadlines: Deadlines) -> Document:
        """Create the TaskRun of a task; ``values`` are the variables that the state of the run defines. Raises ApiError
        (409 when the name is taken, by whomever)."""
        spec = attempt.document["spec"]
        own = _own_settings(spec, task.name)
        template = spec.get("taskRunTemplate") or {}
        body: dict[str, Any] = {
            "serviceAccountName": own.get("serviceAccountName") or template.get("serviceAccountName", "default")
        }
        if task.template is not None:
            body["taskSpec"] = substitute(task.template, values) if values else task.template
        else:
            body["taskRef"] = task.spec["taskRef"]
        body["timeout"] = str(own.get("timeout") or task.spec.get("timeout") or self._timeout(task, deadlines))
        if task.spec.get("params"):
            body["params"] = substitute(task.spec["params"], values)
        if task.spec.get("retries"):
            body["retries"] = task.spec["retries"]
        workspaces = _workspaces(spec, task)
        if workspaces:
            body["workspaces"] = workspaces
        pod_template = own.get("podTemplate") or template.get("podTemplate")
        if pod_template:
            body["podTemplate"] = pod_template
        document = {
            "apiVersion": TASK_RUNS.api_version,
            "kind": TASK_RUNS.kind,
            "metadata": self._metadata(attempt, task),
            "spec": body,
        }
        return await self._access.tekton.create(TASK_RUNS, attempt.namespace, document)

    def _timeout(self, task: Task, deadlines: Deadlines) -> str:
        """The default, unless the part of the run it belongs to may last longer than that."""
        default_us = self._access.options.default_timeout_us
        limit_us = deadlines.finally_us if task.final else deadlines.tasks_us
        if limit_us is None or 0 < limit_us <= default_us:
            return format_us(default_us)
        return format_us(limit_us)

    def _metadata(self, attempt: Attempt, task: Task) -> dict[str, Any]:
        metadata = attempt.metadata
        labels = {
            MANAGED_BY: "tekton-pipelines",
            **attempt.labels,
            "tekton.dev/memberOf": "finally" if task.final else "tasks",
            "tekton.dev/pipelineRun": attempt.name,
            "tekton.dev/pipelineRunUID": metadata["uid"],
            "tekton.dev/pipelineTask": task.name,
        }
        reference = task.spec.get("taskRef") or {}
        if reference.get("name"):
            labels["tekton.dev/task"] = reference["name"]
        annotations: Mapping[str, str] = attempt.annotations
        if any(key.startswith(_CHAINS) or key == _LAST_APPLIED for key in annotations):
            annotations = {
                key: value for key, value in annotations.items() if not key.startswith(_CHAINS) and key != _LAST_APPLIED
            }
        if task.ignores_failure:
            annotations = {**annotations, ON_ERROR_ANNOTATION: "continue"}
        made: dict[str, Any] = {
            "name": task_run_name(attempt.name, task.name),
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
            except ApiError as error:
                over = error.code == 400 and "no updates are allowed" in error.message
                if error.code != 404 and not over:
                    errors.append(f"failed to patch TaskRun `{name}` with {purpose}: {message_of(error)}")
        return errors


def _own_settings(spec: Document, task: str) -> Document:
    for one in spec.get("taskRunSpecs") or ():
        if one.get("pipelineTaskName") == task:
            return one  # type: ignore[no-any-return]
    return {}


def _workspaces(spec: Document, task: Task) -> list[dict[str, Any]]:
    """The bindings of the run that the task asks for, under the task's names."""
    bindings = {one["name"]: one for one in spec.get("workspaces") or ()}
    asked = task.spec.get("workspaces") or ()
    chosen = []
    for one in asked:
        binding = bindings.get(one.get("workspace") or one["name"])
        if binding is not None:
            chosen.append({**binding, "name": one["name"]})
    return chosen
