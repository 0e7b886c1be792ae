"""AIAnalysis ``kubernaut.ai/v1alpha1``: asks an analyst which workflow remedies a signal."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from controller.api.meta import CONDITION_LIST, ApiModel, Conditions, ObjectMeta, ObjectReference
from controller.api.remediationrequest import TargetResource
from controller.api.workflowexecution import FailureReason


class Phase(StrEnum):
    """Where an analysis stands; an absent phase means Pending."""

    PENDING = "Pending"
    INVESTIGATING = "Investigating"
    ANALYZING = "Analyzing"
    COMPLETED = "Completed"
    FAILED = "Failed"


class SignalContext(ApiModel):
    """What is known of the signal."""

    fingerprint: str = Field(description="The remediation's signal fingerprint.")
    signal_name: str
    severity: str
    signal_type: str
    target_resource: TargetResource


class Context(ApiModel):
    """What else is known, of the cluster and of what depends on the target."""

    environment: str | None = None
    priority: str | None = None
    risk_tolerance: str | None = None
    business_category: str | None = None
    error_message: str | None = Field(None, description="What the target itself says.")
    detected_labels: dict[str, str] | None = Field(None, description="Properties of the cluster, for the catalogue.")


class RootCause(ApiModel):
    """What an analyst believes went wrong."""

    summary: str = Field(description="In a sentence.")
    signal_type: str | None = None
    severity: str | None = None
    contributing_factors: list[str] | None = None


class SelectedWorkflow(ApiModel):
    """The workflow an analyst recommends, pinned, with its parameters byte for byte."""

    workflow_id: str
    version: str
    container_image: str
    container_digest: str | None = None
    parameters: dict[str, str] | None = Field(None, description="In the casing of the workflow's own schema.")
    confidence: float | None = Field(None, json_schema_extra={"format": "double"})
    rationale: str | None = None


class PreviousWorkflow(ApiModel):
    """The workflow of an earlier attempt."""

    workflow_id: str
    version: str
    container_image: str
    parameters: dict[str, str] | None = None
    rationale: str | None = None


class ExecutionFailure(ApiModel):
    """How an earlier execution failed; the field names are the analyst's, the facts the executor's."""

    failed_step_index: int = Field(description="failureDetails.failedTaskIndex.", ge=0)
    failed_step_name: str = Field(description="failureDetails.failedTaskName.")
    reason: FailureReason
    message: str
    exit_code: int | None = Field(None, json_schema_extra={"format": "int32"})
    failed_at: datetime
    execution_time: str = Field(description="failureDetails.executionTimeBeforeFailure.")


class PreviousExecution(ApiModel):
    """One earlier attempt of the same remediation."""

    workflow_execution_ref: str = Field(description="Name of the WorkflowExecution.")
    original_rca: RootCause | None = Field(None, alias="originalRCA")
    selected_workflow: PreviousWorkflow
    failure: ExecutionFailure
    natural_language_summary: str | None = Field(None, description="failureDetails.naturalLanguageSummary.")
    was_execution_failure: bool


class AIAnalysisSpec(ApiModel):
    """The question. Immutable after creation."""

    remediation_request_ref: ObjectReference
    signal_context: SignalContext
    context: Context | None = None
    is_recovery_attempt: bool = False
    recovery_attempt_number: int | None = Field(None, description="From 1; absent for the first analysis.", ge=1)
    previous_executions: list[PreviousExecution] | None = Field(None, description="Oldest first.")


class AIAnalysisStatus(ApiModel):
    """The answer."""

    phase: Phase | None = Field(None, description="Absent means Pending.")
    reason: str | None = Field(None, description="One word for an end without a workflow.")
    sub_reason: str | None = None
    message: str | None = None
    root_cause_analysis: RootCause | None = None
    selected_workflow: SelectedWorkflow | None = None
    approval_required: bool | None = Field(None, description="Somebody has to agree before it is executed.")
    approval_reason: str | None = None
    start_time: datetime | None = None
    completed_at: datetime | None = None
    conditions: Conditions | None = Field(None, json_schema_extra=CONDITION_LIST)


class AIAnalysis(ApiModel):
    """One question to the analyst, and its answer."""

    api_version: Literal["kubernaut.ai/v1alpha1"] = "kubernaut.ai/v1alpha1"
    kind: Literal["AIAnalysis"] = "AIAnalysis"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: AIAnalysisSpec
    status: AIAnalysisStatus | None = None
