"""The stage that is a real cluster: Tekton's controllers work there, no kubelet does.

Pods must not be run, or the recorded lives could not be played to them. Nobody can keep a scheduler away from a pod
that exists, so the pods are created for another one: every PipelineRun asks in its pod template for the scheduler
``rehearse``, of which there is none, and a pod that is made here does so itself. What is told to observers is without
that request. Pods are then bound to a node that does not exist: no kubelet feels addressed, no DaemonSet follows, and
nobody else's pods can land there, as they could on a Node registered for the purpose (what kwok does). The price: the
cluster's pod garbage collector deletes the pods of an unknown node once it has known the node's name for forty
seconds. Hence a new name for every play, and no play in which a bound pod has to live that long.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from random import Random
from typing import Any, TypeVar

from controller.live.clock import SystemClock
from controller.live.cluster import LiveCluster
from controller.ports import ApiError, Document, Resource, WatchType
from controller.runtime.reflector import Handler, Reflector
from scenarios.golden.player import CannotPlay
from scenarios.golden.stage import Ability, Act, Observer
from sim.tekton.access import PIPELINE_RUNS, PODS, RESOLUTION_REQUESTS, TASK_RUNS

WORKED_ON = (PIPELINE_RUNS, TASK_RUNS, RESOLUTION_REQUESTS, PODS)
_EVENTS = Resource("", "v1", "events", "Event")
_BINDINGS = Resource("", "v1", "bindings", "Binding")
_SCHEDULER = "rehearse"
_COLLECTED = "DeletionByPodGC"
_SYNC_S = 30.0
T = TypeVar("T")
Seen = tuple[WatchType, Resource, Document | None, Document]


class PlayBroken(Exception):
    """The play cannot go on, or what was seen of it cannot be trusted. Says why."""


class StageCluster(LiveCluster):
    """Creates pods and PipelineRuns so that no scheduler takes them up. ``made`` is whatever was created through it.

    It creates nothing outside the namespace ``site``, whatever a script says.
    """

    def __init__(self, configuration: Any, site: str) -> None:
        super().__init__(configuration, "rehearse")
        self.made: list[tuple[Resource, str, str]] = []
        self._site = site

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        if namespace not in ("", self._site):
            raise PlayBroken(f"the script creates {resource.plural} in another namespace, {namespace}")
        if resource == PODS:
            body = {**body, "spec": {**body["spec"], "schedulerName": _SCHEDULER}}
        elif resource == PIPELINE_RUNS:
            body = {**body, "spec": _diverted(body["spec"])}
        created = await super().create(resource, namespace, body)
        self.made.append((resource, namespace, body["metadata"]["name"]))
        return _as_asked(resource, created)

    async def __aenter__(self) -> "StageCluster":
        return self


class LiveStage:
    """Implements :class:`scenarios.golden.stage.Stage` in one namespace of a real cluster, for one play.

    ``node`` is the name of no node. Observers are told in the order of arrival; across kinds only ``in_store_order``
    afterwards tells what came first.
    """

    abilities: frozenset[Ability] = frozenset()

    def __init__(self, cluster: StageCluster, namespace: str, node: str) -> None:
        self.cluster = cluster
        self.clock = SystemClock()
        self._namespace = namespace
        self._node = node
        self._observers: tuple[Observer, ...] = ()
        self._seen: list[Seen] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def through(self, play: Coroutine[Any, Any, T]) -> T:
        """Watch, run ``play``, and end everything that it began. Raises what broke either."""
        playing = asyncio.create_task(self._begun(play), name="play")
        try:
            await asyncio.wait((playing, self._broken), return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            return await playing
        finally:
            for timer in self._timers:
                timer.cancel()
            for task in (playing, *self._tasks):
                task.cancel()
            await asyncio.gather(playing, *self._tasks, return_exceptions=True)

    async def _begun(self, play: Coroutine[Any, Any, T]) -> T:
        reflectors = [
            Reflector(self.cluster, resource, Random(0), namespace=self._namespace, on_error=self._watch_failed)
            for resource in (*WORKED_ON, _EVENTS)
        ]
        for reflector in reflectors:
            reflector.add_handler(self._handler(reflector.resource))
            self._start(reflector.run())
        try:
            async with asyncio.timeout(_SYNC_S):
                await asyncio.gather(*(reflector.synced.wait() for reflector in reflectors))
        except TimeoutError:
            play.close()
            raise PlayBroken(f"the cluster did not list its objects within {_SYNC_S:.0f} s") from None
        return await play

    def in_store_order(self) -> list[Seen]:
        """All writes that were seen, by resourceVersion; of the Events those about objects of this play."""
        ours = {new["metadata"]["uid"] for _, resource, _, new in self._seen if resource is not _EVENTS}
        seen = [one for one in self._seen if one[1] is not _EVENTS or one[3]["involvedObject"].get("uid") in ours]
        return sorted(seen, key=lambda one: int(one[3]["metadata"]["resourceVersion"]))

    def observe(self, observer: Observer) -> None:
        self._observers = (*self._observers, observer)

    def later(self, delay_us: int, act: Act) -> None:
        timer = asyncio.get_running_loop().call_later(delay_us / 1_000_000, lambda: self._start(act()))
        self._timers.append(timer)

    async def bind(self, namespace: str, pod: str, node: str) -> None:  # noqa: ARG002  # a real one might have that name
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod},
            "target": {"apiVersion": "v1", "kind": "Node", "name": self._node},
        }
        await LiveCluster.create(self.cluster, _BINDINGS, namespace, body)

    def calls(self) -> Mapping[str, int]:
        """A cluster's audit log is not within reach."""
        return {}

    async def _cannot(self, *_: object, **__: object) -> None:
        raise CannotPlay("a real cluster's components are not within reach")

    start = stop = kill = pause = fail_webhook = serve_bundle = refuse = _cannot

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    def _watch_failed(self, resource: Resource, error: Exception, _: float) -> None:
        """A lost connection, or a server too busy, is resumed where it broke off; any other refusal leaves a gap."""
        if isinstance(error, ApiError) and error.code < 500 and error.code != 429:
            self._break(PlayBroken(f"the watch of {resource.group_resource} was refused: {error}"))

    def _handler(self, resource: Resource) -> Handler:
        return partial(self._told, resource)

    def _told(self, resource: Resource, before: Document | None, after: Document | None) -> None:
        new = after if after is not None else before
        assert new is not None
        if resource is _EVENTS and new["involvedObject"]["kind"] == "Pod":
            return  # the cluster's own components wonder about pods that nobody runs
        if resource is PODS and _COLLECTED in str(new.get("status", {}).get("conditions")):
            self._break(PlayBroken("the cluster's pod garbage collector took a pod: its node was unknown for too long"))
        type_: WatchType = "DELETED" if after is None else "ADDED" if before is None else "MODIFIED"
        seen = (type_, resource, before and _as_asked(resource, before), _as_asked(resource, new))
        self._seen.append(seen)
        for observer in self._observers:
            observer(*seen)


