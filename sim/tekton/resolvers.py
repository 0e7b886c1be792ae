"""The process ``tekton-resolvers``: five controllers, each with a lease of its own."""

from collections.abc import Callable

from controller.ports import Cluster
from controller.runtime.cache import Key
from controller.runtime.controller import Controller
from controller.runtime.manager import Manager
from controller.runtime.reflector import Reflector
from sim.loop import Process
from sim.tekton.access import RESOLUTION_REQUESTS
from sim.tekton.candidacy import Candidacy, Reconcile, standing
from sim.tekton.clientset import limited
from sim.tekton.deadlines import Timepiece
from sim.tekton.foreignresolvers import FOREIGN, ForeignResolver
from sim.tekton.locks import BookLock, LeaseLock, Lock
from sim.tekton.options import RESOLVERS
from sim.tekton.process import Replica
from sim.tekton.remote import TYPE_LABEL
from sim.tekton.resolver import BundleResolver
from sim.tekton.setting import Setting
from sim.tekton.waking import never, waking

_LEASE = "controller.tektonresolverframework.{}"
_OWN = "bundleresolver"
_PACE_US = 10_000  # recorded: all five lead within ten milliseconds where no lease is in the way


def build(setting: Setting, process: Process, identity: str) -> Replica:
    """One replica. It always elects leaders; only under high availability are its leases requests, too."""
    options, loop, streams = setting.options, setting.loop, setting.streams
    time = Timepiece(loop, setting.clock)
    client = setting.server.client(setting.user("resolvers"), component=RESOLVERS, manager="resolvers")
    core, resolution, tekton = (limited(client, options.resolvers_qps, options.resolvers_burst) for _ in range(3))
    requests = setting.reflector(resolution, RESOLUTION_REQUESTS, label_selector=f"{TYPE_LABEL}=bundles")
    bundles = BundleResolver(
        loop,
        time,
        options,
        core,
        resolution,
        requests.cache,
        setting.bundles,
        streams("tekton.bundles"),
        streams("tekton.registry"),
    )
    verdicts = streams("tekton.verdicts")
    works: dict[str, Reconcile] = {
        name: ForeignResolver(name, options.version, loop, time, resolution, tekton, requests.cache, verdicts).reconcile
        for name in FOREIGN
    }
    works[_OWN] = bundles.reconcile
    lock = _locks(setting, core, process, identity)
    stream = streams("tekton.leases")
    candidacies = {
        name: Candidacy(loop, options.election, _LEASE.format(name), lock, requests.cache, stream) for name in works
    }
    controllers = [_controller(setting, name, work, candidacies[name]) for name, work in works.items()]
    own = candidacies[_OWN].controller
    assert own is not None, "the bundle resolver has a controller"
    requests.add_handler(waking((never, own.queue.add), {}))
    return _replica(setting, process, Manager([requests], controllers), list(candidacies.values()), requests)


def _controller(setting: Setting, name: str, work: Reconcile, candidacy: Candidacy) -> Controller[Key]:
    if name == _OWN and not setting.options.version.resolver_awaits_lease:
        made = setting.controller(name, work)
        candidacy.controller = made
        return made
    return setting.controller(name, work, candidacy)


def _locks(setting: Setting, core: Cluster, process: Process, identity: str) -> Callable[[str], Lock]:
    options = setting.options
    if not options.high_availability:
        return lambda name: BookLock(setting.book, name, identity, process)
    namespace = f"{options.namespace}-resolvers"
    return lambda name: LeaseLock(core, setting.clock, namespace, name, identity, options.election.lease_us)


def _replica(
    setting: Setting, process: Process, manager: Manager, candidacies: list[Candidacy], requests: Reflector
) -> Replica:
    stream = setting.streams("tekton.leases")
    return Replica(
        process,
        manager,
        [elector for one in candidacies for elector in one.electors],
        [one.leadership for one in candidacies],
        standing(setting.loop, candidacies, [requests], lambda: int(stream.random() * _PACE_US)),
    )
