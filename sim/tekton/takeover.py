"""What happens to ResolutionRequests when a resolvers process takes over from another.

The process runs five resolvers, each with a lease of its own. On becoming the leader each of them looks at *all*
requests, not only at those of its type (recorded with both releases), so whoever leads before the bundle resolver has
answered fails the requests that are waiting. A released lease is free at once; after a crash it must run out first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from controller.runtime.cache import Cache, Key
from sim.loop import Loop
from sim.tekton.conditions import is_done
from sim.tekton.resolver import BundleResolver

_OWN = "bundles"
_FOREIGN = {
    "git": "missing required git resolver params: pathInRepo",
    "http": "missing required http resolver params: url",
    "hub": "failed to validate params: missing required hub resolver params: version",
}
LEASE_US = 60_000_000  # knative's defaults: a lease lasts 60 s, who waits for one asks every 10 s
_RETRY_US = 10_000_000
_ACQUIRE_US = 400_000  # recorded: 0.4 s from the start of the process to the first foreign verdict


@dataclass(slots=True)
class Takeover:
    """``free_us`` is when the leases of the process before are free, in the loop's time; 0 for a released lease."""

    loop: Loop
    stream: Random
    free_us: int
    cache: Cache
    resolver: BundleResolver
    add: Callable[[Key], None]
    leads: bool = False

    def wake(self, key: Key) -> None:
        """Queue a request, unless another process may still lead."""
        if self.leads:
            self.add(key)

    async def run(self) -> None:
        """Become the leader of each resolver in turn, then wait for ever."""
        crashed = self.free_us > self.loop.now_us
        spread_us = _RETRY_US if crashed else _ACQUIRE_US
        start_us = max(self.free_us, self.loop.now_us)
        instants = sorted((start_us + int(self.stream.random() * spread_us), name) for name in (*_FOREIGN, _OWN))
        for at_us, name in instants:
            await self.loop.pause(max(at_us - self.loop.now_us, 0))
            if name == _OWN:
                self.leads = True
                for key in tuple(self.cache):
                    self.add(key)
            else:
                await self._misjudge(_FOREIGN[name])
        await self.loop.create_future()

    async def _misjudge(self, text: str) -> None:
        for namespace, name in tuple(self.cache):
            request = self.cache.get(namespace, name)
            status = (request or {}).get("status") or {}
            if request is not None and not is_done(status) and not status.get("data"):
                await self.resolver.mark_failed(
                    (namespace, name), f'invalid resource request "{namespace}/{name}": {text}'
                )
