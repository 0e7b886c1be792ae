"""The stage that needs no cluster: Tekton's model on the simulated API server, on virtual time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from controller.ports import Cluster, Document, Resource, WatchType
from scenarios.golden.form import KINDS
from scenarios.golden.player import Played, play
from scenarios.golden.recording import Recording
from scenarios.golden.stage import ABILITIES, Ability, Act, Component, Observer
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import forbidden
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import PODS, Api
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import CONTROLLER, RESOLVERS, Tekton, install
from sim.tekton.latency import NETWORK, REQUEST_SHARE, WATCH_LAG
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS
from sim.tekton.webhookservice import REFUSED
from sim.workload.distributions import Constant, Lognormal

_PROCESSES: Mapping[Component, str] = {"controller": CONTROLLER, "resolvers": RESOLVERS}
_REFUSABLE = {"pods": "pods", "taskruns": "taskruns.tekton.dev"}
_AT_ONCE = Latency(Constant(0))
_WHERE = "recorded: four situations beside each other on two cores"
_BUSY = Latency(
    Lognormal(6_200, 0.55, source=_WHERE),
    {
        "get": Lognormal(2_000, 0.6, source=_WHERE),
        "list": Lognormal(2_000, 0.6, source=_WHERE),
        "update": Lognormal(8_600, 0.55, source=_WHERE),
    },
    request_share=REQUEST_SHARE,
)
_SHARED_QPS, _SHARED_BURST = 5.0, 5  # a fourth of what the controllers may ask for
Network = Literal["prompt", "recorded", "busy"]
"""``prompt`` has caches that are never late; ``recorded`` and ``busy`` have answers overtake watches, as they did where
one situation was recorded alone, and where four were beside each other."""
_NETWORKS: Mapping[Network, Mapping[str, Any]] = {
    "prompt": {},
    "recorded": {"latency": NETWORK, "watch_lag": WATCH_LAG},
    "busy": {"latency": _BUSY, "watch_lag": Lognormal(5_000, 0.9, source=_WHERE)},
}


class SimulatedStage:
    """Implements :class:`scenarios.golden.stage.Stage` on a simulated world that somebody else has put together."""

    abilities: frozenset[Ability] = ABILITIES

    def __init__(self, server: ApiServer, tekton: Tekton) -> None:
        self.cluster: Cluster = server.client(ADMIN, component="script", manager="client", latency=_AT_ONCE)
        self.clock = server.clock
        self._server = server
        self._tekton = tekton
        self._loop = server.loop
        self._scheduler = Api(server, ADMIN, "puppet-kubelet")
        self._process = server.loop.process("script")

    def observe(self, observer: Observer) -> None:
        def told(type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
            if resource.plural in KINDS or resource.plural == "events":
                observer(type_, resource, old, new)

        self._server.observe(told)

    def later(self, delay_us: int, act: Act) -> None:
        self._loop.post(delay_us, self._begin, act)

    def _begin(self, act: Act) -> None:
        self._process.start(act())

    async def bind(self, namespace: str, pod: str, node: str) -> None:
        self._scheduler.bind(self._server.get(ADMIN, PODS, namespace, pod), node)

    async def start(self, component: Component) -> None:
        if component == "webhook":
            self._tekton.webhook.outage = ""
        elif component == "garbage collector":
            self._server.collector.resume()
        else:
            self._tekton.start(_PROCESSES[component])

    async def stop(self, component: Component) -> None:
        if component in _PROCESSES:
            self._tekton.stop(_PROCESSES[component])
        else:
            await self.kill(component)

    async def kill(self, component: Component) -> None:
        if component == "webhook":
            self._tekton.webhook.outage = REFUSED
        elif component == "garbage collector":
            self._server.collector.pause()
        else:
            self._tekton.kill(_PROCESSES[component])

    async def pause(self, component: Component) -> None:
        """A paused controller is not modelled: its watches would go on behind its back."""
        if component != "garbage collector":
            raise NotImplementedError(f"a paused {component}")
        self._server.collector.pause()

    async def fail_webhook(self, error: str) -> None:
        self._tekton.webhook.outage = error

    async def serve_bundle(self, image: str, pipeline: Document | None, refusal: str) -> None:
        if pipeline is None:
            self._tekton.bundles.refuse(image, refusal)
        else:
            self._tekton.bundles.add(image, pipeline)

    async def refuse(self, plural: str, text: str) -> None:
        def validate(request: AdmissionRequest) -> None:
            raise forbidden(request.resource, request.name, text)

        self._server.admission.validate(validate, resources=(_REFUSABLE[plural],))

    def calls(self) -> Mapping[str, int]:
        """Of Tekton's components; lists and watches are not counted, as in the recordings."""
        counted: dict[str, int] = {}
        for (component, verb, resource), calls in self._server.calls.items():
            if verb in ("list", "watch") or not component.startswith("tekton"):
                continue
            short = resource.replace(".resolution.tekton.dev", "").replace(".tekton.dev", "")
            counted[f"{component} {verb} {short}"] = calls.count - sum(calls.errors.values())
            for code, number in calls.errors.items():
                counted[f"{component} {verb} {short} ->{code}"] = number
        return counted


def simulate(recording: Recording, *, seed: int = 1, network: Network = "prompt") -> Played:
    """Play in a world of its own."""
    loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
    clock, streams = Clock(loop), Streams(seed)
    server = ApiServer(loop, streams, clock, managed_fields=True, **_NETWORKS[network])
    options = TektonOptions(version=VERSIONS[recording.version])
    if network == "busy":
        options = replace(options, qps=_SHARED_QPS, burst=_SHARED_BURST)
    tekton = install(server, loop, streams, clock, options, BundleCatalogue())
    try:
        played: Played = loop.run_until_complete(play(recording, SimulatedStage(server, tekton)))
        return played
    finally:
        loop.close()
