"""One recorded situation lived by the executor: its world, and what is seen of it from outside."""

import asyncio
import json

from controller.api.lock import lock_name
from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.executor.settings import Settings
from controller.executor.wiring import NAME, executor
from controller.ports import Document
from scenarios import manifests
from scenarios.chronicle import Chronicle
from scenarios.golden.kubelet import Kubelet
from scenarios.golden.recording import Recording, of_json, to_json
from scenarios.golden.script import Script
from scenarios.golden.simulated import SimulatedStage
from scenarios.situations.again import AskedAgain
from scenarios.situations.lived import Lived
from scenarios.situations.submission import RecordedSpec
from scenarios.target import NAMESPACE
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import install
from sim.tekton.latency import NETWORK, WATCH_LAG
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

TARGET = "payments/deployment/api"
WORKFLOW = "restart-pod"
_NAMES = ("we-rehearsed", "we-rehearsed-again")
_RUNS = Settings().execution_namespace
_LONGEST_US = 2 * 3_600_000_000  # Tekton's own default timeout is an hour
_SETTLE_S = 3.0  # the recorded run met an idle installation
_CALM_US = 1_000_000  # what is written right after the end belongs to it


class _NoLogs:
    """Played pods wrote nothing."""

    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 0) -> str:  # noqa: ARG002  # the port's
        return ""


class _NoAudit:
    async def record(self, event: Document) -> None:
        """Nobody asks for it here."""


def live(recording: Recording, *, seed: int) -> list[Lived]:
    """Have the executor request the recorded run in a world of its own, until it has told the end.

    Where the script submitted its run a second time, so does the executor, for a second execution. An execution that
    tells no end within two virtual hours is answered as it is then.
    """
    recording = _moved(recording)
    loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
    clock, streams = Clock(loop), Streams(seed)
    server = ApiServer(loop, streams, clock, latency=NETWORK, watch_lag=WATCH_LAG)
    manifests.apply_all(server)
    options = TektonOptions(version=VERSIONS[recording.version])
    tekton = install(server, loop, streams, clock, options, BundleCatalogue())
    stage, scripted = SimulatedStage(server, tekton), SimulatedStage(server, tekton)
    scripted.cluster = AskedAgain(scripted.cluster, recording.run, _body(_NAMES[1]))
    chronicle = Chronicle(lambda: loop.now_us, spans_for=0)
    for resource, observer in chronicle.observers:
        server.observe(observer, resource)
    stage.observe(Kubelet(stage, recording.namespace, recording.pods).observed)
    script = Script(scripted, recording.namespace, recording.submit, recording.actions)
    client = server.client(manifests.CONTROLLER, component=NAME)
    cluster = RecordedSpec(client, recording.submit["spec"], script.begin, lambda: loop.now_us)
    manager = executor(cluster, _NoLogs(), _NoAudit(), clock, Settings(), random=streams("executor"))
    loop.process(NAME).start(manager.run())
    requests = 1 + any(deed["do"].startswith("recreate") for deed in recording.actions)

    def told() -> bool:
        executions = chronicle.executions.values()
        return len(executions) == requests and all(execution.terminal for execution in executions)

    try:
        loop.run_until_complete(_request(recording, stage))
        if loop.run_until(loop.now_us + _LONGEST_US, until=told):
            loop.run_until(loop.now_us + _CALM_US)
        return _lived(server, chronicle, cluster.refused_us)
    finally:
        loop.close()


def _lived(server: ApiServer, chronicle: Chronicle, refused_us: int | None) -> list[Lived]:
    """What the world took counts for the first."""
    took = server.loop.now_us, server.loop.events
    lived = []
    for execution in chronicle:
        document = server.find(WORKFLOW_EXECUTIONS, *execution.key)
        assert document is not None
        lived.append(Lived(document, execution, refused_us, *took))
        took = 0, 0
    return lived


def _moved(recording: Recording) -> Recording:
    """The same situation where the executor works, under the name of the lock."""
    text = json.dumps(to_json(recording.renamed(lock_name(TARGET))))
    return of_json(json.loads(text.replace(recording.namespace, _RUNS)))


async def _request(recording: Recording, stage: SimulatedStage) -> None:
    await recording.circumstances.prepare(stage, recording.namespace)
    fraction_s = stage.clock.utcnow().microsecond / 1_000_000
    await asyncio.sleep(_SETTLE_S - fraction_s + recording.offset_ms / 1000)
    await stage.cluster.create(WORKFLOW_EXECUTIONS, NAMESPACE, _body(_NAMES[0]))


def _body(name: str) -> Document:
    return {
        "apiVersion": WORKFLOW_EXECUTIONS.api_version,
        "kind": WORKFLOW_EXECUTIONS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "remediationRequestRef": {"name": "rr-rehearsed"},
            "workflowRef": {
                "workflowId": WORKFLOW,
                "version": "1.0.0",
                "containerImage": "reg.local/restart-pod:1.0.0",
            },
            "targetResource": TARGET,
        },
    }