def _diverted(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec of a PipelineRun with the request for a scheduler that there is none of."""
    template = spec.get("taskRunTemplate") or {}
    pod = template.get("podTemplate") or {} if isinstance(template, Mapping) else None
    if not isinstance(pod, Mapping):
        return spec  # the API server will not take it anyway
    if pod.get("schedulerName"):
        raise PlayBroken(f"the run asks for a scheduler of its own, {pod['schedulerName']}: its pods would be run")
    return {**spec, "taskRunTemplate": {**template, "podTemplate": {**pod, "schedulerName": _SCHEDULER}}}


def _as_asked(resource: Resource, document: Document) -> Document:
    """What was stored, without the request that :func:`_diverted` added and Tekton handed on."""
    spec = document.get("spec")
    if resource == PIPELINE_RUNS and spec and "taskRunTemplate" in spec:
        template = _without_scheduler(spec["taskRunTemplate"])
        return {**document, "spec": {**spec, "taskRunTemplate": template}}
    if resource == TASK_RUNS and spec:
        return {**document, "spec": _without_scheduler(spec)}
    return document


def _without_scheduler(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    pod = holder.get("podTemplate")
    if not pod or pod.get("schedulerName") != _SCHEDULER:
        return holder
    rest = {key: value for key, value in pod.items() if key != "schedulerName"}
    plain = {key: value for key, value in holder.items() if key != "podTemplate"}
    return {**plain, "podTemplate": rest} if rest else plain
