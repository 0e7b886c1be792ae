"""The record in numbers: what ``report.json`` holds and what the page shows. Times in seconds, null where none."""

import json
from collections import Counter
from typing import Any

from reports import apicalls, remediations
from reports.lines import Situation, Step
from reports.outcomes import endings
from reports.record import Record, ScenarioRecord
from reports.text import MESSAGE_LIMIT, clean, clean_lines
from reports.timings import TIMINGS, table

_US = 1_000_000
_DEPTH_LIMIT = 4
_SETTINGS_LIMIT = 100


def summarise(record: Record) -> dict[str, Any]:
    """Numbers of a whole record, ready for JSON; every text in it is bounded and cleaned.

    ``virtual_seconds`` is the sum over the scenarios' worlds; ``wall_seconds`` is null when nobody measured it.
    """
    run = record.run
    scenarios = [_scenario(scenario) for scenario in record.scenarios]
    return {
        "schema": 1,
        "seed": run.seed,
        "backend": clean(run.backend),
        "version": clean(run.version),
        "epoch": clean(run.epoch),
        "command": clean(run.command, MESSAGE_LIMIT),
        "settings": settings(run.settings),
        "virtual_seconds": sum(scenario.end.virtual_us for scenario in record.scenarios) / _US,
        "wall_seconds": record.wall_seconds,
        "passed": sum(scenario["status"] == "passed" for scenario in scenarios),
        "failed": sum(scenario["status"] == "failed" for scenario in scenarios),
        "executions": sum(scenario["executions"] for scenario in scenarios),
        "censored": sum(scenario["censored"] for scenario in scenarios),
        "remediations": sum(len(scenario.remediations) for scenario in record.scenarios),
        "scenarios": scenarios,
    }


def to_json(summary: dict[str, Any]) -> str:
    """The text of ``report.json``: the same for the same record."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def settings(free: dict[str, Any]) -> dict[str, str]:
    """Free JSON as a flat table of texts, nested names joined by a full stop."""
    flat: dict[str, str] = {}
    pending = [("", free, 0)]
    while pending and len(flat) < _SETTINGS_LIMIT:
        prefix, branch, depth = pending.pop(0)
        for key, value in branch.items():
            name = clean(f"{prefix}{key}")
            if isinstance(value, dict) and value and depth < _DEPTH_LIMIT:
                pending.append((f"{name}.", value, depth + 1))
            elif len(flat) < _SETTINGS_LIMIT:
                flat[name] = clean(value if isinstance(value, str) else json.dumps(value), 500)
    return flat


def _scenario(scenario: ScenarioRecord) -> dict[str, Any]:
    head, end, executions = scenario.head, scenario.end, scenario.executions
    ended = endings(executions)
    return {
        "id": head.id,
        "feature": clean(head.feature),
        "name": clean(head.name),
        "description": clean_lines(head.description),
        "file": clean(head.file),
        "line": head.line,
        "tags": [clean(tag, 60) for tag in head.tags[:_SETTINGS_LIMIT]],
        "source": head.source,
        "scale": head.scale,
        "status": end.status,
        "error": None if end.error is None else clean_lines(end.error),
        "settings": settings(head.settings),
        "virtual_seconds": end.virtual_us / _US,
        "wall_seconds": scenario.wall_seconds,
        "simpy_events": end.simpy_events,
        "executions": len(executions),
        "censored": sum(execution.censored for execution in executions),
        "outcomes": {row["outcome"]: row["count"] for row in ended},
        "phases": _counted(execution.phase for execution in executions),
        "reasons": _counted(clean(execution.reason) for execution in executions if execution.reason),
        "endings": ended,
        "timings": table(TIMINGS, executions),
        "remediations": remediations.summarise(scenario),
        "situations": [_situation(situation) for situation in scenario.situations],
        "steps": [_step(step) for step in scenario.steps],
        "api_calls_per_execution": apicalls.by_verb(scenario.calls, len(executions)),
        "api_calls": apicalls.by_resource(scenario.calls, len(executions)),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "keyword": clean(step.keyword, 40),
        "text": clean(step.text, 1000),
        "line": step.line,
        "status": step.status,
        "start_seconds": step.start_us / _US,
        "duration_seconds": (step.end_us - step.start_us) / _US,
        "error": None if step.error is None else clean_lines(step.error),
    }


def _situation(row: Situation) -> dict[str, Any]:
    return {
        "situation": clean(row.situation),
        "version": clean(row.version, 40),
        "phase": clean(row.phase, 40),
        "reason": clean(row.reason, 60),
        "started": row.started,
        "task": clean(row.task),
        "evidence": clean(row.evidence),
        "noticed_seconds": None if row.noticed_us is None else row.noticed_us / _US,
        "verdict": clean(row.verdict, MESSAGE_LIMIT),
        "summary": clean_lines(row.summary),
    }


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
