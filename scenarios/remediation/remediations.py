"""What became of every remediation, as seen from outside: fed with committed writes, never steering."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controller.api.remediationrequest import TERMINAL
from controller.api.resources import AI_ANALYSES, NOTIFICATION_REQUESTS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import owning_request
from controller.orchestrator.view import target_of
from controller.ports import Document, Resource, WatchType
from scenarios.chronicle import Key, Observer

_NONE: Document = {}


@dataclass(slots=True)
class Remediation:
    """Milestones of one RemediationRequest; microseconds since the world began, None while they are ahead.

    ``decided_us`` is the first decision of the orchestrator, whatever it was; ``waited_us`` the time spent Blocked, by
    reason; ``phases`` every phase it entered and when.
    """

    namespace: str
    name: str
    target: str
    fingerprint: str
    signal: str
    created_us: int
    order: int
    phase: str = "Pending"
    phases: list[tuple[str, int]] = field(default_factory=list)
    decided_us: int | None = None
    terminal_us: int | None = None
    deleted_us: int | None = None
    outcome: str | None = None
    skip_reason: str | None = None
    block_reason: str | None = None
    failure_reason: str | None = None
    failure_phase: str | None = None
    timeout_phase: str | None = None
    message: str = ""
    requires_review: bool = False
    duplicate_of: str | None = None
    duplicates: int = 0
    blocking: str | None = None
    recoveries: int = 0
    executions: list[str] = field(default_factory=list)
    analyses: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    waited_us: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    @property
    def terminal(self) -> bool:
        return self.phase in TERMINAL


class Remediations:
    """All remediations by key, in the order in which they came. ``wake`` is told whose story has moved."""

    def __init__(self, now_us: Callable[[], int], wake: Callable[[object], None]) -> None:
        self.by_key: dict[Key, Remediation] = {}
        self._now_us = now_us
        self._wake = wake
        self._since_us: dict[Key, int] = {}
        self.observers: tuple[tuple[Resource, Observer], ...] = (
            (REMEDIATION_REQUESTS, self._request),
            (AI_ANALYSES, self._child),
            (WORKFLOW_EXECUTIONS, self._child),
            (NOTIFICATION_REQUESTS, self._child),
        )

    def __iter__(self) -> Iterator[Remediation]:
        return iter(self.by_key.values())

    def __len__(self) -> int:
        return len(self.by_key)

    def _request(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        key = (metadata["namespace"], metadata["name"])
        remediation = self.by_key.get(key)
        if remediation is None:
            spec = new["spec"]
            signal, fingerprint = spec["signalName"], spec["signalFingerprint"]
            remediation = self.by_key[key] = Remediation(
                *key, target_of(new), fingerprint, signal, self._now_us(), len(self.by_key)
            )
        if type_ == "DELETED":
            remediation.deleted_us = self._now_us()
        status = new.get("status")
        if status and (old is None or status is not old.get("status")):
            self._status(remediation, status)
        self._wake(key)

    def _status(self, remediation: Remediation, status: Document) -> None:
        phase = status.get("overallPhase") or "Pending"
        self._count_wait(remediation)
        remediation.skip_reason = status.get("skipReason")
        remediation.block_reason = status.get("blockReason")
        remediation.blocking = status.get("blockingWorkflowExecution")
        remediation.duplicate_of = status.get("duplicateOf")
        remediation.duplicates = status.get("duplicateCount") or 0
        remediation.recoveries = status.get("recoveryAttempts") or 0
        remediation.message = status.get("message", "")
        if phase == remediation.phase:
            return
        now = self._now_us()
        remediation.phase = phase
        remediation.phases.append((phase, now))
        if remediation.decided_us is None:
            remediation.decided_us = now
        if phase in TERMINAL:
            remediation.terminal_us = now
            remediation.outcome = status.get("outcome")
            remediation.failure_reason = status.get("failureReason")
            remediation.failure_phase = status.get("failurePhase")
            remediation.timeout_phase = status.get("timeoutPhase")
            remediation.requires_review = bool(status.get("requiresManualReview"))

    def _count_wait(self, remediation: Remediation) -> None:
        """Add the time since the last look to the reason it was blocked for."""
        now, key = self._now_us(), remediation.key
        since = self._since_us.get(key)
        if remediation.phase == "Blocked" and since is not None:
            reason = remediation.block_reason or "Unknown"
            remediation.waited_us[reason] = remediation.waited_us.get(reason, 0) + now - since
        self._since_us[key] = now

    def _child(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        if type_ != "ADDED":
            return
        key = owning_request(new)
        remediation = self.by_key.get(key) if key is not None else None
        if remediation is None:
            return
        name = new["metadata"]["name"]
        if resource.plural == AI_ANALYSES.plural:
            remediation.analyses.append(name)
        elif resource.plural == NOTIFICATION_REQUESTS.plural:
            remediation.notifications.append(name)
        else:
            remediation.executions.append(name)
        self._wake(key)
