"""What a simulated cluster is made of and how long its components take.

Defaults add up to a warm one-task run of 5 to 6 s, as published for Tekton on kind; where nothing was published the
source says "assumed". :func:`as_recorded` is the timing under which Tekton's recordings were made.
"""

from dataclasses import dataclass, field, replace

from sim.cluster.behaviour import OomVariant
from sim.cluster.images import Catalogue
from sim.workload.distributions import Constant, Distribution, Uniform

_START = "assumed: 5 to 6 s for a warm hello-world TaskRun (tektoncd/pipeline#10152), split by hand"


@dataclass(frozen=True, slots=True)
class NodePool:
    """``count`` equal nodes, named ``<name>-0`` …; quantities as Kubernetes writes them, all of it allocatable."""

    name: str = "node"
    count: int = 3
    cpu: str = "8"
    memory: str = "32Gi"
    pods: int = 110
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[tuple[str, str, str], ...] = ()
    """(key, value, effect)"""
    oom: OomVariant | None = None
    """How memory kills look on these nodes; None: as everywhere in the cluster."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Every delay of scheduler, kubelets and node controller. A field's name is the name of its random stream."""

    scheduler_attempt: Distribution = field(default=Uniform(5_000, 15_000, "healthy schedulers bind about 100 pods/s"))
    kubelet_watch: Distribution = field(default=Uniform(10_000, 100_000, "assumed"))
    """Until a kubelet acts on what changed in a pod."""
    sandbox: Distribution = field(default=Uniform(500_000, 1_500_000, _START))
    """Volumes, sandbox and network, up to the first container's start."""
    init_container: Distribution = field(default=Uniform(300_000, 1_000_000, _START))
    """An init container that no performer says more about, with the kubelet's noticing its end."""
    container_start: Distribution = field(default=Uniform(100_000, 500_000, _START))
    """From one sync of a pod to the next container's start."""
    ready_refresh: Distribution = field(default=Uniform(100_000, 1_500_000, "assumed: volume refresh and a poll"))
    """From the ready annotation to the first step's going ahead."""
    step_poll: Distribution = field(default=Uniform(0, 1_000_000, "Tekton's entrypoint polls every second"))
    exit_detect: Distribution = field(default=Uniform(300_000, 1_200_000, "kubelet relists every second, then syncs"))
    stop: Distribution = field(default=Constant(1_000_000, "as in the recordings: 1 s from SIGTERM to the exit"))
    final_delete: Distribution = field(default=Constant(200_000, "as in the recordings"))
    error_sync: Distribution = field(default=Uniform(10_000_000, 15_000_000, "kubelet: 10 s, jitter 0.5"))
    """From an error (failed pull, missing reference) to the next sync of the pod."""
    log_read: Distribution = field(default=Uniform(5_000, 30_000, "assumed"))


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    pools: tuple[NodePool, ...] = (NodePool(),)
    latencies: Latencies = Latencies()
    images: Catalogue = field(default_factory=Catalogue)
    oom: OomVariant = OomVariant.GROUP
    log_limit_bytes: int = 65_536
    """Kept per container; kubelets rotate at 10 MiB."""


def as_recorded(options: ClusterOptions | None = None) -> ClusterOptions:
    """The same cluster with the played pod timings of the recordings, all constant."""
    timing = Latencies(
        scheduler_attempt=Constant(100_000),
        kubelet_watch=Constant(60_000),
        sandbox=Constant(310_000),
        init_container=Constant(260_000),
        container_start=Constant(105_000),
        ready_refresh=Constant(0),
        step_poll=Constant(0),
        exit_detect=Constant(0),
        stop=Constant(1_050_000),
        final_delete=Constant(200_000),
        error_sync=Constant(1_500_000),
        log_read=Constant(10_000),
    )
    return replace(options or ClusterOptions(), latencies=timing)
