"""API calls: who asked the API server for what, how often per execution, and how often it refused."""

from collections.abc import Sequence
from typing import Any

from reports.lines import Calls
from reports.text import clean


def by_verb(calls: Sequence[Calls], executions: int) -> dict[str, dict[str, float | None]]:
    """Calls per execution: ``{component: {verb: number}}``, in the order of the record; None without executions."""
    counts: dict[str, dict[str, int]] = {}
    for row in calls:
        verbs = counts.setdefault(clean(row.component), {})
        verb = clean(row.verb)
        verbs[verb] = verbs.get(verb, 0) + row.count
    return {
        component: {verb: _each(count, executions) for verb, count in verbs.items()}
        for component, verbs in counts.items()
    }


def by_resource(calls: Sequence[Calls], executions: int) -> list[dict[str, Any]]:
    """One row a line of the record: ``{component, verb, resource, count, per_execution, errors{code: count}}``."""
    return [
        {
            "component": clean(row.component),
            "verb": clean(row.verb),
            "resource": clean(row.resource),
            "count": row.count,
            "per_execution": _each(row.count, executions),
            "errors": {clean(code, 20): count for code, count in sorted(row.errors.items())},
        }
        for row in calls
    ]


def _each(count: int, executions: int) -> float | None:
    return count / executions if executions else None
