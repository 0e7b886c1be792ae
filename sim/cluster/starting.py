"""The start of a pod on a node: volumes, sandbox, init containers one after another, then all others together.

What can keep a container from starting is here too: images that cannot be pulled, references that lead nowhere.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.cluster import steps
from sim.cluster.containers import Container
from sim.cluster.images import Pull, back_off, back_off_us
from sim.cluster.references import Missing, missing_for_container, missing_for_volumes

if TYPE_CHECKING:
    from sim.cluster.worker import PodWorker

Again = Callable[[], None]
"""What to do at the pod's next sync."""


def admit(worker: "PodWorker") -> None:
    """The kubelet takes the pod on: its first status, then volumes and sandbox."""
    if worker.gone:
        return
    worker.know(startTime=worker.kubelet.clock.timestamp())
    worker.kubelet.started(worker)
    if not worker.stopping:
        worker.write()
        mount(worker)


def mount(worker: "PodWorker") -> None:
    """Start the sandbox as soon as every volume's ConfigMap and Secret is there."""
    if worker.stopping:
        return
    kubelet = worker.kubelet
    missing = missing_for_volumes(worker.pod, kubelet.api.find)
    if missing is not None:
        kubelet.await_object(worker, missing, lambda: mount(worker))
    else:
        kubelet.loop.after(kubelet.delays.sandbox(), _sandbox_ready, worker)


def _sandbox_ready(worker: "PodWorker") -> None:
    if worker.stopping:
        return
    worker.sandbox = True
    address = worker.kubelet.next_address()
    worker.know(podIP=address, podIPs=[{"ip": address}])
    if worker.inits:
        _start_init(worker, 0)
    else:
        _start_mains(worker)


def _start_init(worker: "PodWorker", index: int) -> None:
    if worker.stopping:
        return
    container = worker.inits[index]
    pull = _pull(worker, container)
    if pull is None:
        _run_init(worker, index)
        return
    delay_us = pull.decided_at_us - worker.kubelet.loop.now_us
    if not pull.reason:
        worker.write()
        worker.kubelet.loop.after(delay_us, _run_init, worker, index)
    else:
        worker.kubelet.loop.after(delay_us, _pull_failed, worker, container, pull, lambda: _start_init(worker, index))


def _run_init(worker: "PodWorker", index: int) -> None:
    if worker.stopping:
        return
    container, kubelet = worker.inits[index], worker.kubelet
    missing = _missing(worker, container) if container.plan.refers else None
    if missing is not None:
        _config_error(worker, container, missing, lambda: _run_init(worker, index))
        return
    container.run(kubelet.clock.timestamp(), kubelet.container_id())
    worker.write()
    steps.begin(worker, container)


def init_exited(worker: "PodWorker", container: Container) -> None:
    """An init container ended: the next one starts, or the main ones; a failure fails the pod."""
    worker.write()
    if container.exit_code:
        worker.finish()
        return
    kubelet, inits = worker.kubelet, worker.inits
    if container is inits[-1]:
        kubelet.loop.after(kubelet.delays.container_start(), _start_mains, worker)
    else:
        kubelet.loop.after(kubelet.delays.container_start(), _start_init, worker, inits.index(container) + 1)


def _start_mains(worker: "PodWorker") -> None:
    if worker.stopping:
        return
    now_us = ready_at_us = worker.kubelet.loop.now_us
    failed = []
    for container in worker.mains:
        pull = _pull(worker, container)
        if pull is not None:
            ready_at_us = max(ready_at_us, pull.decided_at_us)
            if pull.reason:
                failed.append((container, pull))
    if ready_at_us > now_us:
        worker.write()
        worker.kubelet.loop.after(ready_at_us - now_us, _mains_pulled, worker, failed)
    else:
        _mains_pulled(worker, failed)


def _mains_pulled(worker: "PodWorker", failed: list[tuple[Container, Pull]]) -> None:
    if worker.stopping:
        return
    worker.initialized = True
    without = [container for container, _ in failed]
    started = [
        container for container in worker.mains if container not in without and _run_configured(worker, container)
    ]
    for container, pull in failed:
        _note_failed_pull(worker, container, pull, _retry_main(worker, container))
    worker.write()
    for container in started:
        steps.started(worker, container)


def _start_main(worker: "PodWorker", container: Container) -> None:
    """Again, after a failure."""
    if worker.stopping:
        return
    pull = _pull(worker, container)
    if pull is None:
        _run_main(worker, container)
        return
    delay_us = pull.decided_at_us - worker.kubelet.loop.now_us
    if pull.reason:
        worker.kubelet.loop.after(delay_us, _pull_failed, worker, container, pull, _retry_main(worker, container))
    else:
        worker.kubelet.loop.after(delay_us, _run_main, worker, container)


def _retry_main(worker: "PodWorker", container: Container) -> Again:
    return lambda: _start_main(worker, container)


def _run_main(worker: "PodWorker", container: Container) -> None:
    if worker.stopping:
        return
    started = _run_configured(worker, container)
    worker.write()
    if started:
        steps.started(worker, container)


def _run_configured(worker: "PodWorker", container: Container) -> bool:
    missing = _missing(worker, container) if container.plan.refers else None
    if missing is not None:
        _note_config_error(worker, container, missing, lambda: _run_main(worker, container))
        return False
    container.run(worker.kubelet.clock.timestamp(), worker.kubelet.container_id())
    return True


def _missing(worker: "PodWorker", container: Container) -> Missing | None:
    return missing_for_container(container.spec, worker.pod["metadata"]["namespace"], worker.kubelet.api.find)


def _pull(worker: "PodWorker", container: Container) -> Pull | None:
    kubelet, plan = worker.kubelet, container.plan
    return kubelet.images.pull(plan.image, plan.policy, kubelet.loop.now_us)


def _pull_failed(worker: "PodWorker", container: Container, pull: Pull, again: Again) -> None:
    if worker.stopping:
        return
    _note_failed_pull(worker, container, pull, again)
    worker.write()


def _note_failed_pull(worker: "PodWorker", container: Container, pull: Pull, again: Again) -> None:
    container.failures += 1
    container.wait(pull.reason, pull.message)
    if pull.reason == "ErrImagePull":
        kubelet = worker.kubelet
        kubelet.loop.after(kubelet.delays.error_sync(), _image_backs_off, worker, container, pull.message, again)


def _image_backs_off(worker: "PodWorker", container: Container, error: str, again: Again) -> None:
    if worker.stopping:
        return
    container.wait("ImagePullBackOff", back_off(container.plan.image, error))
    worker.write()
    worker.kubelet.loop.after(back_off_us(container.failures), again)


def _config_error(worker: "PodWorker", container: Container, missing: Missing, again: Again) -> None:
    _note_config_error(worker, container, missing, again)
    worker.write()


def _note_config_error(worker: "PodWorker", container: Container, missing: Missing, again: Again) -> None:
    container.wait("CreateContainerConfigError", missing.text)
    worker.kubelet.await_object(worker, missing, again)
