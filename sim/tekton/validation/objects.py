"""The verdict of the validating webhook on a whole object."""

from collections.abc import Callable, Iterator
from typing import Any

from controller.ports import Document
from sim.apiserver.names import subdomain
from sim.tekton.goformat import quoted
from sim.tekton.substitution import Memo
from sim.tekton.validation.fielderrors import FieldError, invalid_value, report, under
from sim.tekton.validation.inline import pipeline_run_inline, task_run_inline
from sim.tekton.validation.pipelines import pipeline_errors, stand_alone_errors
from sim.tekton.validation.runs import pipeline_run_errors, task_run_errors
from sim.tekton.validation.stepvariables import parameter_usage
from sim.tekton.validation.tasks import merged_steps, task_errors
from sim.tekton.validation.updates import update_errors
from sim.tekton.version import WebhookChecks

_NO_SPEC: Document = {}
_NAME_MAX = 63


class Validator:
    """Judges objects as one release does. An embedded spec that was found sound is not judged again."""

    def __init__(self, checks: WebhookChecks, default_us: int) -> None:
        self._checks = checks
        self._default_ns = default_us * 1000
        self._sound = Memo()
        self._sound_alone = Memo()

    def verdict(self, kind: str, document: Document, old: Document | None, old_defaulted: Document | None) -> str:
        """Every error, merged and sorted; ``""`` for a sound object. ``old_defaulted`` is the old object's spec."""
        spec = document.get("spec") or _NO_SPEC
        errors = [*_name_errors(document["metadata"].get("name") or "")]
        if kind in ("PipelineRun", "TaskRun"):
            errors += self._pending_errors(kind, spec, document.get("status") or _NO_SPEC)
            if old is not None:
                before = old.get("spec") or _NO_SPEC
                changes = update_errors(kind, spec, before, old_defaulted or before, old.get("status") or _NO_SPEC)
                errors += under(changes, "spec")
        errors += under(self._spec_errors(kind, spec), "spec")
        return report(errors) if errors else ""

    def _pending_errors(self, kind: str, spec: Document, status: Document) -> Iterator[FieldError]:
        known = kind == "PipelineRun" or self._checks.task_run_pending
        if known and spec.get("status") == f"{kind}Pending" and status.get("startTime"):
            yield invalid_value(f"{kind} cannot be Pending after it is started", "spec.status")

    def _spec_errors(self, kind: str, spec: Document) -> Iterator[FieldError]:
        checks = self._checks
        if kind == "PipelineRun":
            yield from pipeline_run_errors(spec, self._default_ns, checks)
            pipeline = spec.get("pipelineSpec")
            if pipeline is not None:
                errors = self._once(self._sound, pipeline, lambda: pipeline_errors(pipeline, checks))
                yield from under(errors, "pipelineSpec")
                yield from self._inline(pipeline, spec, pipeline_run_inline)
        elif kind == "TaskRun":
            yield from task_run_errors(spec, checks)
            task = spec.get("taskSpec")
            if task is not None:
                errors = self._once(self._sound, task, lambda: task_errors(task, checks))
                yield from under(errors, "taskSpec")
                yield from self._inline(task, spec, task_run_inline)
        elif kind == "Pipeline":
            yield from self._once(self._sound_alone, spec, lambda: _pipeline_errors(spec, checks))
        else:
            yield from self._once(self._sound_alone, spec, lambda: _task_errors(spec, checks))

    def _once(self, sound: Memo, spec: Document, judge: Callable[[], Iterator[FieldError]]) -> list[FieldError]:
        if sound.get(spec) is not None:
            return []
        errors = [*judge()]
        if not errors:
            sound.put(spec, ())
        return errors

    def _inline(
        self, embedded: Document, spec: Document, judge: Callable[[Document], Iterator[FieldError]]
    ) -> list[FieldError]:
        """Names and types of the run's parameters decide, not what they say."""
        params = spec.get("params") or ()
        shape = tuple((param["name"], _shape(param.get("value"))) for param in params)
        sound: Any = self._sound.get(embedded)
        if sound and shape in sound:
            return []
        errors = [*judge(spec)]
        if not errors and sound is not None:
            self._sound.put(embedded, (*sound[-7:], shape))
        return errors


def _pipeline_errors(spec: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    yield from pipeline_errors(spec, checks)
    yield from stand_alone_errors(spec)


def _task_errors(spec: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    yield from task_errors(spec, checks)
    yield from parameter_usage(merged_steps(spec), spec.get("params") or ())


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(value)
    return list if isinstance(value, list) else str


def _name_errors(name: str) -> Iterator[FieldError]:
    if not name or subdomain(name):
        yield FieldError(f"invalid resource name {quoted(name)}: must be a valid DNS label", ("metadata.name",))
    elif len(name) > _NAME_MAX:
        yield FieldError("Invalid resource name: length must be no more than 63 characters", ("metadata.name",))
