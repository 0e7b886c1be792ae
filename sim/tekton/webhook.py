"""Tekton's admission webhooks: defaulting, then validation, with the texts that the real ones answer."""

from collections.abc import Callable
from typing import Any

from controller.ports import ApiError, Document
from sim.apiserver.admission import AdmissionRequest, Chain
from sim.tekton.conditions import is_done
from sim.tekton.defaults import default_pipeline, default_pipeline_run, default_task_run, default_task_spec
from sim.tekton.options import TektonOptions
from sim.tekton.specs import pipeline_errors, pipeline_run_errors, task_run_errors
from sim.workload.durations import format_us

_MUTATING = "webhook.pipeline.tekton.dev"
_VALIDATING = "validation.webhook.pipeline.tekton.dev"
_RESOURCES = ("pipelineruns.tekton.dev", "taskruns.tekton.dev", "pipelines.tekton.dev", "tasks.tekton.dev")
_SERVICE = "https://tekton-pipelines-webhook.tekton-pipelines.svc:443"
_STRINGS = {
    "PipelineRun": (("spec", "taskRunTemplate", "serviceAccountName"), ("spec", "status")),
    "TaskRun": (("spec", "serviceAccountName"), ("spec", "status")),
}
_GO_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "number"),
    (float, "number"),
    (list, "array"),
    (dict, "object"),
)


class Webhook:
    """Both webhooks. ``outage`` is the transport error of a webhook that does not answer, or ``""``."""

    def __init__(self, options: TektonOptions) -> None:
        self.outage = ""
        self._default_us = options.default_timeout_us
        timeout = format_us(options.default_timeout_us)
        self._defaults: dict[str, Callable[[Document], Document]] = {
            "PipelineRun": lambda document: default_pipeline_run(document, timeout),
            "TaskRun": lambda document: default_task_run(document, timeout),
            "Pipeline": default_pipeline,
            "Task": _default_task,
        }

    def register(self, chain: Chain) -> None:
        chain.mutate(self.mutate, resources=_RESOURCES, operations=("CREATE", "UPDATE"))
        chain.validate(self.validate, resources=_RESOURCES, operations=("CREATE", "UPDATE"))

    def mutate(self, request: AdmissionRequest) -> Document:
        """Fill in defaults. Raises ApiError 400 for a body that does not decode, 500 during an outage."""
        if self.outage:
            text = (
                f'failed calling webhook "{_MUTATING}": failed to call webhook: '
                f'Post "{_SERVICE}/defaulting?timeout=10s": {self.outage}'
            )
            details = {"causes": [{"message": text}]}
            raise ApiError(500, "InternalError", f"Internal error occurred: {text}", details)
        document = request.new
        assert document is not None, "admission of a create or an update without a body"
        if request.old is not None and document.get("spec") is request.old.get("spec"):
            return document
        kind = request.resource.kind
        for path in _STRINGS.get(kind, ()):
            _require_string(document, path, kind)
        return self._defaults[kind](document)

    def validate(self, request: AdmissionRequest) -> None:
        """Raises ApiError 400 with every field error, sorted."""
        document, old = request.new, request.old
        assert document is not None, "admission of a create or an update without a body"
        spec = document.get("spec") or {}
        if old is not None and (spec is old.get("spec") or "deletionTimestamp" in document["metadata"]):
            return
        kind = request.resource.kind
        errors: list[str] = []
        if old is not None and kind in ("PipelineRun", "TaskRun"):
            errors += _update_errors(kind, spec, old)
        if not errors:
            errors += self._spec_errors(kind, spec)
        if errors:
            text = "\n".join(sorted(errors))
            refusal = f'admission webhook "{_VALIDATING}" denied the request: validation failed: {text}'
            raise ApiError(400, "BadRequest", refusal)

    def _spec_errors(self, kind: str, spec: Document) -> list[str]:
        if kind == "PipelineRun":
            return pipeline_run_errors(spec, self._default_us)
        if kind == "TaskRun":
            return task_run_errors(spec)
        return pipeline_errors(spec, "spec") if kind == "Pipeline" else []


def _default_task(document: Document) -> Document:
    spec = document.get("spec") or {}
    defaulted = default_task_spec(spec)
    return document if defaulted is spec else {**document, "spec": defaulted}


def _update_errors(kind: str, spec: Document, old: Document) -> list[str]:
    before = old["spec"]
    if before == spec:
        return []
    if is_done(old.get("status") or {}):
        return [f"invalid value: Once the {kind} is complete, no updates are allowed: spec"]
    free, words = ("status",), "status"
    if kind == "TaskRun":
        free, words = ("status", "statusMessage"), "status and statusMessage"  # type: ignore[assignment]
    if _without(before, free) != _without(spec, free):
        return [f"invalid value: Once the {kind} has started, only {words} updates are allowed: spec"]
    return []


def _without(spec: Document, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in keys}


def _require_string(document: Document, path: tuple[str, ...], kind: str) -> None:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return
    word = next(name for type_, name in _GO_TYPES if isinstance(value, type_))
    field = f"{kind}.{'.'.join(path)}"
    raise ApiError(
        400,
        "BadRequest",
        f'admission webhook "{_MUTATING}" denied the request: mutation failed: cannot decode incoming new object: '
        f"json: cannot unmarshal {word} into Go struct field {field} of type string",
    )
