"""Where a PipelineRun's pipeline comes from: embedded, from the cluster, or resolved and checked by a dry run."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from controller.ports import ApiError, ConnectionLost, Document, Resource
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, Access
from sim.tekton.attempt import Attempt, message_of
from sim.tekton.remote import Refused, Remote
from sim.tekton.substitution import param_values, substitute, variables
from sim.tekton.version import Version

PIPELINE_LABEL = "tekton.dev/pipeline"
_LABEL_MAX = 63
_UNREADABLE = "failed to read runtime object as Pipeline"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_EMPTY: Document = {}


class NotFound(Exception):
    """The pipeline cannot be had; the text is Tekton's."""


class Invalid(Exception):
    """The API server refused the resolved object in a dry run; the text is Tekton's."""


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """``name`` is the pipeline's, or the PipelineRun's for an embedded one."""

    name: str
    spec: Document
    metadata: Document
    source: Document | None = None


async def rehearsed(access: Access, resource: Resource, namespace: str, document: Document, uuid: str) -> Document:
    """The spec of a resolved object as the API server would take it, found out by a dry run under another name.

    Raises Invalid when it would not, ApiError or ConnectionLost when that cannot be told now.
    """
    name = document["metadata"]["name"]
    renamed = {**document, "metadata": {**document["metadata"], "name": uuid, "namespace": namespace}}
    try:
        checked = await access.dry_run(resource, namespace, renamed)
    except ApiError as error:
        why = f"referenced object {name}: {message_of(error)}"
        if error.code == 400:
            raise Invalid(f"validation failed for {why}") from error
        if error.code in (405, 422):
            raise Invalid(f"permanent error validating {why}") from error
        text = f"retryable error validating {why}"
        raise ApiError(error.code, error.reason, text, error.details, error.retry_after_s) from error
    spec: Document = checked["spec"]
    return spec


def label_of(pipeline_run: Document, version: Version) -> str:
    """The value of the label that names the pipeline, before it is resolved."""
    spec, metadata = pipeline_run["spec"], pipeline_run["metadata"]
    name = metadata["name"]
    reference = spec.get("pipelineRef") or _EMPTY
    if not reference and version.generated_names_label and metadata.get("generateName"):
        return metadata["generateName"][:_LABEL_MAX].rstrip("-.") or str(name)
    if reference.get("name"):
        return str(reference["name"])
    if reference.get("resolver"):
        params = {one["name"]: one["value"] for one in reference.get("params") or ()}
        if params.get("kind") == "pipeline":
            return str(params.get("name", ""))
    return str(name)


def adopt_metadata(attempt: Attempt, pipeline: Pipeline, version: Version) -> None:
    """Take over the labels and annotations of the pipeline; those of the run itself come first, but for its label."""
    metadata = pipeline.metadata
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    generated = version.generated_names_label and metadata.get("generateName")
    name = attempt.labels.get(PIPELINE_LABEL) if generated else None
    wanted = {**labels, **attempt.labels, PIPELINE_LABEL: name or pipeline.name}
    kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    attempt.relabel(wanted, {**kept, **attempt.annotations})


class PipelineReferences:
    def __init__(self, access: Access, remote: Remote, uuid_stream: Random) -> None:
        self._access = access
        self._remote = remote
        self._uuid_stream = uuid_stream

    async def fetch(self, attempt: Attempt) -> Pipeline:
        """The pipeline of a run. Raises InProgress, NotFound, Invalid, or ApiError and ConnectionLost to try again."""
        stored = attempt.status.get("pipelineSpec")
        spec = attempt.document["spec"]
        if stored is not None:
            name = attempt.labels.get(PIPELINE_LABEL, attempt.name)
            return Pipeline(name, stored, _EMPTY, (attempt.status.get("provenance") or _EMPTY).get("refSource"))
        if spec.get("pipelineSpec"):
            relabelled = attempt.labels.get(PIPELINE_LABEL) != attempt.name
            return Pipeline(attempt.name, spec["pipelineSpec"], attempt.metadata if relabelled else _EMPTY)
        reference = spec["pipelineRef"]
        if reference.get("resolver"):
            return await self._resolved(attempt, reference)
        return await self._local(attempt, str(reference["name"]))

    async def _local(self, attempt: Attempt, name: str) -> Pipeline:
        try:
            found = await self._access.tekton.get(PIPELINES, attempt.namespace, name)
        except (ApiError, ConnectionLost) as error:
            raise NotFound(
                f"error when getting Pipeline for PipelineRun {attempt.name}: "
                f"tekton client cannot get pipeline {name} from local cluster: {message_of(error)}"
            ) from error
        return Pipeline(name, found["spec"], found["metadata"])

    async def _resolved(self, attempt: Attempt, reference: Document) -> Pipeline:
        if variables(reference.get("params")):
            values = {
                **param_values(attempt.document["spec"].get("params") or ()),
                "context.pipelineRun.name": attempt.name,
                "context.pipelineRun.namespace": attempt.namespace,
                "context.pipelineRun.uid": attempt.metadata["uid"],
                "context.pipeline.name": "",
            }
            reference = {**reference, "params": substitute(reference["params"], values)}
        try:
            fetched = await self._remote.fetch(PIPELINE_RUNS, attempt.document, reference)
        except Refused as error:
            raise NotFound(f"resolver failed to get Pipeline {reference.get('name', '')}: {error}") from error
        document = fetched.document
        if document.get("kind") != PIPELINES.kind:
            raise NotFound(f"{_UNREADABLE}: resource is not a pipeline")
        name = document["metadata"]["name"]
        try:
            spec = await rehearsed(self._access, PIPELINES, attempt.namespace, document, self._uuid())
        except Invalid as error:
            raise Invalid(f"{_UNREADABLE}: {error}") from error
        except ApiError as error:
            text = f"{_UNREADABLE}: {error.message}"
            raise ApiError(error.code, error.reason, text, error.details, error.retry_after_s) from error
        return Pipeline(name, spec, document["metadata"], fetched.source)

    def _uuid(self) -> str:
        return str(UUID(int=self._uuid_stream.getrandbits(128), version=4))
