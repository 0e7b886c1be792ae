"""What the orchestrator counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PREFIX = "kubernaut_remediationorchestrator"
_BUCKETS_S = tuple(0.01 * 2**power for power in range(10))


class OrchestratorMetrics:
    """Registered in ``registry``; a process has one of each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{_PREFIX}_{name}", text, labels, registry=registry)

        self._reconciles = counter("reconcile_total", "Steps of remediations.", "namespace", "phase")
        self._durations = Histogram(
            f"{_PREFIX}_reconcile_duration_seconds",
            "Time a step takes.",
            ["namespace", "phase"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._transitions = counter(
            "phase_transitions_total", "Changes of phase.", "from_phase", "to_phase", "namespace"
        )
        self._children = counter("child_crd_creations_total", "Children created.", "child_type", "namespace")
        self._blocked = counter("blocked_total", "Remediations that were blocked.", "namespace", "reason")
        self._expired = counter("blocked_cooldown_expired_total", "Blocks that ended by the clock.")
        self._now_blocked = Gauge(
            f"{_PREFIX}_current_blocked", "Remediations that are blocked.", ["namespace"], registry=registry
        )
        self._skipped = counter(
            "duplicates_skipped_total", "Remediations that were skipped.", "skip_reason", "namespace"
        )
        self._timeouts = counter("timeouts_total", "Remediations that took too long.", "phase", "namespace")
        self._reviews = counter(
            "manual_review_notifications_total",
            "Requests for a person's review.",
            "source",
            "reason",
            "sub_reason",
            "namespace",
        )
        self._approvals = counter("approval_notifications_total", "Requests for approval.", "namespace")
        self._nothing = counter("no_action_needed_total", "Analyses that found nothing to do.", "reason", "namespace")
        self._conflicts = counter("status_update_conflicts_total", "Writes of an outdated version.", "namespace")
        self._steps: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def reconciled(self, namespace: str, phase: str, duration_s: float) -> None:
        step = self._steps.get((namespace, phase))
        if step is None:
            labels = namespace, phase
            step = self._steps[labels] = self._reconciles.labels(*labels), self._durations.labels(*labels)
        step[0].inc()
        step[1].observe(duration_s)

    def moved(self, before: str, after: str, namespace: str) -> None:
        self._transitions.labels(before, after, namespace).inc()

    def child_created(self, kind: str, namespace: str) -> None:
        self._children.labels(kind, namespace).inc()

    def blocked(self, reason: str, namespace: str) -> None:
        self._blocked.labels(namespace, reason).inc()

    def block_expired(self) -> None:
        self._expired.inc()

    def count_blocked(self, namespace: str, change: int) -> None:
        """``change`` more of them wait now, or fewer."""
        self._now_blocked.labels(namespace).inc(change)

    def skipped(self, reason: str, namespace: str) -> None:
        self._skipped.labels(reason, namespace).inc()

    def timed_out(self, phase: str, namespace: str) -> None:
        self._timeouts.labels(phase, namespace).inc()

    def review_requested(self, source: str, reason: str, sub_reason: str, namespace: str) -> None:
        """``source`` is what failed: WorkflowExecution, AIAnalysis, or Routing."""
        self._reviews.labels(source, _word(reason), _word(sub_reason), namespace).inc()

    def approval_requested(self, namespace: str) -> None:
        self._approvals.labels(namespace).inc()

    def no_action(self, reason: str, namespace: str) -> None:
        self._nothing.labels(reason, namespace).inc()

    def conflicted(self, namespace: str) -> None:
        self._conflicts.labels(namespace).inc()


def _word(reason: str) -> str:
    """Reasons are an analyst's free text; what is no word of theirs must not make a time series of its own."""
    return reason if not reason or (reason.isascii() and reason.isalnum()) else "Other"
