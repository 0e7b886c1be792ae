"""The PipelineRun of an execution. Its name makes it the lock on the target."""

from typing import Any

from controller.api.labels import label_value
from controller.api.lock import lock_name
from controller.api.workflowexecution import DEFAULT_TIMEOUT
from controller.executor.labels import (
    EXECUTION,
    EXECUTION_UID,
    SOURCE_NAMESPACE,
    TARGET_RESOURCE,
    WORKFLOW_ID,
)
from controller.executor.settings import Settings
from controller.ports import Document

TARGET_PARAMETER = "TARGET_RESOURCE"


def service_account(execution: Document, settings: Settings) -> str:
    """The account of the task pods: the execution's own, else the operator's."""
    config = execution["spec"].get("executionConfig") or {}
    return config.get("serviceAccountName") or settings.service_account


def build(execution: Document, settings: Settings) -> dict[str, Any]:
    """The PipelineRun to create. Parameters go byte for byte, by name, so that it is the same on every try."""
    metadata, spec = execution["metadata"], execution["spec"]
    workflow, target = spec["workflowRef"], spec["targetResource"]
    parameters = {**(spec.get("parameters") or {})}
    parameters.setdefault(TARGET_PARAMETER, target)
    annotations = {TARGET_RESOURCE: target, EXECUTION_UID: metadata["uid"]}
    name_label = label_value(metadata["name"])
    if name_label != metadata["name"]:
        annotations[EXECUTION] = metadata["name"]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": lock_name(target),
            "namespace": settings.execution_namespace,
            "labels": {
                EXECUTION: name_label,
                WORKFLOW_ID: label_value(workflow["workflowId"]),
                SOURCE_NAMESPACE: metadata["namespace"],
                TARGET_RESOURCE: label_value(target),
            },
            "annotations": annotations,
        },
        "spec": {
            "pipelineRef": {
                "resolver": "bundles",
                "params": [
                    {"name": "bundle", "value": workflow["containerImage"]},
                    {"name": "name", "value": "workflow"},
                    {"name": "kind", "value": "pipeline"},
                ],
            },
            "params": [{"name": name, "value": parameters[name]} for name in sorted(parameters)],
            "taskRunTemplate": {"serviceAccountName": service_account(execution, settings)},
            "timeouts": {"pipeline": (spec.get("executionConfig") or {}).get("timeout") or DEFAULT_TIMEOUT},
        },
    }
