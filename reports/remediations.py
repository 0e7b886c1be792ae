"""Remediations in numbers: what ``report.json`` says of them. Times in seconds, null where none."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports import blocks, fates
from reports.lines import Remediation
from reports.record import ScenarioRecord
from reports.statistics import describe
from reports.text import clean
from reports.timings import REMEDIATION_TIMINGS, table
from reports.waste import Waste, wasted

_US = 1_000_000
_HOUR_US = 3_600 * _US
_REASONS_MAX = 50


def summarise(scenario: ScenarioRecord) -> dict[str, Any] | None:
    """None where the scenario had no remediations. Raises AssertionError when they do not add up."""
    remediations, end_us = scenario.remediations, scenario.end.virtual_us
    if not remediations:
        return None
    routing = scenario.routing
    admitted = len(remediations) if routing is None else routing.remediations
    cooldown_us = None if routing is None else routing.cooldown_us
    rows = fates.fates(remediations)
    return {
        "admitted": admitted,
        "states": fates.balance(rows, admitted),
        "fates": fates.described(rows, admitted),
        "reviews": sum(row.reviews for row in rows),
        "per_hour": _per_hour(remediations),
        "duplicates": _duplicates(remediations),
        "recoveries": _recoveries(remediations),
        "analyses": sum(each.analyses for each in remediations),
        "executions": sum(len(each.executions) for each in remediations),
        "notifications": sum(each.notifications for each in remediations),
        "blocked": _blocked(remediations, end_us),
        "wasted": _wasted(wasted(scenario.executions, remediations, cooldown_us)),
        "timings": table(REMEDIATION_TIMINGS, remediations),
    }


def _per_hour(remediations: Sequence[Remediation]) -> dict[str, float | None]:
    """Signals and ends an hour of virtual time, between the first signal and the last end."""
    ends = [each.terminal_us for each in remediations if each.terminal_us is not None]
    remedied = sum(each.outcome == "Remediated" for each in remediations)
    span_us = max(ends, default=0) - min(each.created_us for each in remediations)
    hours = span_us / _HOUR_US
    counts = {"admitted": len(remediations), "ended": len(ends), "remediated": remedied}
    return {name: count / hours if hours > 0 else None for name, count in counts.items()}


def _duplicates(remediations: Sequence[Remediation]) -> dict[str, int]:
    """``folded`` into ``originals``, and how many of them the originals themselves count."""
    folded = [each for each in remediations if each.reason == "DuplicateInProgress" and each.phase == "Skipped"]
    return {
        "folded": len(folded),
        "originals": len({(each.namespace, each.duplicate_of) for each in folded}),
        "counted_by_originals": sum(each.duplicates for each in remediations),
    }


def _recoveries(remediations: Sequence[Remediation]) -> dict[str, int]:
    """All of them, how many remediations needed any, and how many of those were remediated in the end."""
    needed = [each for each in remediations if each.recoveries]
    return {
        "attempts": sum(each.recoveries for each in needed),
        "remediations": len(needed),
        "remediated": sum(each.outcome == "Remediated" for each in needed),
    }


def _blocked(remediations: Sequence[Remediation], end_us: int) -> dict[str, dict[str, Any]]:
    """By reason: ``seconds`` in all, and the statistics of the remediations that were blocked for it."""
    found = blocks.by_reason(remediations, end_us)
    return {
        clean(reason): {"seconds": sum(waited) / _US} | asdict(describe(each / _US for each in waited))
        for reason, waited in list(found.items())[:_REASONS_MAX]
    }


def _wasted(waste: Waste) -> dict[str, int | None]:
    return {
        "lost_lock": len(waste.lost_lock),
        "within_cooldown": None if waste.within_cooldown is None else len(waste.within_cooldown),
    }
