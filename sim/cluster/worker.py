"""One pod on one node, from admission by its kubelet to its last status: the sequence of a pod worker.

Init containers run one after another, then all others start together. What the containers then do is played by
:mod:`sim.cluster.steps`; how the pod is ended from outside by :mod:`sim.cluster.stopping`.
"""

from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, ConnectionLost, Document
from sim.cluster import steps, stopping
from sim.cluster.containers import Container
from sim.cluster.entrypoint import READY, READY_ANNOTATION
from sim.cluster.images import Pull, back_off, back_off_us
from sim.cluster.podstatus import TERMINAL, Conditions, phase_of
from sim.cluster.references import Missing, missing_for_container, missing_for_volumes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.cluster.kubelet import Kubelet

_NOTHING: Document = {}
UNKNOWN = "The container could not be located when the pod was terminated"
_RETRY_US = 10_000_000  # a kubelet reconciles its statuses every ten seconds


class PodWorker:
    """``pod`` is the object as last committed. ``failure`` is (reason, message) of a pod that the kubelet failed."""

    __slots__ = (
        "_base",
        "_grace_s",
        "_init_statuses",
        "_last",
        "_retrying",
        "_writing",
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
    )

    def __init__(self, kubelet: "Kubelet", pod: Document) -> None:
        spec = pod["spec"]
        self.kubelet = kubelet
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.inits = [Container(one, init=True, reason="PodInitializing") for one in spec.get("initContainers", ())]
        reason = "PodInitializing" if self.inits else "ContainerCreating"
        self.mains = [Container(one, init=False, reason=reason) for one in spec["containers"]]
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
        self._retrying = self._writing = False

    # --- what the kubelet watches -------------------------------------------------------------------------------

    def updated(self, pod: Document) -> None:
        """The object was committed anew, by this kubelet or another."""
        self.pod = pod
        if self._writing:
            self._writing = False
            return  # its own status, which changes nothing else
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

    # --- from admission to the first container ------------------------------------------------------------------

    def admit(self) -> None:
        if self.gone:
            return
        self._base["startTime"] = self.kubelet.clock.timestamp()
        self.kubelet.started(self)
        if not self.stopping:
            self.write()
            self.mount()

    def mount(self) -> None:
        """Start the sandbox as soon as every volume's ConfigMap and Secret is there."""
        if self.stopping:
            return
        kubelet = self.kubelet
        missing = missing_for_volumes(self.pod, kubelet.api.find)
        if missing is not None:
            kubelet.await_object(self, missing, self.mount)
        else:
            kubelet.loop.after(kubelet.delays.sandbox(), self._sandbox_ready)

    def _sandbox_ready(self) -> None:
        if self.stopping:
            return
        self.sandbox = True
        self._base["podIP"] = address = self.kubelet.next_address()
        self._base["podIPs"] = [{"ip": address}]
        self._last = None
        if self.inits:
            self._start_init(0)
        else:
            self._start_mains()

    # --- init containers ----------------------------------------------------------------------------------------

    def _start_init(self, index: int) -> None:
        if self.stopping:
            return
        container = self.inits[index]
        pull = self._pull(container)
        if pull is None:
            self._run_init(index)
            return
        delay_us = pull.decided_at_us - self.kubelet.loop.now_us
        if not pull.reason:
            self.write()
            self.kubelet.loop.after(delay_us, self._run_init, index)
        else:
            self.kubelet.loop.after(delay_us, self._pull_failed, container, pull, lambda: self._start_init(index))

    def _run_init(self, index: int) -> None:
        if self.stopping:
            return
        container = self.inits[index]
        missing = missing_for_container(container.spec, self.pod["metadata"]["namespace"], self.kubelet.api.find)
        if missing is not None:
            self._config_error(container, missing, lambda: self._run_init(index))
            return
        self._run(container)
        self.write()
        steps.begin(self, container)

    def init_exited(self, container: Container) -> None:
        self.write()
        if container.exit_code:
            self.finish()
            return
        index = self.inits.index(container) + 1
        proceed, *args = (self._start_init, index) if index < len(self.inits) else (self._start_mains,)
        self.kubelet.loop.after(self.kubelet.delays.container_start(), proceed, *args)

    # --- main containers ----------------------------------------------------------------------------------------

    def _start_mains(self) -> None:
        if self.stopping:
            return
        now_us = ready_at_us = self.kubelet.loop.now_us
        failed = []
        for container in self.mains:
            pull = self._pull(container)
            if pull is not None:
                ready_at_us = max(ready_at_us, pull.decided_at_us)
                if pull.reason:
                    failed.append((container, pull))
        if ready_at_us > now_us:
            self.write()
            self.kubelet.loop.after(ready_at_us - now_us, self._mains_pulled, failed)
        else:
            self._mains_pulled(failed)

    def _mains_pulled(self, failed: list[tuple[Container, Pull]]) -> None:
        if self.stopping:
            return
        self.initialized = True
        without = [container for container, _ in failed]
        started = [
            container for container in self.mains if container not in without and self._run_configured(container)
        ]
        for container, pull in failed:
            self._note_failed_pull(container, pull, self._retry_main(container))
        self.write()
        for container in started:
            steps.started(self, container)

    def _start_main(self, container: Container) -> None:
        """Again, after a failure."""
        if self.stopping:
            return
        pull = self._pull(container)
        if pull is None:
            self._run_main(container)
            return
        delay_us = pull.decided_at_us - self.kubelet.loop.now_us
        if pull.reason:
            self.kubelet.loop.after(delay_us, self._pull_failed, container, pull, self._retry_main(container))
        else:
            self.kubelet.loop.after(delay_us, self._run_main, container)

    def _retry_main(self, container: Container) -> "Callable[[], None]":
        return lambda: self._start_main(container)

    def _run_main(self, container: Container) -> None:
        if self.stopping:
            return
        started = self._run_configured(container)
        self.write()
        if started:
            steps.started(self, container)

    def _run_configured(self, container: Container) -> bool:
        missing = missing_for_container(container.spec, self.pod["metadata"]["namespace"], self.kubelet.api.find)
        if missing is not None:
            self._note_config_error(container, missing, lambda: self._run_main(container))
            return False
        self._run(container)
        return True

    # --- what can keep a container from starting ----------------------------------------------------------------

    def _pull(self, container: Container) -> Pull | None:
        return self.kubelet.images.pull(container.spec["image"], container.policy, self.kubelet.loop.now_us)

    def _pull_failed(self, container: Container, pull: Pull, again: "Callable[[], None]") -> None:
        if self.stopping:
            return
        self._note_failed_pull(container, pull, again)
        self.write()

    def _note_failed_pull(self, container: Container, pull: Pull, again: "Callable[[], None]") -> None:
        container.failures += 1
        container.wait(pull.reason, pull.message)
        if pull.reason == "ErrImagePull":
            kubelet = self.kubelet
            kubelet.loop.after(kubelet.delays.error_sync(), self._image_backs_off, container, pull.message, again)

    def _image_backs_off(self, container: Container, error: str, again: "Callable[[], None]") -> None:
        if self.stopping:
            return
        container.wait("ImagePullBackOff", back_off(container.spec["image"], error))
        self.write()
        self.kubelet.loop.after(back_off_us(container.failures), again)

    def _config_error(self, container: Container, missing: Missing, again: "Callable[[], None]") -> None:
        self._note_config_error(container, missing, again)
        self.write()

    def _note_config_error(self, container: Container, missing: Missing, again: "Callable[[], None]") -> None:
        container.wait("CreateContainerConfigError", missing.text)
        self.kubelet.await_object(self, missing, again)

    # --- running and reporting ----------------------------------------------------------------------------------

    def _run(self, container: Container) -> None:
        container.run(self.kubelet.clock.timestamp(), self.kubelet.container_id())

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
        self._base["reason"], self._base["message"] = reason, message
        self._last = None

    def finish(self) -> None:
        """Nothing runs any more and the last status is written."""
        self.stopping = True
        self.kubelet.finished(self)

    def write(self) -> None:
        """Report the pod's status, if it is another than the last one reported."""
        if self.gone:
            return
        kubelet, last = self.kubelet, self._last
        phase = self.phase = "Failed" if self.failure is not None else self._derived_phase()
        conditions = self.conditions.derive(
            phase, self.inits, self.mains, self.sandbox, self.initialized, kubelet.clock.timestamp()
        )
        mains = [container.status for container in self.mains]
        inits = self._init_statuses
        if not self.initialized or inits is None:
            inits = self._init_statuses = [container.status for container in self.inits]
        if last is None:
            status = {**(self.pod.get("status") or _NOTHING), **self._base}
        elif (
            conditions is last["conditions"]
            and phase == last["phase"]
            and mains == last["containerStatuses"]
            and inits == last.get("initContainerStatuses", inits)
        ):
            return
        else:
            status = last.copy()
        status["phase"] = phase
        status["conditions"] = conditions
        status["containerStatuses"] = mains
        if inits:
            status["initContainerStatuses"] = inits
        self._last, self._writing = status, True
        try:
            kubelet.api.write_pod_status(self.pod, status)
        except ApiError as error:
            self._last = None
            if error.code == 404:
                self.deleted()
            else:
                self._write_later()
        except ConnectionLost:
            self._last = None
            self._write_later()
        finally:
            self._writing = False

    def _derived_phase(self) -> str:
        phase = phase_of(self.inits, self.mains)
        if self.stopping and phase == "Pending" and any(one.exit_code for one in self.mains):
            return "Failed"  # some were killed while others had never started
        return phase

    def _write_later(self) -> None:
        if not self._retrying:
            self._retrying = True
            self.kubelet.loop.after(_RETRY_US, self._write_again)

    def _write_again(self) -> None:
        self._retrying = False
        self.write()

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

    # --- a node that was lost -----------------------------------------------------------------------------------

    def vanish(self) -> None:
        """The node died: nothing of this worker happens any more. What the API server shows stays as it is."""
        self.gone = self.stopping = True
        self._cancel_timers()

    def find_nothing(self) -> None:
        """After the node's boot: no container of the pod is left, so it failed, or is removed if being deleted."""
        if self.gone:
            return
        started = (self.pod.get("status") or _NOTHING).get("startTime")
        self._base["startTime"] = started or self.kubelet.clock.timestamp()
        self.stopping = self.initialized = self.sandbox = True
        now = self.kubelet.clock.timestamp()
        for container in self.inits:
            container.terminate(now, 0, "Completed")
        for container in self.mains:
            container.terminate(now, 137, "ContainerStatusUnknown", UNKNOWN)
        stopping.stopped(self, deleting="deletionTimestamp" in self.pod["metadata"])
