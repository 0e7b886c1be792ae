"""Tekton's admission webhooks: defaulting, then validation, with the texts that the real ones answer."""

from controller.ports import ApiError, Document
from sim.apiserver.admission.chain import AdmissionRequest, Chain
from sim.tekton.defaults import (
    default_metadata,
    default_pipeline,
    default_pipeline_run,
    default_task,
    default_task_run,
)
from sim.tekton.gotypes.decoding import Undecodable, round_trip
from sim.tekton.options import TektonOptions
from sim.tekton.validation.objects import Validator
from sim.workload.durations import format_us

_MUTATING = "webhook.pipeline.tekton.dev"
_VALIDATING = "validation.webhook.pipeline.tekton.dev"
RESOURCES = ("pipelineruns.tekton.dev", "taskruns.tekton.dev", "pipelines.tekton.dev", "tasks.tekton.dev")
_OTHERS = ("resolutionrequests.resolution.tekton.dev",)
_SERVICE = "https://tekton-pipelines-webhook.tekton-pipelines.svc:443"


class Webhook:
    """Both webhooks. ``outage`` is the transport error of a webhook that does not answer, or ``""``."""

    def __init__(self, options: TektonOptions) -> None:
        self._outage = ""
        self._chain: Chain | None = None
        self._absent = options.version.webhook.absent_fields
        self._timeout = format_us(options.default_timeout_us)
        self._validator = Validator(options.version.webhook, options.default_timeout_us)

    def register(self, chain: Chain) -> None:
        """For Tekton's own kinds. During an outage nothing of them is written, their status neither."""
        self._chain = chain
        operations = ("CREATE", "UPDATE")
        chain.mutate(self.mutate, resources=RESOURCES, operations=operations)
        chain.validate(self.validate, resources=RESOURCES, operations=operations)
        statuses = tuple(f"{resource}/status" for resource in (*RESOURCES, *_OTHERS))
        chain.mutate(
            self.passed, resources=(*_OTHERS, *statuses), operations=operations, active=lambda: bool(self._outage)
        )

    @property
    def outage(self) -> str:
        return self._outage

    @outage.setter
    def outage(self, cause: str) -> None:
        self._outage = cause
        if self._chain is not None:
            self._chain.reconsider()

    def passed(self, request: AdmissionRequest) -> Document:
        """What the webhook is asked about without anything to say. Raises ApiError 500 during an outage."""
        document = request.new
        assert document is not None, "admission of a create or an update without a body"
        if self._outage:
            raise unanswered(self._outage)
        return document

    def mutate(self, request: AdmissionRequest) -> Document:
        """Decode and fill in defaults. Raises ApiError 400 for a body that does not decode, 500 during an outage."""
        document, old, kind = self.passed(request), request.old, request.resource.kind
        metadata, spec = document["metadata"], document.get("spec")
        if old is None or spec is not old.get("spec"):
            try:
                decoded = round_trip(kind, spec, self._absent)
            except Undecodable as error:
                raise _denied(_MUTATING, f"mutation failed: {error}") from None
            decoded = self._defaulted(kind, decoded)
            if decoded is not spec:
                document = {**document, "spec": decoded}
        changed = default_metadata(kind, metadata, old is None)
        return document if changed is metadata else {**document, "metadata": changed}

    def validate(self, request: AdmissionRequest) -> None:
        """Raises ApiError 400 with every field error, sorted."""
        document, old, kind = request.new, request.old, request.resource.kind
        assert document is not None, "admission of a create or an update without a body"
        before = None
        if old is not None:
            if document.get("spec") is old.get("spec"):
                return
            before = self._defaulted(kind, old.get("spec") or {})
        verdict = self._validator.verdict(kind, document, old, before)
        if verdict:
            raise _denied(_VALIDATING, f"validation failed: {verdict}")

    def _defaulted(self, kind: str, spec: Document) -> Document:
        if kind == "PipelineRun":
            return default_pipeline_run(spec, self._timeout)
        if kind == "TaskRun":
            return default_task_run(spec, self._timeout)
        return default_pipeline(spec) if kind == "Pipeline" else default_task(spec)


def unanswered(cause: str) -> ApiError:
    """What a client reads when the webhook does not answer; ``cause`` is the transport's error."""
    text = (
        f'failed calling webhook "{_MUTATING}": failed to call webhook: '
        f'Post "{_SERVICE}/defaulting?timeout=10s": {cause}'
    )
    return ApiError(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": text}]})


def _denied(webhook: str, text: str) -> ApiError:
    return ApiError(400, "BadRequest", f'admission webhook "{webhook}" denied the request: {text}')
