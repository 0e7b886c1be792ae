"""The condition of a PipelineRun: counters of its tasks, never their causes."""

from functools import lru_cache
from typing import NamedTuple

from sim.tekton.deadlines import Deadlines
from sim.tekton.facts import TIMEOUT_SKIPS, Facts
from sim.tekton.version import Version
from sim.workload.durations import format_us

_DETAILS_MAX = 1024


class Verdict(NamedTuple):
    """``state`` is True, False or Unknown."""

    state: str
    reason: str
    message: str


class _Counts:
    __slots__ = (
        "cancelled",
        "failed",
        "ignored",
        "incomplete",
        "skipped",
        "skipped_by_timeout",
        "succeeded",
        "unusable",
    )

    def __init__(self, facts: Facts) -> None:
        self.succeeded = self.failed = self.ignored = self.cancelled = 0
        self.skipped = self.skipped_by_timeout = self.incomplete = self.unusable = 0
        for one in facts.members:
            if one.state == "True":
                self.succeeded += 1
            elif one.state == "False":
                if one.cancelled_for_timeout:
                    self.failed += 1
                elif one.cancelled:
                    self.cancelled += 1
                elif one.task.ignores_failure:
                    self.ignored += 1
                else:
                    self.failed += 1
            elif one.task.name in facts.unusable:
                self.unusable += 1
            elif one.run is not None:
                self.incomplete += 1
            elif reason := facts.skip_reason(one) or facts.final_skip_reason(one):
                self.skipped += 1
                self.skipped_by_timeout += reason in TIMEOUT_SKIPS
            else:
                self.incomplete += 1

    @property
    def completed(self) -> int:
        return self.succeeded + self.failed + self.cancelled + self.ignored


def verdict_of(name: str, facts: Facts, deadlines: Deadlines, now_us: int, version: Version) -> Verdict:
    """What the PipelineRun called ``name`` is to say of itself now."""
    if deadlines.pipeline_over(now_us):
        return timed_out(name, deadlines)
    tasks_over = deadlines.tasks_over(now_us)
    finals_left = facts.graph.has_finally and not facts.finals_done()
    if tasks_over and not (version.finally_after_tasks_timeout and finals_left):
        limit = format_us(deadlines.tasks_us or 0)
        text = f'PipelineRun "{name}" failed due to tasks failed to finish within "{limit}"'
        return Verdict("False", "PipelineRunTimeout", text)
    counts = _Counts(facts)
    if counts.incomplete == 0:
        return _final(name, facts, counts, version)
    reason = "Running"
    if tasks_over and finals_left:
        reason = "PipelineRunTimeoutRunningFinally"
    elif facts.demand == "CancelledRunFinally":
        reason = "CancelledRunningFinally"
    elif facts.demand == "StoppedRunFinally":
        reason = "StoppedRunningFinally"
    elif counts.cancelled > 0 or (counts.failed > 0 and facts.finals_done()):
        reason = "PipelineRunStopping"
    message = _progress(counts.completed, counts.failed, counts.cancelled, counts.incomplete, counts.skipped)
    return Verdict("Unknown", reason, message)


@lru_cache(maxsize=1024)
def _progress(completed: int, failed: int, cancelled: int, incomplete: int, skipped: int) -> str:
    """Runs have the same few numbers, so they share the texts."""
    return (
        f"Tasks Completed: {completed} (Failed: {failed}, Cancelled {cancelled}), "
        f"Incomplete: {incomplete}, Skipped: {skipped}"
    )


def timed_out(name: str, deadlines: Deadlines) -> Verdict:
    limit = format_us(deadlines.pipeline_us)
    return Verdict("False", "PipelineRunTimeout", f'PipelineRun "{name}" failed to finish within "{limit}"')


def _final(name: str, facts: Facts, counts: _Counts, version: Version) -> Verdict:
    ignored = f" (Ignored: {counts.ignored})" if counts.ignored else ""
    message = (
        f"Tasks Completed: {counts.completed} (Failed: {counts.failed + counts.ignored}{ignored}, "
        f"Cancelled {counts.cancelled}), Skipped: {counts.skipped}"
    )
    if counts.unusable:
        message += f", Failed Validation: {counts.unusable}"
        if version.validation_details:
            details = "; ".join(facts.unusable[task] for task in sorted(facts.unusable))
            message += f" ({details if len(details) <= _DETAILS_MAX else details[:_DETAILS_MAX] + '...'})"
        return Verdict("False", "PipelineValidationFailed", message)
    if counts.failed or counts.skipped_by_timeout:
        return Verdict("False", "Failed", message)
    if facts.demand in ("CancelledRunFinally", "StoppedRunFinally"):
        return Verdict("False", "Cancelled", f'PipelineRun "{name}" was cancelled')
    if counts.cancelled:
        return Verdict("False", "Cancelled", message)
    return Verdict("True", "Completed" if counts.skipped else "Succeeded", message)
