"""A running container whose image was changed in the pod's spec: the kubelet stops it and starts the new one.

This is how Tekton ends sidecars: their new image does nothing and exits at once.
"""

from typing import TYPE_CHECKING

from controller.ports import Document
from sim.cluster import steps
from sim.cluster.containers import Container, plan_of

if TYPE_CHECKING:
    from sim.cluster.worker import PodWorker

_GRACE_US = 30_000_000
_KILLED = 137
_IDLING_IMAGE = "/nop"  # the last part of its name, whatever the registry


def spec_changed(worker: "PodWorker") -> None:
    """The pod's spec is another document: stop what runs from an image that it no longer names."""
    specs: dict[str, Document] = {one["name"]: one for one in worker.pod["spec"]["containers"]}
    for container in worker.mains:
        if specs[container.name]["image"] != container.plan.image:
            delay_us = worker.kubelet.delays.kubelet_watch()
            worker.kubelet.loop.after(delay_us, _stop, worker, container, specs[container.name])


def _stop(worker: "PodWorker", container: Container, spec: Document) -> None:
    if worker.stopping or container.state != "running":
        return
    if container.timer is not None:
        container.timer.cancel()
    kubelet, behaviour = worker.kubelet, container.behaviour
    stop_us, code = kubelet.delays.stop(), _KILLED if behaviour is None else behaviour.sigterm_exit_code
    if stop_us >= _GRACE_US or (behaviour is not None and behaviour.ignores_sigterm):
        stop_us, code = _GRACE_US, _KILLED
    container.timer = kubelet.loop.after(stop_us, _stopped, worker, container, spec, code)


def _stopped(worker: "PodWorker", container: Container, spec: Document, code: int) -> None:
    kubelet = worker.kubelet
    kubelet.memory.give_back(worker, container)
    now = kubelet.clock.timestamp()
    container.timer = kubelet.loop.after(kubelet.delays.container_start(), _restart, worker, container, spec, code, now)


def _restart(worker: "PodWorker", container: Container, spec: Document, code: int, stopped_at: str) -> None:
    """Both at once, for a pod none of whose containers is seen to run would be over."""
    kubelet = worker.kubelet
    container.timer = None
    container.terminate(stopped_at, code, "Error" if code else "Completed")
    container.replace(plan_of(spec, init=False), kubelet.clock.timestamp(), kubelet.container_id())
    if _IDLING_IMAGE in spec["image"]:
        container.begun = True
        container.terminate(kubelet.clock.timestamp(), 0, "Completed")
        worker.exited()
        return
    worker.write()
    steps.started(worker, container)
