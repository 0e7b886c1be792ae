"""WorkflowExecution ``kubernaut.ai/v1alpha1``: run one workflow once on one target."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from controller.api.meta import (
    CONDITION_LIST,
    ApiModel,
    Conditions,
    LocalObjectReference,
    ObjectMeta,
    ObjectReference,
)

DEFAULT_TIMEOUT = "30m"
DEFAULT_SERVICE_ACCOUNT = "kubernaut-workflow-runner"


class Phase(StrEnum):
    """Where an execution stands; an absent phase means Pending."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"


class FailureReason(StrEnum):
    """Why an execution failed. Closed: the API server refuses anything else."""

    OOM_KILLED = "OOMKilled"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    FORBIDDEN = "Forbidden"
    RESOURCE_EXHAUSTED = "ResourceExhausted"
    CONFIGURATION_ERROR = "ConfigurationError"
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    TASK_FAILED = "TaskFailed"
    EXECUTION_RACE_CONDITION = "ExecutionRaceCondition"
    UNKNOWN = "Unknown"


class WorkflowRef(ApiModel):
    """Which workflow, pinned."""

    workflow_id: str = Field(description="Identifier in the workflow catalogue.")
    version: str = Field(description="Version in the workflow catalogue.")
    container_image: str = Field(description="OCI bundle that holds the pipeline named workflow.")
    container_digest: str | None = Field(None, description="Digest of the bundle, for the audit trail.")


class ExecutionConfig(ApiModel):
    """How the pipeline is run."""

    timeout: str = Field(DEFAULT_TIMEOUT, description="Limit of the whole pipeline, as a Go duration.")
    service_account_name: str = Field(DEFAULT_SERVICE_ACCOUNT, description="Service account of the task pods.")


class WorkflowExecutionSpec(ApiModel):
    """What to execute. Immutable after creation."""

    remediation_request_ref: ObjectReference = Field(description="The remediation this execution belongs to.")
    workflow_ref: WorkflowRef
    target_resource: str = Field(
        description="namespace/Kind/name, or Kind/name for a cluster-scoped target; casing is preserved."
    )
    parameters: dict[str, str] | None = Field(None, description="Pipeline parameters, passed through byte for byte.")
    confidence: float | None = Field(
        None, description="The analyst's confidence in the workflow.", json_schema_extra={"format": "double"}
    )
    rationale: str | None = Field(None, description="Why the analyst chose the workflow.")
    execution_config: ExecutionConfig | None = None


class PipelineRunStatus(ApiModel):
    """The PipelineRun's Succeeded condition and how far its tasks are."""

    status: Literal["Unknown", "True", "False"] = Field(description="Status of the Succeeded condition.")
    reason: str | None = Field(None, description="Reason of the Succeeded condition.")
    message: str | None = Field(None, description="Message of the Succeeded condition.")
    completed_tasks: int | None = Field(None, description="Tasks that succeeded.", ge=0)
    total_tasks: int | None = Field(None, description="Tasks of the pipeline, finally tasks included.", ge=0)


class FailureDetails(ApiModel):
    """The failure for a program, for a person and for a prompt."""

    failed_task_index: int = Field(description="Position of the failed task in the pipeline, from 0.", ge=0)
    failed_task_name: str = Field(description="The pipeline task's name; empty when no task was reached.")
    failed_step_name: str | None = Field(None, description="The step inside the task.")
    reason: FailureReason = Field(description="Why the execution failed.")
    message: str = Field(description="What the evidence says.")
    exit_code: int | None = Field(
        None, description="Exit code of the failed step.", json_schema_extra={"format": "int32"}
    )
    failed_at: datetime = Field(description="When it failed.")
    execution_time_before_failure: str = Field(description="Go duration, whole seconds.")
    natural_language_summary: str = Field(description="The failure in sentences, with one recommendation.")
    was_execution_failure: bool = Field(
        description="True when a step had started or that cannot be known; false when nothing can have changed."
    )


class WorkflowExecutionStatus(ApiModel):
    """What came of it."""

    phase: Phase | None = Field(None, description="Absent means Pending.")
    observed_generation: int | None = Field(
        None, description="Generation of the spec that the status is about.", json_schema_extra={"format": "int64"}
    )
    start_time: datetime | None = Field(None, description="When the PipelineRun was created.")
    completion_time: datetime | None = Field(None, description="When the execution ended.")
    duration: str | None = Field(None, description="Go duration from start to completion, whole seconds.")
    pipeline_run_ref: LocalObjectReference | None = Field(None, description="In the execution namespace.")
    pipeline_run_status: PipelineRunStatus | None = None
    failure_reason: str | None = Field(None, description="Deprecated: <reason>: <message>. Read failureDetails.")
    failure_details: FailureDetails | None = None
    conditions: Conditions | None = Field(None, json_schema_extra=CONDITION_LIST)


class WorkflowExecution(ApiModel):
    """Runs one workflow once on one target, as a Tekton PipelineRun that is also the lock on the target."""

    api_version: Literal["kubernaut.ai/v1alpha1"] = "kubernaut.ai/v1alpha1"
    kind: Literal["WorkflowExecution"] = "WorkflowExecution"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: WorkflowExecutionSpec
    status: WorkflowExecutionStatus | None = None
