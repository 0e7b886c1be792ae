"""All controllers of workloads together, and pods that serve instead of ending."""

from controller.ports import Document
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.behaviour import Behaviour, Performer
from sim.cluster.workloads.deployments import Deployments
from sim.cluster.workloads.jobs import Jobs
from sim.cluster.workloads.replicasets import ReplicaSets
from sim.loop import Loop
from sim.streams import Streams

_SERVES = Behaviour(hangs=True, sigterm_exit_code=0)


def start(server: ApiServer, loop: Loop, streams: Streams, clock: Clock) -> None:
    """Run the controllers of Deployments, ReplicaSets and Jobs from now on, also for what is there already."""
    Deployments(server, loop, clock, streams("workloads.deployments"))
    ReplicaSets(server, loop, clock, streams("workloads.replicasets"))
    Jobs(server, loop, clock, streams("workloads.jobs"))


class Serving:
    """Containers of pods that are always restarted do not end, unless ``performer`` says what they do."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        told = self._performer.perform(pod, container)
        spec = pod["spec"]
        if told is not None or spec.get("restartPolicy", "Always") != "Always":
            return told
        return _SERVES if any(one["name"] == container for one in spec["containers"]) else None
