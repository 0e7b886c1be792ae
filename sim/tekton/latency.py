"""How long Tekton and what it talks to take: the default profile, as recorded.

The medians and spreads are those that ``sim.tekton.latencyfit`` finds in recordings of Tekton v1.7.0 and v1.15.0 on
kube-apiserver 1.36: API server, etcd and Tekton on one machine of two cores, over loopback, nothing else going on. A
cluster over a network is slower, and so is a busy one: what depends on where it was recorded says so in its source.

Three numbers cannot be read off an audit log: how far into a write the server commits, how long its watch event
travels, and how long a reconciler works before its first request. Their sums can (the watch event and the work after
it take 1.8 ms from the end of the write), and so can how often a reconciler meets a cache that has not heard of its
own last write yet: 36 of 101 times in v1.7.0, 55 of 121 in v1.15.0. They are fitted to both.
"""

from sim.apiserver.latency import Latency
from sim.workload.distributions import Distribution, Lognormal

_WHERE = "Tekton on kube-apiserver 1.36, loopback, 2 cores, idle"
_CALL = f"recorded: server time and 0.7 ms of the client, {_WHERE}"
_FITTED = f"fitted to the conflicts and gaps of recordings: {_WHERE}"

CLIENT_SIDE_US = 700
"""Of every call, before and after what the server's audit log sees."""
READ: Distribution = Lognormal(1_750, 0.35, source=_CALL)
WRITE: Distribution = Lognormal(5_600, 0.35, source=f"{_CALL}; POST, PATCH and DELETE, webhooks included")
UPDATE: Distribution = Lognormal(7_800, 0.36, source=f"{_CALL}; PUT, webhooks included")
REQUEST_SHARE = 0.6
"""Of a call's time, before the server commits."""
WATCH_LAG: Distribution = Lognormal(3_100, 0.4, source=_FITTED)
"""From the commit to the informer's cache."""
PULL: Distribution = Lognormal(97_000, 0.08, source=f"recorded: a registry on the same machine, {_WHERE}")
PULL_FAILURE: Distribution = Lognormal(48_000, 0.1, source=f"recorded: 401, 403 and 404 of a registry, {_WHERE}")
MISS: Distribution = Lognormal(5_500, 0.6, source=f"recorded four times, 1.5 to 11 ms: {_WHERE}")
"""From the answer that there is no such object to the cluster resolver's next request."""
RESOLVER_WIND_UP_US = 2_000
"""Fitted: from the answer to a resolver's write, the whole data once more, to the end of its work. One request in four
is pulled again by v1.15 because the cache has not heard of the data by then."""

NETWORK = Latency(
    WRITE,
    {"get": READ, "list": READ, "watch": READ, "update": UPDATE},
    request_share=REQUEST_SHARE,
)
"""What a client of the recorded API server waits for."""


def reconcile(median_us: int) -> Distribution:
    """The work of a reconciler before its first request."""
    return Lognormal(median_us, 0.6, source=_FITTED)
