"""The record as one self-contained HTML page: style and figures inside, no script, no network."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.figures import Drawing
from reports.figures.timescale import aligned
from reports.statistics import ENOUGH
from reports.timings import REMEDIATION_TIMINGS, TIMINGS

_NOTHING = "\N{EN DASH}"
_PERCENTILES = ("p50", "p95", "p99")


def to_html(summary: dict[str, Any], drawings: list[list[Drawing]], files: list[str]) -> str:
    """The page. ``drawings`` holds each scenario's figures; ``files`` are the names of the files beside the page."""
    scenarios = [
        {
            **scenario,
            "drawings": figures,
            "table": _timing_rows(scenario["timings"]),
            "remediation_table": _timing_rows(scenario["remediations"]["timings"] if scenario["remediations"] else {}),
            "calls": _call_table(scenario),
        }
        for scenario, figures in zip(summary["scenarios"], drawings, strict=True)
    ]
    definitions = (*TIMINGS, *REMEDIATION_TIMINGS) if summary["remediations"] else TIMINGS
    page = _environment().get_template("report.html")
    return page.render(run=summary, scenarios=scenarios, definitions=definitions, files=files)


def to_index(entries: list[tuple[str, dict[str, Any]]]) -> str:
    """The page that leads to the reports of several records: ``(folder, summary)`` of each."""
    return _environment().get_template("index.html").render(entries=entries)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(spoken=_spoken, amount=_amount, share=lambda value: f"{value:.1%}", svg=Markup)
    return environment


def _timing_rows(timings: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The table of timings; ``weak`` names the percentiles for which n is too small."""
    return [
        {"name": name, **values, "weak": [key for key in _PERCENTILES if 0 < values["n"] < ENOUGH.get(key, 0)]}
        for name, values in timings.items()
    ]


def _call_table(scenario: dict[str, Any]) -> dict[str, Any]:
    """Calls per execution as a table: the verbs in the order of the record, a row per component, and sums."""
    table = scenario["api_calls_per_execution"]
    counts: dict[str, int] = {}
    errors: dict[str, int] = {}
    by_verb: dict[str, int] = {}
    for row in scenario["api_calls"]:
        counts[row["component"]] = counts.get(row["component"], 0) + row["count"]
        errors[row["component"]] = errors.get(row["component"], 0) + sum(row["errors"].values())
        by_verb[row["verb"]] = by_verb.get(row["verb"], 0) + row["count"]
    n = scenario["executions"]
    return {
        "verbs": list(by_verb),
        "rows": [
            {
                "component": component,
                "verbs": verbs,
                "total": counts[component] / n if n else None,
                "errors": errors[component],
            }
            for component, verbs in table.items()
        ],
        "sums": {verb: count / n if n else None for verb, count in by_verb.items()},
        "total": sum(counts.values()) / n if n else None,
        "errors": sum(errors.values()),
    }


def _spoken(seconds: float | None) -> str:
    return _NOTHING if seconds is None else aligned(seconds)


def _amount(number: float | None) -> str:
    if number is None:
        return _NOTHING
    if number == 0:
        return "0"
    if number < 0.005:
        return "<0.01"
    return f"{number:.2f}" if number < 100 else f"{number:,.0f}"
