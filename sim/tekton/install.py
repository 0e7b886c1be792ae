"""Tekton on a simulated cluster: its processes, the webhooks and the CRDs."""

from functools import partial

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton import core, resolvers
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.crds import definitions
from sim.tekton.locks import Book
from sim.tekton.options import CONTROLLER, RESOLVERS, WEBHOOK, TektonOptions
from sim.tekton.process import Deployment
from sim.tekton.setting import Setting
from sim.tekton.webhook import Webhook
from sim.tekton.webhookservice import WebhookService

__all__ = ["CONTROLLER", "RESOLVERS", "WEBHOOK", "Tekton", "install"]

_ROLLOUT_US = 5_000_000  # assumed: scheduling, start and readiness of a new pod


class Tekton:
    """One installation: the deployments ``tekton-controller`` and ``tekton-resolvers``, and the webhooks beside them.

    ``start`` and ``stop`` are orderly, ``kill`` is a crash, after which the resolvers' leases must run out first.
    All of them take names of deployments, or mean both.
    """

    def __init__(self, setting: Setting) -> None:
        options, loop, streams = setting.options, setting.loop, setting.streams
        self.options = options
        self.bundles = setting.bundles
        self.webhook = Webhook(options)
        self.webhook_service = WebhookService(loop, self.webhook, options, streams("tekton.webhook"))
        self._loop = loop
        ended = setting.book.died
        self.deployments = {
            CONTROLLER: Deployment(
                loop,
                CONTROLLER,
                partial(core.build, setting),
                options.controller_replicas,
                options.controller_start,
                streams("tekton.processes.controller"),
                ended,
            ),
            RESOLVERS: Deployment(
                loop,
                RESOLVERS,
                partial(resolvers.build, setting),
                options.resolvers_replicas,
                options.resolvers_start,
                streams("tekton.processes.resolvers"),
                ended,
            ),
        }

    @property
    def synced(self) -> bool:
        """Whether all processes run with warm caches."""
        return all(
            len(one.running) == one.size and all(replica.ready for replica in one.running)
            for one in self.deployments.values()
        )

    def start(self, *names: str) -> None:
        """Start the processes that do not run: those of the deployments named, or all."""
        for one in self._named(names):
            one.start()

    def stop(self, *names: str) -> None:
        """Let reconciles under way finish and start no more; leases are given back."""
        for one in self._named(names):
            one.stop()

    def kill(self, *names: str) -> None:
        """Crash: whatever is under way is never resumed; requests on their way still arrive."""
        for one in self._named(names):
            one.kill()

    def restart(self, *names: str) -> None:
        """Crash and start anew, with cold caches."""
        self.kill(*names)
        self.start(*names)

    def restart_orderly(self, *names: str) -> None:
        """Stop, and start anew at once: what a deployment with strategy ``Recreate`` does."""
        self.stop(*names)
        self.start(*names)

    def roll(self, *names: str, ready_us: int = _ROLLOUT_US) -> None:
        """A rolling update: every process gets its successor beside it before it is stopped."""
        for one in self._named(names):
            one.roll(ready_us)

    def crash_leader(self, name: str, restart_us: int) -> None:
        """Crash the replica that leads; a new one starts after ``restart_us``."""
        deployment = self.deployments[name]
        deployment.crash_leader()
        self._loop.after(restart_us, deployment.complete)

    def outage(self, name: str, duration_us: int) -> None:
        """All processes of a deployment, or the webhook, are away for a time; they do not end in good order."""
        if name == WEBHOOK:
            self.webhook_service.outage(duration_us)
            return
        self.deployments[name].go_away(duration_us)

    def _named(self, names: tuple[str, ...]) -> list[Deployment]:
        return [self.deployments[name] for name in names] if names else list(self.deployments.values())


def install(
    server: ApiServer,
    loop: Loop,
    streams: Streams,
    clock: Clock,
    options: TektonOptions,
    bundles: BundleCatalogue,
) -> Tekton:
    """Serve Tekton's resources, register its webhooks and start its processes."""
    for definition in definitions():
        server.install_crd(definition)
    if options.high_availability:
        for name in (options.namespace, f"{options.namespace}-resolvers"):
            _create_namespace(server, name)
    book = Book(loop, options.election.lease_us, options.election.retry_us)
    tekton = Tekton(Setting(server, loop, streams, clock, options, bundles, book))
    tekton.webhook_service.register(server.admission)
    tekton.webhook.register(server.admission)
    tekton.start()
    return tekton


def _create_namespace(server: ApiServer, name: str) -> None:
    """Leases live in the namespace of their process."""
    try:
        server.create(ADMIN, server.resource("", "namespaces"), "", {"metadata": {"name": name}})
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
