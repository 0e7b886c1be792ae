"""Where a PipelineRun's pipeline comes from: embedded, from the cluster, or resolved and checked by a dry run."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from controller.ports import ApiError, Document
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, Access
from sim.tekton.attempt import Attempt, message_of
from sim.tekton.remote import Refused, Remote
from sim.tekton.version import Version

PIPELINE_LABEL = "tekton.dev/pipeline"
_LABEL_MAX = 63
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_EMPTY: Document = {}


class NotFound(Exception):
    """The pipeline cannot be had; the text is Tekton's."""


class Invalid(Exception):
    """The API server refused the resolved pipeline in a dry run."""


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """``name`` is the pipeline's, or the PipelineRun's for an embedded one."""

    name: str
    spec: Document
    metadata: Document
    source: Document | None = None


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
        except ApiError as error:
            raise NotFound(
                f"error when getting Pipeline for PipelineRun {attempt.name}: "
                f"tekton client cannot get pipeline {name} from local cluster: {message_of(error)}"
            ) from error
        return Pipeline(name, found["spec"], found["metadata"])

    async def _resolved(self, attempt: Attempt, reference: Document) -> Pipeline:
        try:
            fetched = await self._remote.fetch(PIPELINE_RUNS, attempt.document, reference)
        except Refused as error:
            raise NotFound(f"resolver failed to get Pipeline {reference.get('name', '')}: {error}") from error
        document = fetched.document
        if document.get("kind") != PIPELINES.kind:
            raise NotFound("failed to read runtime object as Pipeline: resource is not a pipeline")
        name = document["metadata"]["name"]
        rehearsed = {**document, "metadata": {**document["metadata"], "name": self._uuid()}}
        rehearsed["metadata"]["namespace"] = attempt.namespace
        try:
            checked = await self._access.dry_run(PIPELINES, attempt.namespace, rehearsed)
        except ApiError as error:
            if error.code == 400:
                text = f"validation failed for referenced object {name}: {message_of(error)}"
                raise Invalid(text) from error
            if error.code in (405, 422):
                text = f"[User error] could not validate referenced object {name}: {message_of(error)}"
                raise Invalid(text) from error
            raise
        return Pipeline(name, checked["spec"], document["metadata"], fetched.source)

    def _uuid(self) -> str:
        return str(UUID(int=self._uuid_stream.getrandbits(128), version=4))
