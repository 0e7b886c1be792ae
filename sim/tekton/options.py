"""How a Tekton installation is set up: release, limits and its own latencies."""

from dataclasses import dataclass, field

from sim.tekton.version import V1_15, Version
from sim.workload.distributions import Constant, Distribution, Lognormal

_RECORDED = "recorded: Tekton v1.7.0 and v1.15.0 on kube-apiserver 1.36, idle, loopback"


@dataclass(frozen=True, slots=True)
class TektonOptions:
    """Defaults are those of a release installation; latencies come from recordings of one.

    ``reconcile`` is the processing time of one reconcile attempt before its first request, apart from the API server's
    own latency and the lag of the watches.
    """

    version: Version = V1_15
    namespace: str = "tekton-pipelines"
    release: str = "unknown"
    """Value of the annotation ``pipeline.tekton.dev/release``."""
    threads_per_controller: int = 2
    qps: float | None = 20.0
    """Requests a second of each clientset (tekton, core, resolution); None lifts the limit."""
    burst: int = 20
    resolvers_qps: float | None = 50.0
    resolvers_burst: int = 50
    default_timeout_us: int = 3_600_000_000
    resolution_timeout_us: int = 60_000_000
    reconcile: Distribution | None = field(
        default_factory=lambda: Lognormal(median_us=1_500, sigma=0.5, source=_RECORDED)
    )
    pull: Distribution = field(default_factory=lambda: Constant(90_000, source=_RECORDED))
    """From the start of a resolution to the data: manifest and layer of a bundle from its registry."""
    pull_failure: Distribution = field(default_factory=lambda: Constant(45_000, source=_RECORDED))
    """From the start of a resolution to the registry's refusal."""
