"""How a pod is ended from outside: deleted with grace, past its deadline, or evicted."""

from typing import TYPE_CHECKING

from controller.ports import ApiError
from sim.cluster.containers import Container

if TYPE_CHECKING:
    from sim.cluster.worker import PodWorker

KILLED = 137
DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
_RETRY_US = 10_000_000


def marked(worker: "PodWorker", grace_s: int) -> None:
    """The object carries a deletionTimestamp; a second delete may have shortened the grace."""
    if not worker.gone:
        worker.deleting = True
        _stop(worker, grace_s * 1_000_000)


def fail(worker: "PodWorker", reason: str, message: str, grace_us: int) -> None:
    """End the pod on the kubelet's own decision. No effect on a pod that is ending already."""
    if not worker.stopping:
        worker.fail(reason, message)
        _stop(worker, grace_us)


def _stop(worker: "PodWorker", grace_us: int) -> None:
    """SIGTERM to all that runs, SIGKILL to what still runs when the grace is over."""
    worker.stopping = True
    kubelet = worker.kubelet
    running = [container for container in (*worker.inits, *worker.mains) if container.state == "running"]
    if not running:
        kubelet.loop.after(min(kubelet.delays.stop(), grace_us), _stopped, worker)
    for container in running:
        if container.timer is not None:
            container.timer.cancel()
        behaviour = container.behaviour
        stop_us = kubelet.delays.stop()
        if stop_us >= grace_us or (behaviour is not None and behaviour.ignores_sigterm):
            container.timer = kubelet.loop.after(grace_us, _killed, worker, container, KILLED)
        else:
            code = KILLED if behaviour is None else behaviour.sigterm_exit_code
            container.timer = kubelet.loop.after(stop_us, _killed, worker, container, code)


def _killed(worker: "PodWorker", container: Container, exit_code: int) -> None:
    kubelet = worker.kubelet
    container.terminate(kubelet.clock.timestamp(), exit_code, "Error" if exit_code else "Completed")
    kubelet.memory.give_back(worker, container)
    if not any(one.state == "running" for one in (*worker.inits, *worker.mains)):
        _stopped(worker)


def stopped(worker: "PodWorker", *, deleting: bool) -> None:
    """Nothing of the pod runs any more."""
    worker.deleting = worker.deleting or deleting
    _stopped(worker)


def _stopped(worker: "PodWorker") -> None:
    if worker.gone:
        return
    worker.write()
    if worker.deleting:
        worker.kubelet.loop.after(worker.kubelet.delays.final_delete(), _remove, worker)
    else:
        worker.finish()


def _remove(worker: "PodWorker") -> None:
    if worker.gone:
        return
    try:
        worker.kubelet.api.delete_pod(worker.pod, grace_period_s=0)
    except ApiError:
        worker.kubelet.loop.after(_RETRY_US, _remove, worker)  # some admission plugin refuses, for now
        return
    worker.finish()
