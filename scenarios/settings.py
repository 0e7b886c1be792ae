"""What can be set about a world: the cluster, Tekton, the API server and the executor, each with its default.

A latency is a distribution with a source; ``assumed`` where nobody measured it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from scenarios.errors import BadInput
from scenarios.workflows import Part, Quantity, Time, validate
from sim.workload import distributions
from sim.workload.durations import format_us, parse_us


class Duration(float):
    """Seconds that are shown as Kubernetes writes durations."""

    def __str__(self) -> str:
        return format_us(round(self * 1_000_000))


Seconds = Annotated[Duration, PlainValidator(lambda form: Duration(parse_us(form) / 1_000_000))]
"""A duration such as ``5m``, kept in seconds."""


def _above_zero(seconds: Duration) -> Duration:
    if seconds <= 0:
        raise ValueError("expected a duration above 0, such as 5m")
    return seconds


class ClusterSettings(Part):
    """The nodes under everything."""

    nodes: int = Field(default=200, ge=1, le=5000)
    cpu: Quantity = "8"
    memory: Quantity = "32Gi"


class TektonSettings(Part):
    """Tekton's version and its throttles; ``qps`` 0 lifts them."""

    version: Annotated[Literal["1.7", "1.15"], BeforeValidator(str)] = "1.15"
    qps: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    burst: int = Field(default=20, ge=1)
    workers: int = Field(default=2, ge=1, le=1000)


class ExecutorSettings(Part):
    """The WorkflowExecution controller."""

    cooldown: Annotated[Seconds, AfterValidator(_above_zero)] = Duration(300)
    workers: int = Field(default=10, ge=1, le=1000)
    restart: Seconds = Field(default=Duration(5), description="from a crash to the new process")


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class OrchestratorSettings(Part):
    """The RemediationOrchestrator."""

    cooldown: Annotated[Seconds, AfterValidator(_above_zero)] = Duration(300)
    on_busy: Literal["skip", "wait"] = Field(
        default="skip", alias="onBusy", description="a request whose target is busy is skipped, or waits"
    )
    max_failures: int = Field(default=5, ge=1, alias="maxFailures", description="in a row before the run, on a target")
    max_recoveries: int = Field(default=3, ge=0, alias="maxRecoveries")
    backoff_base: Annotated[Seconds, AfterValidator(_above_zero)] = Field(default=Duration(60), alias="backoffBase")
    backoff_cap: Annotated[Seconds, AfterValidator(_above_zero)] = Field(default=Duration(600), alias="backoffCap")
    backoff_jitter: float = Field(default=0.1, ge=0, lt=1, alias="backoffJitter")
    timeout: Annotated[Seconds, AfterValidator(_above_zero)] = Duration(3600)
    processing_timeout: Annotated[Seconds, AfterValidator(_above_zero)] = Field(
        default=Duration(300), alias="processingTimeout"
    )
    analyzing_timeout: Annotated[Seconds, AfterValidator(_above_zero)] = Field(
        default=Duration(600), alias="analyzingTimeout"
    )
    approval_timeout: Annotated[Seconds, AfterValidator(_above_zero)] = Field(
        default=Duration(900), alias="approvalTimeout"
    )
    executing_timeout: Annotated[Seconds, AfterValidator(_above_zero)] = Field(
        default=Duration(1800), alias="executingTimeout"
    )
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


class ApiSettings(Part):
    """The API server: how long a request takes, how much of that before it acts, and how far a watch lags behind.

    Together they make Tekton meet about as many conflicts as its recordings show: 4.7 against 4 of 26 writes of TaskRun
    statuses in a run of three tasks.
    """

    read: Time = distributions.parse({"lognormal": {"median": "2ms", "p99": "6ms"}, "source": "assumed"})
    write: Time = distributions.parse(
        {
            "lognormal": {"median": "5.5ms", "p99": "11ms"},
            "source": "recorded: 4-10 ms a write with its webhooks on an idle server",
        }
    )
    request_share: float = Field(
        default=0.75,
        ge=0.1,
        le=1.0,
        alias="requestShare",
        description="of a call's time, before the server acts; fitted",
    )
    watch_lag: Time = Field(
        default=distributions.parse(
            {"lognormal": {"median": "1ms", "p99": "3ms"}, "source": "fitted to the conflicts of recorded runs"}
        ),
        alias="watchLag",
    )


class Settings(Part):
    """All of it; every part may be left out."""

    cluster: ClusterSettings = ClusterSettings()
    tekton: TektonSettings = TektonSettings()
    executor: ExecutorSettings = ExecutorSettings()
    orchestrator: OrchestratorSettings = OrchestratorSettings()
    analyst: AnalystSettings = AnalystSettings()
    approver: ApproverSettings = ApproverSettings()
    api: ApiSettings = ApiSettings()
    durations: dict[str, Time] = Field(
        default={}, description="how long steps take, by name, instead of the catalogue's"
    )
    patience: Seconds = Field(
        default=Duration(14400), description="how long a step waits in virtual time before it fails"
    )
    ties: Literal["fifo", "shuffled"] = Field(default="fifo", description="order of timers of one instant")
    guard: bool = Field(default=False, description="prove at every commit that nobody mutates shared documents")


def parse(data: Mapping[str, Any], overrides: Sequence[str], where: str) -> Settings:
    """Settings from a file's mapping, with ``KEY=VALUE`` overrides (dotted keys) on top. Raises BadInput."""
    tree = _plain(data)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not all(key.split(".")):
            raise BadInput("--set", f'"{override}" is not an assignment', "KEY=VALUE, such as executor.cooldown=1m")
        try:
            _put(tree, key.split("."), yaml.safe_load(value))
        except (yaml.YAMLError, ValueError, RecursionError):
            raise BadInput(
                "--set", f'the value of "{key}" is not YAML', "a value such as 5m, 20 or {uniform: …}"
            ) from None
    return validate(Settings, tree, where if not overrides else f"{where} with --set")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in data.items()}


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            raise BadInput("--set", f'"{part}" in "{".".join(path)}" has no fields below it', "a known setting")
        tree = branch
    tree[path[-1]] = value


def described(settings: Settings) -> dict[str, Any]:
    """The settings for the record: plain values, distributions in words with their sources."""

    def words(value: Any) -> Any:
        if isinstance(value, Part):
            fields = type(value).model_fields
            return {field.alias or name: words(getattr(value, name)) for name, field in fields.items()}
        if isinstance(value, dict):
            return {name: words(each) for name, each in value.items()}
        if isinstance(value, Duration):
            return str(value)
        if isinstance(value, int | float | str):
            return value
        return f"{value.describe()} ({value.source})"

    return words(settings)  # type: ignore[no-any-return]
