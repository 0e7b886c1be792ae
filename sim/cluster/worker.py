"""One pod on one node, from admission by its kubelet to its last status.

What is here is what a kubelet knows and reports of a pod. How the pod starts is in :mod:`sim.cluster.starting`, what
its containers then do in :mod:`sim.cluster.steps`, how it is ended from outside in :mod:`sim.cluster.stopping`.
"""

from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.cluster import replacing, starting, steps, stopping
from sim.cluster.containers import Container, plan_of
from sim.cluster.entrypoint import READY, READY_ANNOTATION
from sim.cluster.podstatus import TERMINAL, Conditions

if TYPE_CHECKING:
    from sim.cluster.kubelet import Kubelet

_NOTHING: Document = {}
UNKNOWN = "The container could not be located when the pod was terminated"


class PodWorker:
    """``pod`` is the object as last committed. ``failure`` is (reason, message) of a pod that the kubelet failed.

    ``writing``: the next version of the object is this worker's own status, which changes nothing else.
    """

    __slots__ = (
        "_base",
        "_grace_s",
        "_init_statuses",
        "_last",
        "conditions",
        "deleting",
        "failure",
        "gone",
        "initialized",
        "inits",
        "kubelet",
        "mains",
        "phase",
        "pod",
        "posted",
        "ready",
        "sandbox",
        "stopping",
        "sync_armed",
        "uid",
        "writing",
    )

    def __init__(self, kubelet: "Kubelet", pod: Document) -> None:
        spec = pod["spec"]
        self.kubelet = kubelet
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.inits = [Container(plan_of(one, init=True), "PodInitializing") for one in spec.get("initContainers", ())]
        reason = "PodInitializing" if self.inits else "ContainerCreating"
        self.mains = [Container(plan_of(one, init=False), reason) for one in spec["containers"]]
        self.conditions = Conditions((pod.get("status") or {}).get("conditions", ()))
        self.posted: dict[str, bool] = {}
        self.phase = "Pending"
        self.failure: tuple[str, str] | None = None
        self.initialized = not self.inits
        self.sandbox = self.ready = self.stopping = self.deleting = self.gone = self.sync_armed = False
        self._base: dict[str, Any] = {"hostIP": kubelet.address, "hostIPs": kubelet.addresses}
        self._last: dict[str, Any] | None = None
        self._init_statuses: list[Document] | None = None
        self._grace_s: int | None = None
        self.writing = False

    def updated(self, pod: Document) -> None:
        """The object was committed anew, by this kubelet or another."""
        before, self.pod = self.pod, pod
        if pod["spec"] is not before["spec"]:
            replacing.spec_changed(self)
        status = pod.get("status") or _NOTHING
        if status is not self._last:
            self.conditions.keep(status.get("conditions", ()))
            self._last = None
        metadata = pod["metadata"]
        if not self.ready:
            annotations = metadata.get("annotations")
            if annotations and annotations.get(READY_ANNOTATION) == READY:
                steps.annotated(self)
        if "deletionTimestamp" in metadata:
            grace_s = metadata.get("deletionGracePeriodSeconds", 0)
            if self._grace_s is None or grace_s < self._grace_s:
                self._grace_s = grace_s
                self.kubelet.loop.after(self.kubelet.delays.kubelet_watch(), stopping.marked, self, grace_s)

    def know(self, **facts: Any) -> None:
        """Facts that every later status tells: addresses, start time, why the pod failed."""
        self._base.update(facts)
        self._last = None

    def init_exited(self, container: Container) -> None:
        starting.init_exited(self, container)

    def exited(self) -> None:
        """A main container ended; the kubelet will notice, and one sync reports all that ended by then."""
        if not self.sync_armed and not self.stopping:
            self.sync_armed = True
            self.kubelet.loop.after(self.kubelet.delays.exit_detect(), self._sync)

    def _sync(self) -> None:
        self.sync_armed = False
        if self.stopping or self.gone:
            return
        self.write()
        if self.phase in TERMINAL:
            self.finish()

    def fail(self, reason: str, message: str) -> None:
        """The kubelet has decided that the pod failed; the next write says so."""
        self.failure = (reason, message)
        self.know(reason=reason, message=message)

    def finish(self) -> None:
        """Nothing runs any more and the last status is written."""
        self.stopping = True
        self.kubelet.finished(self)

    def write(self) -> None:
        """Report the pod's status, if it is another than the last one reported."""
        if self.gone:
            return
        if not self.initialized:
            self._write_start()
            return
        waiting = running = failed = False
        unready, statuses = [], []
        for one in self.mains:
            statuses.append(one.status)
            if one.state == "running":
                running = True
                continue
            unready.append(one.name)
            if one.state == "waiting":
                waiting = True
            elif one.exit_code:
                failed = True
        if self.failure is not None or (failed and (self.stopping if waiting else not running)):
            phase = "Failed"  # also when some were killed while others had never started
        else:
            phase = "Pending" if waiting else "Running" if running else "Succeeded"
        self.phase = phase
        last, conditions = self._last, self.conditions.of_mains(phase, self.sandbox, unready, self.kubelet.clock)
        if last is None:
            self._report(phase, conditions, statuses)
        elif conditions is not last["conditions"] or phase != last["phase"] or statuses != last["containerStatuses"]:
            self._last = status = {**last, "phase": phase, "conditions": conditions, "containerStatuses": statuses}
            self.writing = True
            self.kubelet.api.write_pod_status(self.pod, status)

    def _write_start(self) -> None:
        """While init containers run, which is all that can have changed: main containers have no news of their own."""
        incomplete, statuses = [], []
        phase = "Pending" if self.failure is None else "Failed"
        for one in self.inits:
            statuses.append(one.status)
            if one.state != "terminated":
                incomplete.append(one.name)
            elif one.exit_code:
                if not incomplete:
                    phase = "Failed"
                incomplete.append(one.name)
        self.phase = phase
        last, kubelet = self._last, self.kubelet
        conditions = self.conditions.of_inits(phase, self.sandbox, incomplete, self.mains, kubelet.clock)
        self._init_statuses = statuses
        if last is None:
            self._report(phase, conditions, [container.status for container in self.mains])
        elif (
            conditions is not last["conditions"] or phase != last["phase"] or statuses != last["initContainerStatuses"]
        ):
            self._last = status = {**last, "phase": phase, "conditions": conditions, "initContainerStatuses": statuses}
            self.writing = True
            kubelet.api.write_pod_status(self.pod, status)

    def _report(self, phase: str, conditions: list[Document], statuses: list[Document]) -> None:
        """The whole status: what others wrote, what every status tells, and the containers."""
        status = {
            **(self.pod.get("status") or _NOTHING),
            **self._base,
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": statuses,
        }
        if self._init_statuses is None:
            self._init_statuses = [container.status for container in self.inits]
        if self._init_statuses:
            status["initContainerStatuses"] = self._init_statuses
        self._last = status
        self.writing = True
        self.kubelet.api.write_pod_status(self.pod, status)

    def deleted(self) -> None:
        """The object is gone: whatever still ran is killed and nobody is told."""
        if not self.gone:
            self.gone = self.stopping = True
            self._cancel_timers()
            self.kubelet.dropped(self)

    def _cancel_timers(self) -> None:
        for container in (*self.inits, *self.mains):
            if container.timer is not None:
                container.timer.cancel()

    def vanish(self) -> None:
        """The node died: nothing of this worker happens any more. What the API server shows stays as it is."""
        self.gone = self.stopping = True
        self._cancel_timers()

    def find_nothing(self) -> None:
        """After the node's boot: no container of the pod is left, so it failed, or is removed if being deleted."""
        if self.gone:
            return
        started = (self.pod.get("status") or _NOTHING).get("startTime")
        self.know(startTime=started or self.kubelet.clock.timestamp())
        self.stopping = self.initialized = self.sandbox = True
        now = self.kubelet.clock.timestamp()
        for container in self.inits:
            container.terminate(now, 0, "Completed")
        for container in self.mains:
            container.terminate(now, 137, "ContainerStatusUnknown", UNKNOWN)
        stopping.stopped(self, deleting="deletionTimestamp" in self.pod["metadata"])
