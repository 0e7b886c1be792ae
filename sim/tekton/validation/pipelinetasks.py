"""The tasks of a pipeline, one by one."""

from collections.abc import Callable, Iterator, Sequence

from controller.ports import Document
from sim.apiserver.names import label
from sim.tekton.goformat import quoted
from sim.tekton.validation.fielderrors import FieldError, both, gated, generic, invalid_value, neither, under
from sim.tekton.validation.references import reference_errors
from sim.tekton.validation.tasks import is_custom, task_errors
from sim.tekton.version import WebhookChecks

_NAME_HELP = (
    "Pipeline Task name must be a valid DNS Label."
    "For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"
)
_ON_ERROR_HELP = 'PipelineTask OnError must be either "continue" or "stopAndFail"'
_NO_RETRIES = 'PipelineTask OnError cannot be set to "continue" when Retries is greater than 0'


Judge = Callable[[Document, WebhookChecks], Iterator[FieldError]]


def pipeline_task_errors(
    tasks: Sequence[Document], group: str, seen: set[str], checks: WebhookChecks, nested: Judge
) -> Iterator[FieldError]:
    """Of one group (``tasks``, ``finally``). ``seen`` are the names so far, of both; ``nested`` judges pipelines."""
    for index, task in enumerate(tasks):
        place, name = f"{group}[{index}]", task.get("name") or ""
        if label(name):
            yield from under((FieldError(f"invalid value {quoted(name)}", ("name",), _NAME_HELP),), place)
        if name in seen:
            yield from under((both("name"),), place)
        seen.add(name)
        yield from under(_errors(task, checks, nested), place)


def _errors(task: Document, checks: WebhookChecks, nested: Judge) -> Iterator[FieldError]:
    yield from _work_errors(task)
    template = task.get("taskSpec")
    if template is not None and template.get("steps"):
        for key in ("apiVersion", "kind"):
            if template.get(key):
                text = f"taskSpec.{key} cannot be specified when using taskSpec.steps"
                yield FieldError(text, (f"taskSpec.{key}",))
    yield from _on_error_errors(task)
    if is_custom(task):
        yield from _custom_errors(task, checks)
        return
    if template is not None:
        yield from under(task_errors(template, checks), "taskSpec")
    for key in ("taskRef", "pipelineRef"):
        if task.get(key) is not None:
            yield from under(reference_errors(task[key], checks), key)
    if task.get("pipelineSpec") is not None:
        yield from under(nested(task["pipelineSpec"], checks), "pipelineSpec")


def _work_errors(task: Document) -> Iterator[FieldError]:
    given = [key for key in ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec") if task.get(key) is not None]
    yield from (gated(key) for key in given if key.startswith("pipeline"))
    if len(given) > 1:
        yield generic("expected exactly one, got multiple", *given)
    elif not given:
        yield neither("taskRef", "taskSpec")


def _on_error_errors(task: Document) -> Iterator[FieldError]:
    policy = task.get("onError") or ""
    if not policy or policy.startswith("$(params"):
        return
    if policy not in ("continue", "stopAndFail"):
        yield invalid_value(policy, "OnError", _ON_ERROR_HELP)
    if policy == "continue" and (task.get("retries") or 0) > 0:
        yield generic(_NO_RETRIES)


def _custom_errors(task: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    for key, word in (("taskRef", "ref"), ("taskSpec", "spec")):
        one = task.get(key)
        if one is None:
            continue
        if not one.get("kind"):
            yield invalid_value(f"custom task {word} must specify kind", f"{key}.kind")
        version = one.get("apiVersion") or ""
        if not version:
            yield invalid_value(f"custom task {word} must specify apiVersion", f"{key}.apiVersion")
        elif checks.custom_api_versions and (version.count("/") != 1 or not all(version.split("/"))):
            text = f'invalid apiVersion format {quoted(version)}, must be in the format "group/version"'
            yield invalid_value(text, f"{key}.apiVersion")
