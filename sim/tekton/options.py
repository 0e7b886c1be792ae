"""How a Tekton installation is set up: release, processes, limits and its own latencies."""

from dataclasses import dataclass, field

from sim.tekton import latency
from sim.tekton.election import Election
from sim.tekton.version import V1_15, Version
from sim.workload.distributions import Constant, Distribution

_STARTED = "recorded: from the start of a process to its first reconcile, lists included"
CONTROLLER = "tekton-controller"
RESOLVERS = "tekton-resolvers"
WEBHOOK = "tekton-webhook"


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
    high_availability: bool = False
    """Whether the controller elects leaders (the recordings: ``-disable-ha``), and whether Leases are real requests."""
    controller_replicas: int = 1
    resolvers_replicas: int = 1
    election: Election = field(default_factory=Election)
    controller_start: Distribution = field(default_factory=lambda: Constant(225_000, source=_STARTED))
    """From the start of a process to its first list."""
    resolvers_start: Distribution = field(default_factory=lambda: Constant(220_000, source=_STARTED))
    default_timeout_us: int = 3_600_000_000
    resolution_timeout_us: int = 60_000_000
    fetch_timeout_us: int = 60_000_000
    """One pull of a bundle, its repetitions included."""
    cache_mode: str = "auto"
    """Of resolved bundles: ``auto`` (those named by digest), ``always`` or ``never``."""
    cache_ttl_us: int = 300_000_000
    cache_max: int = 1000
    registry_failures: tuple[tuple[str, float], ...] = ()
    """How often the registry answers otherwise: kinds of ``registry.ANSWERS`` with the share of the requests."""
    webhook_failures: float = 0.0
    """The share of the admission calls that the webhook does not answer."""
    reconcile: Distribution | None = None
    """None: as the release was recorded."""
    pull: Distribution = latency.PULL
    """From the start of a resolution to the data: manifest and layer of a bundle from its registry."""
    pull_failure: Distribution = latency.PULL_FAILURE
    """From the start of a resolution to the registry's refusal."""

    def __post_init__(self) -> None:
        if self.reconcile is None:
            object.__setattr__(self, "reconcile", self.version.reconcile)
        if self.controller_replicas > 1 and not self.high_availability:
            raise ValueError("more than one controller needs leader election (high availability)")
