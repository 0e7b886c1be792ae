"""NotificationRequest ``kubernaut.ai/v1alpha1``: something that people are to be told."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from controller.api.meta import CONDITION_LIST, ApiModel, Conditions, ObjectMeta, ObjectReference


class NotificationRequestSpec(ApiModel):
    """The message. Immutable after creation."""

    type: Literal["simple", "manual-review", "approval", "escalation", "status-update"]
    priority: Literal["critical", "high", "medium", "low"]
    channels: list[Literal["slack", "email", "console", "webhook"]] = Field(min_length=1)
    subject: str = Field(min_length=1, max_length=500)
    body: str
    remediation_request_ref: ObjectReference | None = None
    metadata: dict[str, str] | None = Field(None, description="Facts for programs.")


class NotificationRequestStatus(ApiModel):
    """Whether it was delivered."""

    phase: Literal["Pending", "Sending", "Sent", "PartiallySent", "Failed"] | None = Field(
        None, description="Absent means Pending."
    )
    message: str | None = None
    completion_time: datetime | None = None
    conditions: Conditions | None = Field(None, json_schema_extra=CONDITION_LIST)


class NotificationRequest(ApiModel):
    """One message to people."""

    api_version: Literal["kubernaut.ai/v1alpha1"] = "kubernaut.ai/v1alpha1"
    kind: Literal["NotificationRequest"] = "NotificationRequest"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: NotificationRequestSpec
    status: NotificationRequestStatus | None = None
