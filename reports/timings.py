"""The named timings of executions and remediations, in the words of features: `Then p95 of "creation to running" …`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from reports.statistics import describe
from reports.timing import Measure, Stay, Timing

_US = 1_000_000

TIMINGS: tuple[Timing, ...] = (
    Timing(
        "creation to PipelineRun",
        "created_us",
        "pipeline_run_created_us",
        "from the creation of the WorkflowExecution to that of its PipelineRun, which is the lock on the target",
    ),
    Timing(
        "creation to running",
        "created_us",
        "running_us",
        "from the creation of the WorkflowExecution until its phase is Running",
    ),
    Timing(
        "running to terminal",
        "running_us",
        "terminal_us",
        "from phase Running to phase Completed or Failed",
    ),
    Timing(
        "PipelineRun finished to noticed",
        "pipeline_run_finished_us",
        "terminal_us",
        "from the end of the PipelineRun until the WorkflowExecution says so: how late the controller is",
    ),
    Timing(
        "terminal to lock released",
        "terminal_us",
        "lock_released_us",
        "from phase Completed or Failed until the PipelineRun, and with it the lock, is gone: the cooldown",
    ),
    Timing(
        "hazard to terminal",
        "hazard_us",
        "terminal_us",
        "from the instant at which something befell the execution until its phase is Completed or Failed",
        occasional=True,
    ),
)
"""Of executions."""

REMEDIATION_TIMINGS: tuple[Measure, ...] = (
    Timing(
        "signal to decision",
        "created_us",
        "decided_us",
        "from the creation of the RemediationRequest until the orchestrator first decides on it, whatever it decides",
        subject="remediation",
    ),
    Timing(
        "signal to execution",
        "created_us",
        "executing_us",
        "from the creation of the RemediationRequest until its phase is Executing for the first time",
        subject="remediation",
    ),
    Timing(
        "signal to end",
        "created_us",
        "terminal_us",
        "from the creation of the RemediationRequest until it has ended, however it did: skipped ones are among them",
        subject="remediation",
    ),
    Timing(
        "signal to remediated",
        "created_us",
        "remediated_us",
        "the same of those alone that ended as Completed with outcome Remediated: the time to repair",
        subject="remediation",
    ),
    Stay("analysis", "Analyzing", "each stay in phase Analyzing, so that a recovery counts as one more"),
    Stay("approval", "AwaitingApproval", "each stay in phase AwaitingApproval", occasional=True),
    Stay("execution", "Executing", "each stay in phase Executing, so that a recovery counts as one more"),
    Stay("blocked", "Blocked", "each stay in phase Blocked, whatever the reasons were", occasional=True),
)
"""Of remediations."""

_BY_NAME: dict[str, Measure] = {each.name.lower(): each for each in (*TIMINGS, *REMEDIATION_TIMINGS)}


def timing(name: str) -> Measure:
    """The timing called ``name``, in any casing. Raises ValueError that lists the known ones."""
    found = _BY_NAME.get(" ".join(name.lower().split()))
    if found is None:
        known = ", ".join(f'"{each.name}"' for each in _BY_NAME.values())
        raise ValueError(f'unknown timing "{name}"; known are {known}')
    return found


def seconds(which: Measure, subjects: Iterable[object]) -> list[float]:
    """Every value of the timing among executions or remediations, whichever it is of: in seconds, in their order."""
    return [value / _US for subject in subjects for value in which.spent_us(subject)]


def table(measures: Iterable[Measure], subjects: Sequence[object]) -> dict[str, dict[str, Any]]:
    """By name, the statistics in seconds, and ``unfinished``: what began and had not ended when the run did.

    An occasional timing that never began is left out.
    """
    rows: dict[str, dict[str, Any]] = {}
    for measure in measures:
        values, unfinished = seconds(measure, subjects), sum(map(measure.is_open, subjects))
        if values or unfinished or not measure.occasional:
            rows[measure.name] = asdict(describe(values)) | {"unfinished": unfinished}
    return rows
