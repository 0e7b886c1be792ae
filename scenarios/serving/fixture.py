"""A session without a command line: a world on a thread, and the handle that a test has on it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from scenarios import parts
from scenarios.serving.server import WorldServer
from scenarios.serving.session import ServedWorld, SessionOptions, open_world
from sim.apiserver.http import credentials
from sim.apiserver.http import kubeconfig as kubeconfigs
from sim.apiserver.http.clockpage import speed_of
from sim.apiserver.http.condition import Condition
from sim.apiserver.http.hosted import Hosted
from sim.apiserver.identity import ADMIN
from sim.clock import EPOCH
from sim.pump import Pump
from sim.workload.durations import parse_us


class KubernetesServer:
    """What a test knows of its server. ``url`` and ``token`` are an administrator's way in, ``kubeconfig`` is both."""

    def __init__(self, host: Hosted, world: ServedWorld, token: str, kubeconfig: Path) -> None:
        self.url = host.url
        self.token = token
        self.kubeconfig = kubeconfig
        self.world = world
        """To look at between two calls; to be changed through :meth:`call` alone."""
        self.call = host.call
        self._host = host

    def step(self, duration: str) -> None:
        """Let virtual time pass as fast as it can, then stand still."""
        self._host.step(parse_us(duration))

    def until(self, condition: str, within: str = "24h") -> bool:
        """Let time pass until ``'wfe/demo phase=Completed'`` holds, then stand still; whether it did ``within``."""
        return self._host.step(parse_us(within), Condition(self.world.server, condition))

    def speed(self, factor: float | str) -> None:
        """Virtual seconds per second; 0 stands still, ``max`` goes as fast as it can."""
        self._host.set_speed(speed_of(factor))


@contextmanager
def hosted(
    kubeconfig: Path,
    *,
    scenario: str = "",
    seed: int = 7,
    speed: float | str = 1,
    with_: str | None = None,
    without: str | None = None,
    set_: Sequence[str] = (),
) -> Iterator[KubernetesServer]:
    """A server for as long as the block runs, with a kubeconfig that leads there. Raises BadInput, ValueError."""
    options = SessionOptions(scenario, seed, tuple(set_), parts.without(with_, without), EPOCH, "kubernetes_server")
    token = credentials.made_up()
    with closing(open_world(options)) as world:
        pump = Pump(world.loop, speed=speed_of(speed))
        with Hosted(WorldServer(world, {token: ADMIN}, pump).application, pump) as host:
            kubeconfigs.write(kubeconfig, kubeconfigs.document(host.url, token))
            yield KubernetesServer(host, world, token, kubeconfig)
