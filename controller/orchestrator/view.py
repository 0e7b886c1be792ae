"""What the cluster shows of a target and a signal, by index: the caches of one process, and what it is about to add."""

from collections.abc import Iterable

from controller.api.lock import lock_name
from controller.api.remediationrequest import TERMINAL, Phase, RoutingReason
from controller.orchestrator.history import History, history_of
from controller.orchestrator.labels import owning_request
from controller.ports import Document
from controller.runtime.cache import Cache, Key

TARGET = "target"
FINGERPRINT = "fingerprint"
WAITING = "waiting-for-target"
DUPLICATE_OF = "duplicate-of"
_NONE: Document = {}


def target_of(request: Document) -> str:
    """``namespace/Kind/name``, or ``Kind/name``; casing is preserved."""
    target = request["spec"]["targetResource"]
    namespace = target.get("namespace")
    return f"{namespace}/{target['kind']}/{target['name']}" if namespace else f"{target['kind']}/{target['name']}"


def phase_of(request: Document) -> str:
    """Plain text, as documents have it; absent means Pending."""
    return (request.get("status") or _NONE).get("overallPhase") or "Pending"


def is_active(request: Document) -> bool:
    """Whether something may still be executed for it."""
    return phase_of(request) not in TERMINAL


def executions_cache() -> Cache:
    return Cache({TARGET: lambda execution: (execution["spec"]["targetResource"],)})


def requests_cache() -> Cache:
    return Cache({FINGERPRINT: _fingerprint, WAITING: _waiting_for, DUPLICATE_OF: _duplicate_of})


def _fingerprint(request: Document) -> Iterable[str]:
    """Only active ones: the index is asked for nobody else, and finished ones are many."""
    return (twin_key(request),) if is_active(request) else ()


def _waiting_for(request: Document) -> Iterable[str]:
    return (target_of(request),) if phase_of(request) == Phase.BLOCKED else ()


def _duplicate_of(request: Document) -> Iterable[str]:
    status = request.get("status") or _NONE
    if (status.get("skipReason") or status.get("blockReason")) != RoutingReason.DUPLICATE_IN_PROGRESS:
        return ()
    return (f"{request['metadata']['namespace']}/{status.get('duplicateOf')}",)


def twin_key(request: Document) -> str:
    """What requests for the same signal share; names of requests mean something in one namespace only."""
    return f"{request['metadata']['namespace']}/{request['spec']['signalFingerprint']}"


class View:
    """Caches may be late. What this process itself has begun to create is known at once, as a claim."""

    def __init__(self, requests: Cache, executions: Cache, analyses: Cache, runs: Cache, namespace: str) -> None:
        self.requests = requests
        self.executions = executions
        self.analyses = analyses
        self._runs = runs
        self._namespace = namespace
        self._claims: dict[str, tuple[Key, str]] = {}

    def history(self, target: str, apart_from: Key | None) -> History:
        """Of the target, without the executions of the request ``apart_from`` that are not finished."""
        return history_of(
            one
            for one in self.executions.by_index(TARGET, target)
            if apart_from is None or not _is_unfinished(one) or owning_request(one) != apart_from
        )

    def lock(self, target: str) -> Document | None:
        """The PipelineRun under the target's lock name."""
        return self._runs.get(self._namespace, lock_name(target))

    def elder(self, request: Document) -> Document | None:
        """The oldest other active request with the same fingerprint that is older than this one."""
        age, eldest = _age(request), None
        for other in self.requests.by_index(FINGERPRINT, twin_key(request)):
            other_age = _age(other)
            if other_age < age and "deletionTimestamp" not in other["metadata"]:
                age, eldest = other_age, other
        return eldest

    def duplicates(self, request: Document) -> list[str]:
        """Names of the requests that were folded into this one, oldest first."""
        metadata = request["metadata"]
        found = self.requests.by_index(DUPLICATE_OF, f"{metadata['namespace']}/{metadata['name']}")
        return [one["metadata"]["name"] for one in sorted(found, key=_age)]

    def waiting_for(self, target: str) -> list[Key]:
        """Blocked requests for the target."""
        return [_key(one) for one in self.requests.by_index(WAITING, target)]

    def claim(self, target: str, request: Key, execution: str) -> None:
        """This process is about to create ``execution`` on ``target``: others of its requests see it at once."""
        self._claims[target] = (request, execution)

    def claimed(self, target: str, request: Key) -> str:
        """The execution that another request has claimed the target for, or nothing."""
        claim = self._claims.get(target)
        return claim[1] if claim is not None and claim[0] != request else ""

    def release(self, target: str, request: Key) -> None:
        """The execution is in the cache, or will not be created."""
        claim = self._claims.get(target)
        if claim is not None and claim[0] == request:
            del self._claims[target]


def _is_unfinished(execution: Document) -> bool:
    return ((execution.get("status") or _NONE).get("phase") or "Pending") in ("Pending", "Running")


def _age(request: Document) -> tuple[str, str]:
    metadata = request["metadata"]
    return metadata["creationTimestamp"], metadata["name"]


def _key(request: Document) -> Key:
    metadata = request["metadata"]
    return metadata["namespace"], metadata["name"]
