"""Where a recording is played: Tekton, real or simulated, without a scheduler and kubelets, which are played too."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, Protocol

from controller.ports import Clock, Cluster, Document, Resource, WatchType

Component = Literal["controller", "resolvers", "webhook", "garbage collector"]
Ability = Literal[
    "stop controller",
    "stop resolvers",
    "stop webhook",
    "pause garbage collector",
    "serve bundles",
    "refuse",
]
"""What a recording may need beyond API calls: see :attr:`scenarios.golden.recording.Recording.needs`."""

ABILITIES: frozenset[Ability] = frozenset(
    ("stop controller", "stop resolvers", "stop webhook", "pause garbage collector", "serve bundles", "refuse")
)

Observer = Callable[[WatchType, Resource, Document | None, Document], None]
"""``(type, resource, old, new)`` of one write; ``old`` is None for ADDED. It may schedule, never wait."""
Act = Callable[[], Coroutine[Any, Any, None]]


class Stage(Protocol):
    """What the player, the played kubelet and the script ask for. All of them run on the running asyncio loop."""

    @property
    def cluster(self) -> Cluster:
        """The API server as an administrator sees it."""
        ...

    @property
    def clock(self) -> Clock: ...

    @property
    def abilities(self) -> frozenset[Ability]: ...

    def observe(self, observer: Observer) -> None:
        """Tell every write of PipelineRuns, TaskRuns, ResolutionRequests, Pods and Events, in store order."""
        ...

    def later(self, delay_us: int, act: Act) -> None:
        """Run ``act`` after ``delay_us``. An ApiError of its own is its own matter; any other ends the play."""
        ...

    async def bind(self, namespace: str, pod: str, node: str) -> None:
        """What a scheduler does once it has chosen. Raises ApiError 404, 409."""
        ...

    async def start(self, component: Component) -> None:
        """Start what was stopped or killed, or let go on what was paused."""
        ...

    async def stop(self, component: Component) -> None:
        """In good order, as on SIGTERM: leases are released. A stopped webhook refuses connections."""
        ...

    async def kill(self, component: Component) -> None:
        """As on SIGKILL: leases are held until they run out."""
        ...

    async def pause(self, component: Component) -> None:
        """As on SIGSTOP, until :meth:`start`."""
        ...

    async def fail_webhook(self, error: str) -> None:
        """From now on connections to Tekton's webhooks end with this transport error; ``""`` ends that."""
        ...

    async def serve_bundle(self, image: str, pipeline: Document | None, refusal: str) -> None:
        """The registry answers for ``image``: with a bundle that holds ``pipeline``, or with a refusal."""
        ...

    async def refuse(self, plural: str, text: str) -> None:
        """Admission refuses every creation of ``pods`` or ``taskruns``: 403 ``… is forbidden: {text}``."""
        ...

    def calls(self) -> Mapping[str, int]:
        """API calls so far as ``component verb resource``, refusals apart with `` ->code``; empty if not counted."""
        ...
