"""What every process of an installation is built from."""

from dataclasses import dataclass

from controller.ports import ApiError, Cluster, ConnectionLost, Resource
from controller.runtime.bucket import TokenBucket
from controller.runtime.cache import Cache, Key
from controller.runtime.controller import Controller, Hooks, PermanentError
from controller.runtime.queue import WorkQueue
from controller.runtime.reflector import Reflector
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.candidacy import Candidacy, Reconcile
from sim.tekton.locks import Book
from sim.tekton.options import TektonOptions
from sim.tekton.setback import Setback

_RETRIES_QPS, _RETRIES_BURST = 10.0, 100


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One installation's surroundings. ``book`` says who leads where leases are not counted as requests."""

    server: ApiServer
    loop: Loop
    streams: Streams
    clock: Clock
    options: TektonOptions
    bundles: BundleCatalogue
    book: Book

    def user(self, name: str) -> User:
        account = f"system:serviceaccount:{self.options.namespace}:tekton-pipelines-{name}"
        return User(account, ("system:masters", "system:authenticated"))

    def reflector(self, cluster: Cluster, resource: Resource, *, label_selector: str = "") -> Reflector:
        stream = self.streams(f"tekton.reflectors.{resource.plural}")
        return Reflector(cluster, resource, stream, cache=Cache(), label_selector=label_selector)

    def controller(self, name: str, reconcile: Reconcile, candidacy: Candidacy | None = None) -> Controller[Key]:
        """A controller with knative's queue; with a candidacy it works only on what this process leads."""
        queue: WorkQueue[Key] = WorkQueue(retries_bucket=TokenBucket(_RETRIES_QPS, _RETRIES_BURST))
        hooks = Hooks(on_error=self._break_on_bugs)
        if candidacy is not None:
            reconcile = candidacy.guarded(reconcile)
        made = Controller(name, reconcile, workers=self.options.threads_per_controller, queue=queue, hooks=hooks)
        if candidacy is not None:
            candidacy.controller = made
        return made

    def _break_on_bugs(self, error: Exception) -> None:
        """A queue retries whatever a reconcile raises; a bug of the model must end the run instead."""
        if not isinstance(error, ApiError | ConnectionLost | PermanentError | Setback):
            self.loop.call_exception_handler({"exception": error})
