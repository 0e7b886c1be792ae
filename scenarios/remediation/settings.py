"""What can be set about the orchestrator and about those who decide around it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scenarios.seconds import Duration, Seconds, SomeSeconds
from scenarios.workflows import Part, Time
from sim.workload import distributions

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class OrchestratorSettings(Part):
    """The RemediationOrchestrator."""

    cooldown: SomeSeconds = Duration(300)
    on_busy: Literal["skip", "wait"] = Field(
        default="skip", alias="onBusy", description="a request whose target is busy is skipped, or waits"
    )
    max_failures: int = Field(default=5, ge=1, alias="maxFailures", description="in a row before the run, on a target")
    max_recoveries: int = Field(default=3, ge=0, alias="maxRecoveries")
    backoff_base: SomeSeconds = Field(default=Duration(60), alias="backoffBase")
    backoff_cap: SomeSeconds = Field(default=Duration(600), alias="backoffCap")
    backoff_jitter: float = Field(default=0.1, ge=0, lt=1, alias="backoffJitter")
    timeout: SomeSeconds = Duration(3600)
    processing_timeout: SomeSeconds = Field(default=Duration(300), alias="processingTimeout")
    analyzing_timeout: SomeSeconds = Field(default=Duration(600), alias="analyzingTimeout")
    approval_timeout: SomeSeconds = Field(default=Duration(900), alias="approvalTimeout")
    executing_timeout: SomeSeconds = Field(default=Duration(1800), alias="executingTimeout")
    workers: int = Field(default=10, ge=1, le=1000)
    replicas: int = Field(default=1, ge=1, le=10, description="more than one: each believes that it leads")
    restart: Seconds = Field(default=Duration(5), description="from a crash to the new process")

    @model_validator(mode="after")
    def _base_within_cap(self) -> Self:
        if self.backoff_base > self.backoff_cap:
            raise ValueError(f"backoffBase {self.backoff_base} is longer than backoffCap {self.backoff_cap}")
        return self


class AnalystSettings(Part):
    """Who recommends workflows: how long an analysis takes, and which shares of them end without a plain answer."""

    latency: Time = distributions.parse(
        {"lognormal": {"median": "12s", "p99": "50s"}, "source": "assumed: a model's investigation"}
    )
    not_needed: Share = Field(default=0.0, alias="notNeeded")
    nothing_found: Share = Field(default=0.0, alias="nothingFound")
    unsure: Share = Field(default=0.0, description="a confidence so low that somebody has to approve")
    error: Share = 0.0
    silent: Share = Field(default=0.0, description="never answered")

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        total = self.not_needed + self.nothing_found + self.unsure + self.error + self.silent
        if total > 1 + 1e-9:
            raise ValueError(f"the shares add up to {total:g}, expected at most 1")
        return self


class ApproverSettings(Part):
    """Who approves what the analyst is not sure of."""

    latency: Time = distributions.parse(
        {"lognormal": {"median": "3m", "p99": "20m"}, "source": "assumed: somebody on call"}
    )
    rejects: Share = 0.1
    silent: Share = Field(default=0.1, description="nobody looks")

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.rejects + self.silent > 1 + 1e-9:
            raise ValueError(f"rejects and silent add up to {self.rejects + self.silent:g}, expected at most 1")
        return self


class ReviewerSettings(Part):
    """Who looks at executions that failed while they worked, and clears the block of their targets."""

    latency: Time = distributions.parse(
        {"lognormal": {"median": "20m", "p99": "2h"}, "source": "assumed: somebody on call"}
    )
    ignores: Share = Field(default=0.0, description="never looked at")
