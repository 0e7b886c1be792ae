"""What runs inside the containers of a pod: each one's behaviour, and Tekton's entrypoint between the steps.

The entrypoint of the first step waits for the ready annotation, every later one for the file that its predecessor
posts; after a failure the rest skip. A container that is killed posts nothing, and its successors wait for ever.
"""

from typing import TYPE_CHECKING

from controller.ports import ApiError
from sim.cluster import memory
from sim.cluster.behaviour import ApiRequest, Behaviour, OomVariant, kubectl_says
from sim.cluster.containers import Container
from sim.cluster.entrypoint import MESSAGE_LIMIT_BYTES, OVERSIZED, SKIPPING, message

if TYPE_CHECKING:
    from sim.cluster.worker import PodWorker

_IDLE = Behaviour()


def started(worker: "PodWorker", container: Container) -> None:
    """The container runs; its work begins now or when its entrypoint lets it."""
    entry = container.entry
    if entry is None or not entry.wait_file:
        begin(worker, container)
    elif entry.wait_content:
        if worker.ready:
            worker.kubelet.loop.after(worker.kubelet.delays.step_poll(), begin, worker, container)
    elif entry.wait_file in worker.posted:
        _let_go(worker, container, worker.posted[entry.wait_file])


def annotated(worker: "PodWorker") -> None:
    """The ready annotation was set: it reaches the first step through the downward API."""
    worker.ready = True
    worker.kubelet.loop.after(worker.kubelet.delays.ready_refresh(), _annotation_read, worker)


def _annotation_read(worker: "PodWorker") -> None:
    for container in worker.mains:
        if container.entry is not None and container.entry.wait_content:
            begin(worker, container)


def begin(worker: "PodWorker", container: Container) -> None:
    """Start the container's own work, once."""
    if worker.stopping or container.begun or container.state != "running":
        return
    container.begun = True
    kubelet = worker.kubelet
    behaviour = kubelet.performer.perform(worker.pod, container.name)
    if behaviour is None:
        behaviour = _IDLE
        if container.init:  # most of them: nothing but time ends it, and it leaves nothing behind
            container.behaviour = behaviour
            container.timer = kubelet.loop.after(kubelet.delays.init_container(), _idled, worker, container)
            return
    container.behaviour = behaviour
    if container.entry is not None:
        container.work_started_at = kubelet.stamp()
    if behaviour.log:
        kubelet.logs.write(worker.uid, container.name, behaviour.log)
    if behaviour.memory_peak_bytes:
        kubelet.memory.take(worker, container, behaviour.memory_peak_bytes)
    _arm_end(worker, container, behaviour)


def _idled(worker: "PodWorker", container: Container) -> None:
    container.timer = None
    container.terminate(worker.kubelet.clock.timestamp(), 0, "Completed")
    worker.init_exited(container)


def _arm_end(worker: "PodWorker", container: Container, behaviour: Behaviour) -> None:
    """Set the timer of whatever ends the work first: itself, the memory limit or the step's timeout."""
    loop, entry = worker.kubelet.loop, container.entry
    end_us = None if behaviour.hangs else behaviour.duration_us
    kill = None
    if behaviour.memory_peak_bytes and memory.exceeds(behaviour, container.spec):
        kill = memory.kill(behaviour, worker.kubelet.oom, under_entrypoint=entry is not None)
        if kill is not None and (end_us is None or kill.after_us <= end_us):
            end_us = kill.after_us
        else:
            kill = None
    timeout_us = None if entry is None else entry.timeout_us
    if timeout_us is not None and (end_us is None or timeout_us < end_us):
        container.timer = loop.after(timeout_us, _timed_out, worker, container)
    elif kill is not None:
        container.timer = loop.after(kill.after_us, _memory_killed, worker, container, kill)
    elif end_us is not None:
        container.timer = loop.after(end_us, _done, worker, container)


