"""One node's kubelet: its pods, its images, its memory."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from random import Random

from controller.ports import Document
from sim.apiserver.identity import service_account
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster import starting, stopping
from sim.cluster.api import Api, component_user
from sim.cluster.behaviour import OomVariant, Performer
from sim.cluster.deadlines import Deadlines
from sim.cluster.eviction import NodeMemory
from sim.cluster.images import Catalogue, NodeImages
from sim.cluster.logs import Logs
from sim.cluster.options import Latencies
from sim.cluster.references import Missing
from sim.cluster.worker import PodWorker
from sim.loop import Loop
from sim.streams import Streams


class Delays:
    """Every latency bound to its random stream: ``delays.sandbox()`` draws microseconds."""

    scheduler_attempt: Callable[[], int]
    kubelet_watch: Callable[[], int]
    sandbox: Callable[[], int]
    init_container: Callable[[], int]
    container_start: Callable[[], int]
    ready_refresh: Callable[[], int]
    step_poll: Callable[[], int]
    exit_detect: Callable[[], int]
    stop: Callable[[], int]
    final_delete: Callable[[], int]
    error_sync: Callable[[], int]
    log_read: Callable[[], int]

    def __init__(self, latencies: Latencies, streams: Streams) -> None:
        for one in fields(latencies):
            distribution = getattr(latencies, one.name)
            setattr(self, one.name, partial(distribution.sample_us, streams(f"cluster.{one.name}")))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all kubelets share. ``over`` tells the scheduler that a pod ended."""

    server: ApiServer
    loop: Loop
    clock: Clock
    delays: Delays
    performer: Performer
    logs: Logs
    catalogue: Catalogue
    pulls: Random
    ids: Random
    over: Callable[[str], None]
    workers: dict[str, PodWorker]
    """Of all nodes, by the pod's uid."""


class Kubelet:
    def __init__(self, node: str, address: str, memory_bytes: int, oom: OomVariant, around: Surroundings) -> None:
        self.node = node
        self.address = address
        self.addresses = [{"ip": address}]
        self.oom = oom
        self.api = Api(around.server, component_user(f"system:node:{node}", "system:nodes"), "kubelet")
        self.loop = around.loop
        self.clock = around.clock
        self.delays = around.delays
        self.performer = around.performer
        self.logs = around.logs
        self.images = NodeImages(around.catalogue, around.pulls)
        self.memory = NodeMemory(self, memory_bytes)
        self.down = False
        self.workers = around.workers
        self._capacity = memory_bytes
        self._draw_id = around.ids.getrandbits
        self._over = around.over
        self._deadlines = Deadlines(around.loop, self._past_deadline)
        self._awaited: dict[tuple[str, str, str], list[Callable[[], None]]] = {}
        self._addresses_given = 0
        self._accounts: dict[tuple[str, str], Api] = {}

    def admit(self, pod: Document) -> PodWorker:
        """A pod was bound to this node."""
        worker = PodWorker(self, pod)
        self.workers[worker.uid] = worker
        self.loop.after(self.delays.kubelet_watch(), starting.admit, worker)
        worker.updated(pod)
        return worker

    def started(self, worker: PodWorker) -> None:
        seconds = worker.pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            self._deadlines.add(worker.uid, seconds)

    def finished(self, worker: PodWorker) -> None:
        """The pod's last status is written, or its object is gone."""
        if self.workers.pop(worker.uid, None) is not None:
            seconds = worker.pod["spec"].get("activeDeadlineSeconds")
            if seconds:
                self._deadlines.drop(worker.uid, seconds)
            self._over(worker.uid)

    def dropped(self, worker: PodWorker) -> None:
        for container in (*worker.inits, *worker.mains):
            self.memory.give_back(worker, container)
        self.finished(worker)

    def _past_deadline(self, uid: str) -> None:
        worker = self.workers.get(uid)
        if worker is not None:
            grace_s = worker.pod["spec"].get("terminationGracePeriodSeconds", 30)
            stopping.fail(worker, *stopping.DEADLINE, grace_s * 1_000_000)

    def await_object(self, worker: PodWorker, missing: Missing, again: Callable[[], None]) -> None:
        """Call ``again`` once the missing ConfigMap or Secret has been written, at the pod's next sync."""
        key = (missing.resource.plural, worker.pod["metadata"]["namespace"], missing.name)
        self._awaited.setdefault(key, []).append(again)

    def appeared(self, plural: str, namespace: str, name: str) -> None:
        if self._awaited:
            for again in self._awaited.pop((plural, namespace, name), ()):
                self.loop.after(self.delays.error_sync(), again)

    def die(self) -> None:
        """Power loss: every process of the node is gone, nothing is reported."""
        self.down = True
        for worker in [one for one in self.workers.values() if one.kubelet is self]:
            worker.vanish()
            del self.workers[worker.uid]
        self._awaited.clear()
        self.memory = NodeMemory(self, self._capacity)

    def boot(self, pods: list[Document]) -> None:
        """After :meth:`die`: ``pods`` are those bound here whose containers are no more."""
        self.down = False
        for pod in pods:
            worker = PodWorker(self, pod)
            self.workers[worker.uid] = worker
            self.loop.after(self.delays.kubelet_watch(), worker.find_nothing)

    def next_address(self) -> str:
        """The next address of the node's pod network; addresses are used again after 64 516 pods."""
        given = self._addresses_given
        self._addresses_given = given + 1
        return f"10.244.{given // 254 % 254}.{given % 254 + 1}"

    def account_api(self, namespace: str, account: str) -> Api:
        """The API server as a pod under this ServiceAccount calls it."""
        api = self._accounts.get((namespace, account))
        if api is None:
            api = Api(self.api.server, service_account(namespace, account), "kubectl")
            self._accounts[namespace, account] = api
        return api

    def container_id(self) -> str:
        return "containerd://" + self._draw_id(256).to_bytes(32, "big").hex()  # a third of the time of formatting it

    def stamp(self) -> str:
        """Now as Tekton's entrypoint writes it: RFC 3339 with milliseconds."""
        return f"{self.clock.timestamp()[:-1]}.{self.loop.now_us // 1000 % 1000:03d}Z"
