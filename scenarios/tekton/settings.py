"""What can be set about Tekton: release, processes, limits, its way to the registry, its webhook, and what befalls it.

The defaults are those of a release installation with one process of each kind and no leader election in the
controller, as it was recorded.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from scenarios.seconds import Duration, Seconds, SomeSeconds
from scenarios.workflows import Part, Time
from sim.tekton.election import Election
from sim.tekton.options import CONTROLLER, RESOLVERS, WEBHOOK, TektonOptions
from sim.tekton.registry import ANSWERS
from sim.tekton.version import VERSIONS
from sim.workload import distributions

_RELEASE = TektonOptions()
_OWN = "Tekton's default"
Process = Literal["controller", "resolvers", "webhook"]
PROCESSES: Mapping[Process, str] = {"controller": CONTROLLER, "resolvers": RESOLVERS, "webhook": WEBHOOK}
Mishap = Literal["outage", "crash", "restart", "rollout"]
"""All are gone for a time; the leader dies; all end in good order and start anew; each gets its successor first."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class HighAvailability(Part):
    """Leader election: off in the recordings (``-disable-ha``). On, every lease is written as often as Tekton does."""

    enabled: bool = Field(default=False, description="off as recorded (-disable-ha); a release has it on")
    controllers: int = Field(default=1, ge=1, le=20, description=_OWN)
    resolvers: int = Field(default=1, ge=1, le=20, description=_OWN)
    buckets: int = Field(default=1, ge=1, le=10, description=f"leases of each controller; {_OWN}")
    lease: SomeSeconds = Field(default=Duration(60), description=_OWN)
    renew: SomeSeconds = Field(default=Duration(40), description=_OWN)
    retry: SomeSeconds = Field(default=Duration(10), description=f"stretched by up to 120 %; {_OWN}")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.election()
        if self.controllers > 1 and not self.enabled:
            raise ValueError("more than one controller needs leader election: expected enabled: true")
        return self

    def election(self) -> Election:
        return Election(self.lease.us, self.renew.us, self.retry.us, self.buckets)


class RegistryFailure(Part):
    """How often a registry answers something else than the bundle."""

    answer: str
    share: Share

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.answer not in ANSWERS:
            raise ValueError(f'"{self.answer}" is no answer of a registry; expected one of {", ".join(ANSWERS)}')
        return self

    def __str__(self) -> str:
        return f"{self.answer} ({self.share:g} of the requests)"


class BundleSettings(Part):
    """How bundles are had: the time from a resolution's start, failures, and the resolvers' cache."""

    pull: Time = _RELEASE.pull
    refusal: Time = _RELEASE.pull_failure
    timeout: SomeSeconds = Field(default=Duration(60), description=f"of one pull, with its repetition; {_OWN}")
    request_timeout: SomeSeconds = Field(
        default=Duration(60),
        alias="requestTimeout",
        description=f"of a ResolutionRequest, whoever is to answer it; {_OWN}",
    )
    failures: list[RegistryFailure] = Field(default=[], description="of a registry, with their shares of the requests")
    cache: Literal["auto", "always", "never"] = Field(default="auto", description=f"auto is by digest only; {_OWN}")
    cache_ttl: SomeSeconds = Field(default=Duration(300), alias="cacheTtl", description=_OWN)
    cache_size: int = Field(default=1000, ge=1, alias="cacheSize", description=_OWN)

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if sum(one.share for one in self.failures) > 1:
            raise ValueError("failures: the shares add up to more than 1")
        return self


class Incident(Part):
    """Something that befalls one kind of process at a time; ``for`` is how long an outage lasts."""

    at: Seconds
    what: Process
    kind: Mishap = "outage"
    lasting: SomeSeconds = Field(default=Duration(60), alias="for")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.what == "webhook" and self.kind != "outage":
            raise ValueError(f"the webhook keeps nothing to lose: expected an outage, not a {self.kind}")
        return self

    def __str__(self) -> str:
        lasting = f" for {self.lasting}" if self.kind == "outage" else ""
        return f"{self.kind} of the {self.what} at {self.at}{lasting}"


class TektonSettings(Part):
    """All about Tekton; ``qps`` 0 lifts every limit of requests a second."""

    version: Annotated[Literal["1.7", "1.15"], BeforeValidator(str)] = "1.15"
    qps: float = Field(
        default=20.0, ge=0, allow_inf_nan=False, description=f"of each clientset; 0 lifts every limit; {_OWN}"
    )
    burst: int = Field(default=20, ge=1, description=_OWN)
    resolvers_qps: float = Field(default=50.0, gt=0, allow_inf_nan=False, alias="resolversQps", description=_OWN)
    resolvers_burst: int = Field(default=50, ge=1, alias="resolversBurst", description=_OWN)
    threads: int = Field(
        default=2,
        ge=1,
        le=1000,
        validation_alias=AliasChoices("threads", "workers"),
        description=f"of each controller; {_OWN}",
    )
    ha: HighAvailability = HighAvailability()
    bundles: BundleSettings = BundleSettings()
    webhook_failures: Share = Field(
        default=0.0, alias="webhookFailures", description="share of the calls that are not answered; assumed"
    )
    controller_start: Time = Field(default=_RELEASE.controller_start, alias="controllerStart")
    resolvers_start: Time = Field(default=_RELEASE.resolvers_start, alias="resolversStart")
    restart: Time = Field(
        default=distributions.parse({"constant": "5s", "source": "assumed"}),
        description="from a crash to the new process",
    )
    rollout: SomeSeconds = Field(
        default=Duration(5), description="from a new process to the end of its predecessor; assumed"
    )
    incidents: list[Incident] = Field(default=[], description="{at, what, kind, for}")

    def options(self) -> TektonOptions:
        """The same for the simulated Tekton."""
        lifted, bundles, ha = self.qps == 0, self.bundles, self.ha
        return TektonOptions(
            version=VERSIONS[f"v{self.version}.0"],
            threads_per_controller=self.threads,
            qps=None if lifted else self.qps,
            burst=self.burst,
            resolvers_qps=None if lifted else self.resolvers_qps,
            resolvers_burst=self.resolvers_burst,
            high_availability=ha.enabled,
            controller_replicas=ha.controllers,
            resolvers_replicas=ha.resolvers,
            election=ha.election(),
            controller_start=self.controller_start,
            resolvers_start=self.resolvers_start,
            resolution_timeout_us=bundles.request_timeout.us,
            fetch_timeout_us=bundles.timeout.us,
            cache_mode=bundles.cache,
            cache_ttl_us=bundles.cache_ttl.us,
            cache_max=bundles.cache_size,
            registry_failures=tuple((one.answer, one.share) for one in bundles.failures),
            webhook_failures=self.webhook_failures,
            pull=bundles.pull,
            pull_failure=bundles.refusal,
        )
