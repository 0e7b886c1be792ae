"""What the executor counts, for Prometheus."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS_S = (5, 10, 20, 40, 80, 160, 320)


class ExecutorMetrics:
    """Registered in ``registry``; a process has one of each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "workflowexecution_reconciler"
        self._total = Counter(f"{prefix}_total", "Executions that ended, by outcome.", ["outcome"], registry=registry)
        self._duration = Histogram(
            f"{prefix}_duration_seconds",
            "Time from start to end of an execution, by outcome.",
            ["outcome"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._creations = Counter(
            f"{prefix}_pipelinerun_creations_total", "PipelineRuns that were created.", registry=registry
        )
        self._by_outcome = {
            outcome: (self._total.labels(outcome), self._duration.labels(outcome))
            for outcome in ("Completed", "Failed")
        }

    def created(self) -> None:
        self._creations.inc()

    def ended(self, outcome: Literal["Completed", "Failed"], duration_s: float) -> None:
        """``duration_s`` is 0 for an execution that never started."""
        total, duration = self._by_outcome[outcome]
        total.inc()
        duration.observe(duration_s)
