"""What can be set about a world: the cluster, Tekton, the API server and the executor, each with its default.

A latency is a distribution with a source; ``assumed`` where nobody measured it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from scenarios.errors import BadInput
from scenarios.remediation.settings import AnalystSettings, ApproverSettings, OrchestratorSettings, ReviewerSettings
from scenarios.seconds import Duration, Seconds, SomeSeconds
from scenarios.tekton.settings import TektonSettings
from scenarios.workflows import Part, Quantity, Time, validate
from sim.tekton import latency


class ClusterSettings(Part):
    """The nodes under everything."""

    nodes: int = Field(default=200, ge=1, le=5000)
    cpu: Quantity = "8"
    memory: Quantity = "32Gi"


class ExecutorSettings(Part):
    """The WorkflowExecution controller."""

    cooldown: SomeSeconds = Duration(300)
    workers: int = Field(default=10, ge=1, le=1000)
    restart: Seconds = Field(default=Duration(5), description="from a crash to the new process")


class ApiSettings(Part):
    """The API server: how long a request takes, how much of that before it acts, and how far a watch lags behind.

    Together they make Tekton meet as many conflicts as its recordings show. A ``write`` without an ``update`` is meant
    for both.
    """

    read: Time = latency.READ
    write: Time = Field(default=latency.WRITE, description="POST, PATCH and DELETE, webhooks included")
    update: Time = Field(default=latency.UPDATE, description="PUT, webhooks included")
    request_share: float = Field(
        default=latency.REQUEST_SHARE,
        ge=0.1,
        le=1.0,
        alias="requestShare",
        description="of a call's time, before the server acts; fitted",
    )
    watch_lag: Time = Field(default=latency.WATCH_LAG, alias="watchLag")

    @model_validator(mode="before")
    @classmethod
    def _every_write(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "write" in data and "update" not in data:
            return {**data, "update": data["write"]}
        return data


class Settings(Part):
    """All of it; every part may be left out."""

    cluster: ClusterSettings = ClusterSettings()
    tekton: TektonSettings = TektonSettings()
    executor: ExecutorSettings = ExecutorSettings()
    orchestrator: OrchestratorSettings = OrchestratorSettings()
    analyst: AnalystSettings = AnalystSettings()
    approver: ApproverSettings = ApproverSettings()
    reviewer: ReviewerSettings = ReviewerSettings()
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


def notes(part: type[Part] = Settings, above: str = "") -> Iterator[tuple[str, str]]:
    """What is said about settings besides their values, by their dotted names."""
    for name, field in part.model_fields.items():
        key = f"{above}{field.alias or name}"
        if field.description:
            yield key, field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, Part):
            yield from notes(field.annotation, f"{key}.")


def described(settings: Settings) -> dict[str, Any]:
    """The settings for the record: plain values, distributions in words with their sources."""

    def words(value: Any) -> Any:
        if isinstance(value, Part):
            fields = type(value).model_fields
            return {field.alias or name: words(getattr(value, name)) for name, field in fields.items()}
        if isinstance(value, dict):
            return {name: words(each) for name, each in value.items()}
        if isinstance(value, list):
            return ", ".join(map(str, value)) or "none"
        if isinstance(value, Duration):
            return str(value)
        if isinstance(value, int | float | str):
            return value
        return f"{value.describe()} ({value.source})"

    return words(settings)  # type: ignore[no-any-return]