def _done(worker: "PodWorker", container: Container) -> None:
    behaviour, entry = container.behaviour, container.entry
    assert behaviour is not None
    container.timer = None
    exit_code = behaviour.exit_code
    if behaviour.requests and not _make_requests(worker, container, behaviour.requests):
        exit_code = 1
    survived = _survived_oom(worker, container, behaviour)
    if entry is None:
        _end(worker, container, exit_code, survived)
    elif exit_code and entry.on_error_continue:
        said = message(container.work_started_at, exit_code=exit_code, results=behaviour.results)
        _post(worker, container, True)
        _end(worker, container, 0, survived, said)
    else:
        said = message(container.work_started_at, results=behaviour.results)
        _post(worker, container, exit_code == 0)
        _end(worker, container, exit_code, survived, said)


def _survived_oom(worker: "PodWorker", container: Container, behaviour: Behaviour) -> bool:
    if not behaviour.memory_peak_bytes or (behaviour.oom or worker.kubelet.oom) is not OomVariant.SURVIVED:
        return False
    return memory.exceeds(behaviour, container.spec)


def _timed_out(worker: "PodWorker", container: Container) -> None:
    said = message(container.work_started_at, reason="TimeoutExceeded")
    _post(worker, container, False)
    _end(worker, container, 1, False, said)


def _memory_killed(worker: "PodWorker", container: Container, kill: memory.OomKill) -> None:
    said = ""
    if not kill.entrypoint_dies:
        said = message(container.work_started_at)
        _post(worker, container, False)
    _end(worker, container, kill.exit_code, kill.reported, said)


def _let_go(worker: "PodWorker", container: Container, ok: bool) -> None:
    """The file that the container's entrypoint polls for is there."""
    kubelet = worker.kubelet
    kubelet.loop.after(kubelet.delays.step_poll(), begin if ok else _skip, worker, container)


def _skip(worker: "PodWorker", container: Container) -> None:
    if worker.stopping or container.begun or container.state != "running":
        return
    container.begun = True
    kubelet = worker.kubelet
    line = f"{kubelet.clock.utcnow():%Y/%m/%d %H:%M:%S} {SKIPPING}\n"
    kubelet.logs.write(worker.uid, container.name, line)
    _post(worker, container, False)
    _end(worker, container, 1, False, message(kubelet.stamp(), reason="Skipped"))


def _post(worker: "PodWorker", container: Container, ok: bool) -> None:
    path = container.entry.post_file if container.entry is not None else ""
    if not path:
        return
    worker.posted[path] = ok
    for other in worker.mains:
        if other.entry is not None and other.entry.wait_file == path and other.state == "running":
            _let_go(worker, other, ok)


def _end(worker: "PodWorker", container: Container, exit_code: int, oom: bool, said: str = "") -> None:
    kubelet = worker.kubelet
    if len(said) > MESSAGE_LIMIT_BYTES // 4 and len(said.encode()) > MESSAGE_LIMIT_BYTES:
        kubelet.logs.write(worker.uid, container.name, OVERSIZED + "\n")
        exit_code, said = 1, ""
    reason = "OOMKilled" if oom else "Error" if exit_code else "Completed"
    container.terminate(kubelet.clock.timestamp(), exit_code, reason, said)
    kubelet.memory.give_back(worker, container)
    if container.init:
        worker.init_exited(container)
    else:
        worker.exited()


def _make_requests(worker: "PodWorker", container: Container, requests: tuple[ApiRequest, ...]) -> bool:
    """Make the step's requests as its ServiceAccount, printing as kubectl does. False at the first refusal."""
    kubelet, pod = worker.kubelet, worker.pod
    api = kubelet.account_api(pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName", "default"))
    for request in requests:
        try:
            line = kubectl_says(request, api.perform(request))
        except ApiError as error:
            line = f"Error from server ({error.reason}): {error.message}"
            kubelet.logs.write(worker.uid, container.name, line + "\n")
            return False
        if line:
            kubelet.logs.write(worker.uid, container.name, line + "\n")
    return True
