"""The labels by which a PipelineRun tells whose it is."""

from enum import Enum, auto

from controller.api.labels import label_value
from controller.ports import Document

FINALIZER = "workflowexecution.kubernaut.ai/workflowexecution-cleanup"
EXECUTION = "kubernaut.ai/workflow-execution"
WORKFLOW_ID = "kubernaut.ai/workflow-id"
SOURCE_NAMESPACE = "kubernaut.ai/source-namespace"
TARGET_RESOURCE = "kubernaut.ai/target-resource"
EXECUTION_UID = "kubernaut.ai/workflow-execution-uid"

_NONE: Document = {}


class Owner(Enum):
    """Whose a PipelineRun is, seen from one WorkflowExecution."""

    OURS = auto()
    FORMER = auto()  # of an execution with our name that no longer exists: its deletion is ours to finish
    OTHER = auto()


def owner(pipeline_run: Document, execution: Document) -> Owner:
    """Compare the labels, and the uid where the PipelineRun carries one."""
    metadata = pipeline_run["metadata"]
    labels = metadata.get("labels") or _NONE
    own = execution["metadata"]
    if labels.get(EXECUTION) != label_value(own["name"]) or labels.get(SOURCE_NAMESPACE) != own["namespace"]:
        return Owner.OTHER
    uid = (metadata.get("annotations") or _NONE).get(EXECUTION_UID)
    return Owner.OURS if uid is None or uid == own.get("uid") else Owner.FORMER


def execution_key(pipeline_run: Document) -> tuple[str, str] | None:
    """Namespace and name of the execution that a PipelineRun was made for; None when it does not say."""
    metadata = pipeline_run["metadata"]
    labels = metadata.get("labels") or _NONE
    name = (metadata.get("annotations") or _NONE).get(EXECUTION) or labels.get(EXECUTION)
    namespace = labels.get(SOURCE_NAMESPACE)
    return (namespace, name) if name and namespace else None


def holder(pipeline_run: Document) -> str:
    """Whoever holds the lock, for a message: ``namespace/name``, or the PipelineRun when it carries no labels."""
    key = execution_key(pipeline_run)
    return f"WorkflowExecution {key[0]}/{key[1]}" if key else f"PipelineRun {pipeline_run['metadata']['name']}"
