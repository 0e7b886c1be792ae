"""One row of the table: a situation, and everything the executor tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.situations.lived import Lived

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """``evidence`` is what ended the run and ``noticed_us`` how long after it the execution said so; None for one
    that had not ended. ``started`` is ``wasExecutionFailure``. ``verdict`` is Tekton's own, as the status shows it."""

    situation: str
    version: str
    phase: str
    reason: str
    started: bool | None
    task: str
    evidence: str
    noticed_us: int | None
    verdict: str
    summary: str


def rows_of(situation: str, version: str, lives: Sequence[Lived]) -> list[Row]:
    """A row for each execution of one situation: the second was requested when the first's run was gone."""
    return [
        _row(situation if number == 0 else f"{situation}, again", version, lived) for number, lived in enumerate(lives)
    ]


def _row(situation: str, version: str, lived: Lived) -> Row:
    status = lived.document.get("status") or _NOTHING
    details = status.get("failureDetails") or _NOTHING
    evidence, at_us = _evidence(lived)
    terminal_us = lived.execution.terminal_us
    return Row(
        situation=situation,
        version=version,
        phase=status.get("phase") or "Pending",
        reason=details.get("reason") or "",
        started=details.get("wasExecutionFailure"),
        task=details.get("failedTaskName") or "",
        evidence=evidence,
        noticed_us=None if terminal_us is None or at_us is None else terminal_us - at_us,
        verdict=_verdict(status),
        summary=details.get("naturalLanguageSummary") or _pending(status),
    )


def _evidence(lived: Lived) -> tuple[str, int | None]:
    """What ended the run, and when that was in the API server."""
    execution = lived.execution
    if execution.pipeline_run_created_us is None:
        return ("creation refused", lived.refused_us) if lived.refused_us is not None else ("", None)
    finished, gone, told = execution.pipeline_run_finished_us, execution.lock_released_us, execution.terminal_us
    if finished is not None and (told is None or finished <= told):
        return "PipelineRun ended", finished
    return ("PipelineRun gone", gone) if gone is not None else ("", None)


def _verdict(status: Mapping[str, Any]) -> str:
    mirrored = status.get("pipelineRunStatus") or _NOTHING
    if not mirrored:
        return ""
    return f"{mirrored.get('status', '')}/{mirrored.get('reason', '')} {mirrored.get('message', '')}".strip()


def _pending(status: Mapping[str, Any]) -> str:
    """For what has not failed: what its conditions say is missing."""
    told = [one.get("message", "") for one in status.get("conditions") or () if one.get("status") == "False"]
    return "\n".join(told)
