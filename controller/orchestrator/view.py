"""What the cluster shows of a target and a signal, by index: the caches of one process, and what it is about to add."""

from collections.abc import Callable, Iterable
from datetime import datetime

from controller.api.lock import lock_name
from controller.api.remediationrequest import TERMINAL, Phase, RoutingReason
from controller.orchestrator.history import NO_HISTORY, History
from controller.orchestrator.ledger import Ledger
from controller.ports import Document
from controller.runtime.cache import Cache, Key, key_of

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


def stands_for_others(request: Document) -> bool:
    """Whether younger requests for the same signal are its duplicates: not those of a request that is being deleted."""
    return is_active(request) and "deletionTimestamp" not in request["metadata"]


def requests_cache() -> Cache:
    return Cache({FINGERPRINT: _fingerprint, WAITING: _waiting_for, DUPLICATE_OF: _duplicate_of})


def _fingerprint(request: Document) -> Iterable[str]:
    """Only of those that count: the index is asked for nobody else, and finished ones are many."""
    return (twin_key(request),) if stands_for_others(request) else ()


def _waiting_for(request: Document) -> Iterable[str]:
    """By the name of the lock, which tells those who see only that."""
    return (lock_name(target_of(request)),) if phase_of(request) == Phase.BLOCKED else ()


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
        self.when_free: Callable[[str], None] = lambda _: None
        """Told the target of a claim that nothing came of."""
        self._runs = runs
        self._namespace = namespace
        self._ledgers: dict[str, Ledger] = {}
        self._claims: dict[str, tuple[Key, str]] = {}
        self._claimed_by: dict[Key, str] = {}

    def note_execution(self, before: Document | None, after: Document | None) -> None:
        """An execution has come, changed or gone; to be told after its cache."""
        if before is not None and (after is None or _target(before) != _target(after)):
            ledger = self._ledgers.get(_target(before))
            if ledger is not None:
                ledger.remove(key_of(before))
                if not ledger:
                    del self._ledgers[_target(before)]
        if after is None:
            return
        ledger = self._ledgers.get(_target(after))
        if ledger is None:
            ledger = self._ledgers[_target(after)] = Ledger()
        ledger.put(after)
        claim = self._claims.get(_target(after))
        if claim is not None and key_of(after) == (claim[0][0], claim[1]):
            self._unclaim(_target(after), claim[0])

    def history(self, target: str, apart_from: str, since: datetime) -> History:
        """Of the target, without the unfinished executions of the request with the uid ``apart_from``; completed ones
        as far back as ``since``."""
        ledger = self._ledgers.get(target)
        return NO_HISTORY if ledger is None else ledger.history(apart_from, since)

    def lock(self, target: str) -> Document | None:
        """The PipelineRun under the target's lock name."""
        return self._runs.get(self._namespace, lock_name(target))

    def elder(self, request: Document) -> Document | None:
        """The oldest other active request with the same fingerprint that is older than this one."""
        age, eldest = _age(request), None
        for other in self.requests.by_index(FINGERPRINT, twin_key(request)):
            other_age = _age(other)
            if other_age < age:
                age, eldest = other_age, other
        return eldest

    def duplicates(self, request: Document) -> list[str]:
        """Names of the requests that were folded into this one, oldest first. Those that are older than it name
        another request that had its name."""
        metadata = request["metadata"]
        found = self.requests.by_index(DUPLICATE_OF, f"{metadata['namespace']}/{metadata['name']}")
        if not found:
            return []
        age = _age(request)
        return [one["metadata"]["name"] for one in sorted(found, key=_age) if _age(one) > age]

    def waiting_for(self, target: str) -> list[Key]:
        """Blocked requests for the target."""
        return self.waiting_for_lock(lock_name(target))

    def waiting_for_lock(self, name: str) -> list[Key]:
        """Blocked requests for the target whose lock has that name."""
        return [key_of(one) for one in self.requests.by_index(WAITING, name)]

    def claim(self, target: str, request: Key, execution: str) -> None:
        """This process is about to create ``execution`` on ``target``: others of its requests see it at once, until it
        is in the cache or :meth:`withdraw` is called."""
        self.withdraw(request)
        self._claims[target] = (request, execution)
        self._claimed_by[request] = target

    def claimed(self, target: str, request: Key) -> str:
        """The execution that another request has claimed the target for, or nothing."""
        claim = self._claims.get(target)
        return claim[1] if claim is not None and claim[0] != request else ""

    def withdraw(self, request: Key) -> None:
        """Nothing comes of what the request has claimed, if it has: who waits for the target may look again."""
        target = self._claimed_by.get(request)
        if target is not None:
            self._unclaim(target, request)
            self.when_free(target)

    def _unclaim(self, target: str, request: Key) -> None:
        del self._claims[target]
        del self._claimed_by[request]


def _target(execution: Document) -> str:
    target: str = execution["spec"]["targetResource"]
    return target


def _age(request: Document) -> tuple[str, str]:
    metadata = request["metadata"]
    return metadata["creationTimestamp"], metadata["name"]
