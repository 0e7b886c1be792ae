"""Remediation lines to order: what an orchestrator leaves behind, without running anything."""

import json
from pathlib import Path
from typing import Any

from synthetic_record import S, Shape, record_lines, write

from reports.lines import Remediation
from reports.record import ScenarioRecord, read

Line = dict[str, Any]
ENDED = ("Completed", "Failed", "Skipped", "TimedOut", "Cancelled")


def remediation(name: str = "rr", at_s: float = 0, phases: str = "", **fields: Any) -> Line:
    """One line. ``phases`` such as ``"Processing 0.01, Analyzing 0.02, Skipped 12"`` are seconds after the signal."""
    created = round(at_s * S)
    reached = [each.split() for each in phases.split(", ") if each]
    stays = [[phase, created + round(float(after) * S)] for phase, after in reached]
    last = stays[-1][0] if stays else "Pending"
    ended = last in ENDED
    line: Line = {
        "kind": "remediation",
        "scenario": 1,
        "namespace": "payment",
        "name": name,
        "target": "payment/Deployment/payment-api",
        "signal": "KubePodCrashLooping",
        "created_us": created,
        "decided_us": stays[0][1] if stays else None,
        "terminal_us": stays[-1][1] if ended else None,
        "deleted_us": None,
        "phase": last,
        "phases": stays,
        "outcome": "Remediated" if last == "Completed" else None,
        "reason": None,
        "message": f"{name} is {last}",
        "requires_review": False,
        "duplicate_of": None,
        "duplicates": 0,
        "recoveries": 0,
        "executions": [f"we-{name}"] if any(phase == "Executing" for phase, _ in stays) else [],
        "analyses": sum(phase == "Analyzing" for phase, _ in stays),
        "notifications": 0,
        "blocked_us": {},
        "censored": not ended and fields.get("deleted_us") is None,
    }
    return line | fields


def parsed(phases: str, **fields: Any) -> Remediation:
    """The same as it is read."""
    return Remediation.model_validate_json(json.dumps(remediation(phases=phases, **fields)))


HAPPY = "Processing 0.01, Analyzing 0.02, Executing 12, Completed 60"
REFUSED = "Skipped 0.01"
LATE_REFUSED = "Processing 0.01, Analyzing 0.02, Skipped 12"


def storm(n: int, gap_s: float = 1.0) -> list[Line]:
    """A mix of every state, and of ways that lead to the same one."""
    kinds: list[tuple[str, Line]] = [
        (HAPPY, {}),
        (REFUSED, {"reason": "ResourceBusy"}),
        (REFUSED, {"reason": "DuplicateInProgress", "duplicate_of": "rr-0"}),
        (LATE_REFUSED, {"reason": "ResourceBusy"}),
        ("Processing 0.01, Analyzing 0.02, Completed 9", {"outcome": "NoActionRequired"}),
        ("Failed 0.02", {"reason": "PreviousExecutionFailed", "requires_review": True}),
        ("Processing 0.01, Analyzing 0.02, AwaitingApproval 9, TimedOut 900", {"reason": "AwaitingApproval"}),
        ("Processing 0.01, Analyzing 0.02, Cancelled 3", {}),
        ("Blocked 0.02", {"reason": "ExponentialBackoff"}),
        ("Processing 0.01, Analyzing 0.02, Executing 11", {}),
        ("Processing 0.01, Analyzing 0.02", {"deleted_us": (n + 1000) * S}),
        ("", {}),
    ]
    return [
        remediation(f"rr-{number}", number * gap_s, kinds[number % len(kinds)][0], **kinds[number % len(kinds)][1])
        for number in range(n)
    ]


def rows(remediations: list[Line], *, cooldown_us: int | None = 300 * S, executions: int = 0) -> list[Line]:
    """A record with one scenario that had these remediations; it lasts an hour longer than anything in them."""
    lines = list(record_lines(1, (Shape("Storm", "of signals", executions),)))
    instants = [at for each in remediations for at in (each["created_us"], *(at for _, at in each["phases"]))]
    lines[-2]["virtual_us"] = max(instants, default=0) + 3600 * S
    routing = {"kind": "routing", "scenario": 1, "remediations": len(remediations), "cooldown_us": cooldown_us}
    return [*lines[:-2], *([routing] if remediations else []), *remediations, *lines[-2:]]


def scenario_of(tmp_path: Path, remediations: list[Line], **options: Any) -> ScenarioRecord:
    """The same, written and read."""
    return read(write(tmp_path / "run.jsonl", rows(remediations, **options))).scenarios[0]
