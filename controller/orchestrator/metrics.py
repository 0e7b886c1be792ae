"""What the orchestrator counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter

_PREFIX = "kubernaut_remediationorchestrator"


class OrchestratorMetrics:
    """Registered in ``registry``; a process has one of each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{_PREFIX}_{name}", text, labels, registry=registry)

        self._transitions = counter(
            "phase_transitions_total", "Changes of phase.", "from_phase", "to_phase", "namespace"
        )
        self._children = counter("child_crd_creations_total", "Children created.", "child_type", "namespace")
        self._blocked = counter("blocked_total", "Remediations that were blocked.", "namespace", "reason")
        self._skipped = counter(
            "duplicates_skipped_total", "Remediations that were skipped.", "skip_reason", "namespace"
        )
        self._timeouts = counter("timeouts_total", "Remediations that took too long.", "phase", "namespace")
        self._reviews = counter(
            "manual_review_notifications_total", "Requests for a person's review.", "reason", "namespace"
        )
        self._approvals = counter("approval_notifications_total", "Requests for approval.", "namespace")
        self._nothing = counter("no_action_needed_total", "Analyses that found nothing to do.", "reason", "namespace")

    def moved(self, before: str, after: str, namespace: str) -> None:
        self._transitions.labels(before, after, namespace).inc()

    def child_created(self, kind: str, namespace: str) -> None:
        self._children.labels(kind, namespace).inc()

    def blocked(self, reason: str, namespace: str) -> None:
        self._blocked.labels(namespace, reason).inc()

    def skipped(self, reason: str, namespace: str) -> None:
        self._skipped.labels(reason, namespace).inc()

    def timed_out(self, phase: str, namespace: str) -> None:
        self._timeouts.labels(phase, namespace).inc()

    def review_requested(self, reason: str, namespace: str) -> None:
        self._reviews.labels(reason, namespace).inc()

    def approval_requested(self, namespace: str) -> None:
        self._approvals.labels(namespace).inc()

    def no_action(self, reason: str, namespace: str) -> None:
        self._nothing.labels(reason, namespace).inc()
