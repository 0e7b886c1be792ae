"""What Tekton's condition reasons mean to us, as tables. The spellings before and after 1.12 are both here."""

from collections.abc import Callable, Mapping

from controller.api.workflowexecution import FailureReason
from controller.executor.texts import pod_creation_text, resolution_text

_Meaning = FailureReason | Callable[[str], FailureReason]

TASK_RUN: Mapping[str, _Meaning] = {
    "StepOOM": FailureReason.OOM_KILLED,
    "SidecarOOM": FailureReason.OOM_KILLED,
    "InitContainerOOM": FailureReason.OOM_KILLED,
    "TaskRunImagePullFailed": FailureReason.IMAGE_PULL_BACK_OFF,
    "PullImageFailed": FailureReason.IMAGE_PULL_BACK_OFF,
    "TaskRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "ExceededResourceQuota": FailureReason.RESOURCE_EXHAUSTED,
    "ExceededNodeResources": FailureReason.RESOURCE_EXHAUSTED,
    "PodEvicted": FailureReason.RESOURCE_EXHAUSTED,
    "PodCreationFailed": pod_creation_text,
    "PodAdmissionFailed": pod_creation_text,
    "CreateContainerConfigError": FailureReason.CONFIGURATION_ERROR,
    "TaskRunResolutionFailed": resolution_text,
    "TaskRunValidationFailed": FailureReason.CONFIGURATION_ERROR,
    "TaskValidationFailed": FailureReason.CONFIGURATION_ERROR,
    "InvalidParamValue": FailureReason.CONFIGURATION_ERROR,
    "ResourceVerificationFailed": FailureReason.CONFIGURATION_ERROR,
    "CouldntCreateWorkspacePVC": FailureReason.CONFIGURATION_ERROR,
    "InitContainerFailed": FailureReason.TASK_FAILED,
    "SidecarFailed": FailureReason.TASK_FAILED,
    "TaskRunResultLargerThanAllowedLimit": FailureReason.TASK_FAILED,
}
"""``Failed``, ``StepFailed`` and ``TaskRunCancelled`` are absent: they name no cause."""

PIPELINE_RUN: Mapping[str, _Meaning] = {
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "CouldntGetPipeline": resolution_text,
    "CouldntGetTask": resolution_text,
    "CreateRunFailed": pod_creation_text,
    "PipelineValidationFailed": FailureReason.CONFIGURATION_ERROR,
    "ParameterMissing": FailureReason.CONFIGURATION_ERROR,
    "ParameterTypeMismatch": FailureReason.CONFIGURATION_ERROR,
    "ObjectParameterMissKeys": FailureReason.CONFIGURATION_ERROR,
    "ParamArrayIndexingInvalid": FailureReason.CONFIGURATION_ERROR,
    "InvalidParamValue": FailureReason.CONFIGURATION_ERROR,
    "InvalidWorkspaceBindings": FailureReason.CONFIGURATION_ERROR,
    "InvalidWorkspaceBinding": FailureReason.CONFIGURATION_ERROR,
    "InvalidTaskRunSpecs": FailureReason.CONFIGURATION_ERROR,
    "PipelineInvalidGraph": FailureReason.CONFIGURATION_ERROR,
    "InvalidMatrixParameterTypes": FailureReason.CONFIGURATION_ERROR,
    "InvalidTaskResultReference": FailureReason.CONFIGURATION_ERROR,
    "InvalidPipelineResultReference": FailureReason.CONFIGURATION_ERROR,
    "RequiredWorkspaceMarkedOptional": FailureReason.CONFIGURATION_ERROR,
    "CELEvaluationFailed": FailureReason.CONFIGURATION_ERROR,
    "ResourceVerificationFailed": FailureReason.CONFIGURATION_ERROR,
    "CouldntCreateWorkspacePVC": FailureReason.CONFIGURATION_ERROR,
    "CouldntCreateOrUpdateAffinityAssistantStatefulSet": FailureReason.CONFIGURATION_ERROR,
    "CouldntGetPipelineResult": FailureReason.CONFIGURATION_ERROR,
}
"""``Failed`` and ``Cancelled`` are absent: they name no cause."""


def meaning(table: Mapping[str, _Meaning], reason: str, message: str) -> FailureReason | None:
    """What ``reason`` means, its message read where the reason alone does not tell."""
    found = table.get(reason)
    return found if found is None or isinstance(found, FailureReason) else found(message)
