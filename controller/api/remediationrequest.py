"""RemediationRequest ``kubernaut.ai/v1alpha1``: one signal that wants remedying, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from controller.api.meta import CONDITION_LIST, ApiModel, Conditions, ObjectMeta, ObjectReference


class Phase(StrEnum):
    """Where a remediation stands; an absent phase means Pending."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    ANALYZING = "Analyzing"
    AWAITING_APPROVAL = "AwaitingApproval"
    EXECUTING = "Executing"
    BLOCKED = "Blocked"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"


TERMINAL = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.TIMED_OUT, Phase.SKIPPED, Phase.CANCELLED})
"""Phases that nothing follows. Blocked is not one of them: a block ends."""


class RoutingReason(StrEnum):
    """Why routing keeps a remediation from executing, in the order in which the reasons are checked."""

    PREVIOUS_EXECUTION_FAILED = "PreviousExecutionFailed"
    EXHAUSTED_RETRIES = "ExhaustedRetries"
    EXPONENTIAL_BACKOFF = "ExponentialBackoff"
    RECENTLY_REMEDIATED = "RecentlyRemediated"
    RESOURCE_BUSY = "ResourceBusy"
    DUPLICATE_IN_PROGRESS = "DuplicateInProgress"


class Outcome(StrEnum):
    """What a finished remediation means for its target."""

    REMEDIATED = "Remediated"
    NO_ACTION_REQUIRED = "NoActionRequired"
    MANUAL_REVIEW_REQUIRED = "ManualReviewRequired"


class TargetResource(ApiModel):
    """The object that is in trouble. A slash would make it another one: it is what joins the three in an execution."""

    kind: str = Field(description="Kind, in its own casing.", min_length=1, pattern="^[^/]+$")
    name: str = Field(description="Name of the object.", min_length=1, pattern="^[^/]+$")
    namespace: str | None = Field(None, description="Empty or absent for a cluster-scoped object.", pattern="^[^/]*$")


class TimeoutConfig(ApiModel):
    """Limits of this one remediation, as Go durations; absent ones are the controller's."""

    global_: str | None = Field(None, alias="global", description="The whole remediation.")
    processing: str | None = Field(None, description="Until its analysis has begun.")
    analyzing: str | None = Field(None, description="The analysis.")
    approval: str | None = Field(None, description="Waiting for somebody's approval.")
    executing: str | None = Field(None, description="The execution, passed on to its pipeline.")


class RemediationRequestSpec(ApiModel):
    """The signal, as the gateway received it."""

    signal_fingerprint: str = Field(
        description="What makes two signals the same: 64 hexadecimal digits. Immutable.",
        max_length=64,
        pattern="^[a-f0-9]{64}$",
        json_schema_extra={
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "signalFingerprint is immutable"}]
        },
    )
    signal_name: str = Field(description="Name of the signal.", max_length=253)
    severity: Literal["critical", "warning", "info"] = Field(description="How bad it is.")
    signal_type: str = Field(description="Kind of signal, such as prometheus-alert.")
    signal_source: str | None = Field(None, description="What sent it.")
    target_type: Literal["kubernetes", "aws", "azure", "gcp", "datadog"] = Field(description="Where the target lives.")
    target_resource: TargetResource
    firing_time: datetime | None = Field(None, description="When the trouble began.")
    received_time: datetime | None = Field(None, description="When the gateway heard of it.")
    timeout_config: TimeoutConfig | None = None
    signal_labels: dict[str, str] | None = Field(None, description="Labels of the signal.")
    signal_annotations: dict[str, str] | None = Field(None, description="Annotations of the signal.")


class RemediationRequestStatus(ApiModel):
    """What the orchestrator decided, and why."""

    overall_phase: Phase | None = Field(None, description="Absent means Pending.")
    observed_generation: int | None = Field(
        None, description="Generation of the spec that the status is about.", json_schema_extra={"format": "int64"}
    )
    message: str | None = Field(None, description="The present state for a person.")
    outcome: Outcome | None = Field(None, description="What the end means for the target.")
    start_time: datetime | None = Field(None, description="When the orchestrator first saw it.")
    completed_at: datetime | None = Field(None, description="When it ended.")
    processing_start_time: datetime | None = None
    analyzing_start_time: datetime | None = None
    approval_start_time: datetime | None = None
    executing_start_time: datetime | None = None
    ai_analysis_ref: ObjectReference | None = Field(None, description="The analysis that counts now.")
    workflow_execution_ref: ObjectReference | None = Field(None, description="The execution that counts now.")
    notification_request_refs: list[ObjectReference] | None = Field(None, description="Everything that was announced.")
    approval_notification_sent: bool | None = None
    skip_reason: RoutingReason | None = Field(None, description="Why it was skipped or failed by routing.")
    skip_message: str | None = Field(None, description="The same for a person.")
    block_reason: RoutingReason | None = Field(None, description="Why it waits.")
    block_message: str | None = Field(None, description="The same for a person.")
    blocked_until: datetime | None = Field(None, description="When it is looked at again, if a time is known.")
    blocking_workflow_execution: str | None = Field(None, description="The execution in the way.")
    duplicate_of: str | None = Field(None, description="The request that stands for this one.")
    duplicate_count: int | None = Field(None, description="Requests folded into this one.", ge=0)
    duplicate_refs: list[str] | None = Field(None, description="Their names.")
    next_allowed_execution: datetime | None = Field(None, description="End of the back-off on the target.")
    consecutive_failure_count: int | None = Field(
        None, description="Pre-execution failures in a row on the target, when last routed.", ge=0
    )
    failure_phase: str | None = Field(None, description="The phase in which it failed.")
    failure_reason: str | None = Field(None, description="Why it failed.")
    requires_manual_review: bool | None = Field(None, description="A person has to look before anything else runs.")
    timeout_phase: str | None = Field(None, description="The phase that took too long, or global.")
    timeout_time: datetime | None = Field(None, description="When that was noticed.")
    recovery_attempts: int | None = Field(None, description="Recovery analyses so far.", ge=0)
    conditions: Conditions | None = Field(None, json_schema_extra=CONDITION_LIST)


class RemediationRequest(ApiModel):
    """Wants one target remedied because of one signal."""

    api_version: Literal["kubernaut.ai/v1alpha1"] = "kubernaut.ai/v1alpha1"
    kind: Literal["RemediationRequest"] = "RemediationRequest"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: RemediationRequestSpec
    status: RemediationRequestStatus | None = None
