"""The whole cluster around Tekton, composed: nodes, scheduler, kubelets, node controller, logs."""

from collections.abc import Iterable

from controller.ports import Document, Resource, WatchType
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster import nodes
from sim.cluster.api import Api, component_user
from sim.cluster.behaviour import Performer
from sim.cluster.eviction import drain
from sim.cluster.failures import NodeController
from sim.cluster.fleet import Fleet
from sim.cluster.kubelet import Delays, Kubelet, Surroundings
from sim.cluster.logs import Logs, PodLogs
from sim.cluster.options import ClusterOptions, NodePool
from sim.cluster.podstatus import TERMINAL
from sim.cluster.quantities import memory_bytes
from sim.cluster.scheduler import Scheduler
from sim.cluster.worker import PodWorker
from sim.loop import Loop
from sim.streams import Streams


class ClusterModels:
    """Everything that answers what the API server commits. Nothing happens before :meth:`start`."""

    def __init__(
        self,
        server: ApiServer,
        loop: Loop,
        streams: Streams,
        clock: Clock,
        options: ClusterOptions,
        performer: Performer,
    ) -> None:
        self.options = options
        self.logs = Logs(options.log_limit_bytes)
        self.kubelets: dict[str, Kubelet] = {}
        self._workers: dict[str, PodWorker] = {}
        self._server = server
        self._clock = clock
        self._delays = Delays(options.latencies, streams)
        self._fleet = Fleet()
        attempt, stream = options.latencies.scheduler_attempt, streams("cluster.scheduler_attempt")
        self._scheduler = Scheduler(server, loop, clock, stream, attempt, self._fleet)
        self._around = Surroundings(
            server,
            loop,
            clock,
            self._delays,
            performer,
            self.logs,
            options.images,
            streams("cluster.image_pull"),
            streams("cluster.container_ids"),
            self._scheduler.over,
            self._workers,
        )
        self._nodes = NodeController(server, loop, clock, self._known)
        self._places = self._runs = True

    def start(self, *, scheduler: bool = True, kubelets: bool = True) -> None:
        """Register the nodes and begin to watch.

        Without the ``scheduler`` somebody else binds pods; without ``kubelets`` somebody else runs what is bound.
        """
        self._places, self._runs = scheduler, kubelets
        for plural, watch in (
            ("pods", self._pod),
            ("nodes", self._node),
            ("configmaps", self._reference),
            ("secrets", self._reference),
        ):
            self._server.registry.named("", plural).table.observers.append(watch)
        for pool in self.options.pools:
            self.add_nodes(pool)

    def add_nodes(self, pool: NodePool) -> None:
        """Let the pool's nodes join, now or at any time later."""
        for name in nodes.names(pool):
            address = f"172.18.{len(self.kubelets) // 254}.{len(self.kubelets) % 254 + 2}"
            oom = pool.oom or self.options.oom
            kubelet = Kubelet(name, address, memory_bytes(pool.memory), oom, self._around)
            self.kubelets[name] = kubelet
            node = nodes.document(pool, name, address, self._clock.timestamp())
            created = kubelet.api.create(nodes.NODES, "", node)
            if "status" not in created:
                kubelet.api.patch(nodes.NODES, "", name, {"status": node["status"]}, subresource="status")

    def lose_node(self, node: str) -> None:
        """Power loss at this instant. Raises ValueError when the node is not known."""
        self._nodes.lose(node)

    def recover_node(self, node: str) -> None:
        """The lost node boots. Raises ValueError when the node is not known."""
        self._nodes.recover(node)

    def drain_node(self, node: str) -> list[Document]:
        """Cordon and empty the node as an administrator does; answers the pods that were told to go."""
        return drain(Api(self._server, component_user("kubernetes-admin"), "kubectl"), self._known(node).node)

    def log_reader(self, user: User, component: str = "") -> PodLogs:
        """``controller.ports.LogReader`` as ``user``."""
        return PodLogs(
            self._server,
            self.logs,
            user,
            component=component or user.name,
            delay_us=self._delays.log_read,
            reachable=self._reachable,
        )

    def _known(self, node: str) -> Kubelet:
        kubelet = self.kubelets.get(node)
        if kubelet is None:
            raise ValueError(f"no node is called {node!r:.80}: there are {_listed(self.kubelets)}")
        return kubelet

    def _reachable(self, node: str) -> bool:
        kubelet = self.kubelets.get(node)
        return kubelet is not None and not kubelet.down

    def _pod(self, type_: WatchType, _resource: Resource, _old: Document | None, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if type_ == "DELETED":
            self.logs.drop(uid)
            if worker is not None:
                worker.deleted()
            self._scheduler.over(uid)
        elif worker is not None:
            if worker.writing:
                worker.writing = False
                worker.pod = pod
            else:
                worker.updated(pod)
        elif not pod["spec"].get("nodeName"):
            if self._places:
                self._scheduler.unbound(pod)
        elif (pod.get("status") or {}).get("phase") not in TERMINAL:
            self._scheduler.bound(pod)
            kubelet = self.kubelets.get(pod["spec"]["nodeName"])
            if kubelet is not None and not kubelet.down and self._runs:
                kubelet.admit(pod)

    def _node(self, type_: WatchType, _resource: Resource, _old: Document | None, node: Document) -> None:
        name = node["metadata"]["name"]
        if type_ == "DELETED":
            self._fleet.remove(name)
        elif (node.get("status") or {}).get("allocatable"):
            self._fleet.describe(node)
            self._scheduler.node_changed(name)

    def _reference(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        """A ConfigMap or Secret, for which pods may wait."""
        if type_ != "DELETED":
            metadata = new["metadata"]
            for kubelet in self.kubelets.values():
                kubelet.appeared(resource.plural, metadata["namespace"], metadata["name"])


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:10]) + (" …" if len(shown) > 10 else "")


def build(
    server: ApiServer, loop: Loop, streams: Streams, clock: Clock, options: ClusterOptions, performer: Performer
) -> ClusterModels:
    """Compose the cluster; call ``start()`` on what comes back."""
    return ClusterModels(server, loop, streams, clock, options, performer)
