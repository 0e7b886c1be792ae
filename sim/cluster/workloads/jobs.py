"""The Job controller: pods until enough have succeeded, or too many have failed.

Source: kube-controller-manager's pkg/controller/job. Ends of pods are counted as they are seen; pod failure policies,
success policies and back-off limits per index are not modelled.
"""

from random import Random
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import PODS, Api, component_user
from sim.cluster.workloads.children import Children, is_active, phase_of, pod_of, ready_since, seconds_since
from sim.cluster.workloads.indexes import index_of, indexed, indexed_pod, spelled
from sim.cluster.workloads.queue import Key, Queue
from sim.cluster.workloads.statuses import Event, changed_status, transitioned
from sim.loop import Loop

JOBS = Resource("batch", "v1", "jobs", "Job")
_BACKOFF_FIRST_S = 10
_BACKOFF_MAX_S = 600
_DOUBLINGS_MAX = 6
_ENDS = {"Succeeded": "succeeded", "Failed": "failed"}


class Tally:
    """What has been seen of one Job's pods: the uids of those that ended, and the indexes that are done."""

    def __init__(self) -> None:
        self.ended: dict[str, set[str]] = {"Succeeded": set(), "Failed": set()}
        self.done: set[int] = set()
        self.failed_at_us = 0


class Jobs:
    def __init__(self, server: ApiServer, loop: Loop, clock: Clock, stream: Random) -> None:
        self._api = Api(server, component_user("system:serviceaccount:kube-system:job-controller"), "job-controller")
        self._loop = loop
        self._clock = clock
        self._queue = Queue(loop, stream, self._sync)
        self._tallies: dict[str, Tally] = {}
        self._pods = Children(server, PODS, self._pod_changed)
        self._events = Event(self._api, clock, "job-controller")
        server.observe(self._job_changed, JOBS)
        for document in server.items(JOBS):
            self._queue.add(_key(document))

    def _job_changed(self, type_: str, _resource: Resource, _old: Document | None, new: Document) -> None:
        if type_ == "DELETED":
            self._tallies.pop(new["metadata"]["uid"], None)
        self._queue.add(_key(new))

    def _pod_changed(self, namespace: str, kind: str, name: str) -> None:
        if kind == "Job":
            self._queue.add((namespace, name))

    def _sync(self, key: Key) -> None:
        job = self._api.find(JOBS, *key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        status = dict(job.get("status") or {})
        if _finished(status):
            self._expire(job, status)
            return
        tally = self._tallies.setdefault(job["metadata"]["uid"], Tally())
        pods = self._pods.of(job)
        self._count(pods, tally)
        active = [pod for pod in pods if is_active(pod)]
        status |= {"succeeded": len(tally.ended["Succeeded"]), "failed": len(tally.ended["Failed"])}
        if indexed(job):
            status["completedIndexes"] = spelled(tally.done)
        if not job["spec"].get("suspend") and "startTime" not in status:
            status["startTime"] = self._clock.timestamp()
        verdict = self._verdict(job, status, active, tally)
        if verdict is None and not job["spec"].get("suspend"):
            active = self._manage(job, active, tally)
        elif verdict is not None or job["spec"].get("suspend"):
            for pod in active:
                self._api.delete_pod(pod)
            active = []
        self._write(job, status, active, verdict)

    def _count(self, pods: list[Document], tally: Tally) -> None:
        for pod in pods:
            phase = phase_of(pod)
            ended = tally.ended.get(phase)
            if ended is None or pod["metadata"]["uid"] in ended:
                continue
            ended.add(pod["metadata"]["uid"])
            if phase == "Failed":
                tally.failed_at_us = self._loop.now_us
            elif (index := index_of(pod)) is not None:
                tally.done.add(index)

    def _verdict(
        self, job: Document, status: dict[str, Any], active: list[Document], tally: Tally
    ) -> tuple[str, str, str] | None:
        """Condition, reason and message of a Job that is over."""
        spec = job["spec"]
        if status["failed"] > spec.get("backoffLimit", 6):
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline_s = spec.get("activeDeadlineSeconds")
        if deadline_s is not None and "startTime" in status:
            left_s = deadline_s - seconds_since(status["startTime"], self._clock.utcnow())
            if left_s <= 0:
                return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
            self._queue.add_after(_key(job), int(left_s * 1_000_000) + 1)
        wanted = spec.get("completions")
        reached = len(tally.done) if indexed(job) else status["succeeded"]
        if reached >= wanted if wanted is not None else status["succeeded"] and not active:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        return None

    def _manage(self, job: Document, active: list[Document], tally: Tally) -> list[Document]:
        """Create what is missing, unless the last failure is too recent; answers the active pods."""
        spec = job["spec"]
        wanted = spec.get("parallelism", 1)
        if spec.get("completions") is not None:
            done = len(tally.done) if indexed(job) else len(tally.ended["Succeeded"])
            wanted = min(wanted, spec["completions"] - done)
        elif tally.ended["Succeeded"]:
            wanted = len(active)  # a work queue: one success says that there is no more work
        for pod in active[max(wanted, 0) :]:
            self._api.delete_pod(pod)
        kept, missing = active[: max(wanted, 0)], wanted - len(active)
        wait_us = self._backoff_us(tally)
        if missing > 0 and wait_us > 0:
            self._queue.add_after(_key(job), wait_us)
            return kept
        taken = {index_of(pod) for pod in kept} | tally.done
        free = (index for index in range(spec.get("completions") or 0) if index not in taken)
        for _ in range(missing):
            kept.append(self._create(job, next(free) if indexed(job) else None))
        return kept

    def _backoff_us(self, tally: Tally) -> int:
        """How long a new pod has to wait after failures, which double it from ten seconds to ten minutes."""
        failures = len(tally.ended["Failed"])
        if not failures:
            return 0
        pause_s = min(_BACKOFF_FIRST_S << min(failures - 1, _DOUBLINGS_MAX), _BACKOFF_MAX_S)
        return tally.failed_at_us + pause_s * 1_000_000 - self._loop.now_us

    def _create(self, job: Document, index: int | None) -> Document:
        body = pod_of(job, JOBS, job["spec"]["template"])
        if index is not None:
            body = indexed_pod(body, job["metadata"]["name"], index)
        pod = self._api.create(PODS, job["metadata"]["namespace"], body)
        self._events.tell(JOBS, job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return pod

    def _write(
        self, job: Document, status: dict[str, Any], active: list[Document], verdict: tuple[str, str, str] | None
    ) -> None:
        old, now = job.get("status") or {}, self._clock.timestamp()
        conditions = list(old.get("conditions") or ())
        if job["spec"].get("suspend") or any(one["type"] == "Suspended" for one in conditions):
            conditions = [one for one in conditions if one["type"] != "Suspended"]
            words = _SUSPENDED if job["spec"].get("suspend") else _RESUMED
            conditions.append(_condition(old, "Suspended", words, now))
        if verdict is not None:
            type_, reason, message = verdict
            first = "SuccessCriteriaMet" if type_ == "Complete" else "FailureTarget"
            conditions += [_condition(old, one, ("True", reason, message), now) for one in (first, type_)]
            if type_ == "Complete":
                status["completionTime"] = now
            if type_ == "Complete":
                self._events.tell(JOBS, job, "Normal", "Completed", "Job completed")
            else:
                self._events.tell(JOBS, job, "Warning", reason, message)
        ready = sum(ready_since(pod) is not None for pod in active)
        full = {**status, "active": len(active), "ready": ready, "terminating": 0, "conditions": conditions}
        full["uncountedTerminatedPods"] = {}
        always = ("ready", "terminating", "uncountedTerminatedPods")
        body = changed_status(old, full, always=always)
        if body:
            metadata = job["metadata"]
            self._api.patch(JOBS, metadata["namespace"], metadata["name"], body, subresource="status")

    def _expire(self, job: Document, status: dict[str, Any]) -> None:
        """A finished Job goes after its time to live."""
        life_s = job["spec"].get("ttlSecondsAfterFinished")
        if life_s is None:
            return
        ended = next(one["lastTransitionTime"] for one in status["conditions"] if one["type"] in ("Complete", "Failed"))
        left_s = life_s - seconds_since(ended, self._clock.utcnow())
        if left_s > 0:
            self._queue.add_after(_key(job), int(left_s * 1_000_000) + 1)
        else:
            self._api.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])


_SUSPENDED = ("True", "JobSuspended", "Job suspended")
_RESUMED = ("False", "JobResumed", "Job resumed")


def _condition(old: Document, type_: str, words: tuple[str, str, str], now: str) -> dict[str, Any]:
    return {**transitioned(old, type_, *words, now, updates=False), "lastProbeTime": now}


def _finished(status: dict[str, Any]) -> bool:
    return any(
        one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in status.get("conditions") or ()
    )


def _key(document: Document) -> Key:
    return document["metadata"]["namespace"], document["metadata"]["name"]
