"""The record as JUnit XML: one test suite a feature, one test case a scenario.

``time`` is in virtual seconds, so that the file is the same for the same record; the property ``wall_seconds`` of a
test case holds what the wall clock said, where somebody measured it.
"""

from typing import Any
from xml.etree import ElementTree as ET


def to_junit(summary: dict[str, Any]) -> bytes:
    """The XML document, from :func:`reports.summary.summarise`."""
    root = ET.Element("testsuites", {"name": "rehearse"} | _totals(summary["scenarios"]))
    suites: dict[str, list[dict[str, Any]]] = {}
    for scenario in summary["scenarios"]:
        suites.setdefault(scenario["feature"], []).append(scenario)
    for feature, scenarios in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": feature} | _totals(scenarios))
        _properties(suite, {key: summary[key] for key in ("seed", "backend", "version", "command")})
        for scenario in scenarios:
            _case(suite, scenario)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(suite: ET.Element, scenario: dict[str, Any]) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=scenario["feature"],
        name=scenario["name"],
        file=scenario["file"],
        line=str(scenario["line"]),
        time=f"{scenario['virtual_seconds']:.6f}",
    )
    properties = {"executions": scenario["executions"], "censored": scenario["censored"], "scale": scenario["scale"]}
    if scenario["wall_seconds"] is not None:
        properties["wall_seconds"] = scenario["wall_seconds"]
    _properties(case, properties)
    if scenario["status"] == "failed":
        failed = next((step for step in scenario["steps"] if step["status"] == "failed"), None)
        reason = scenario["error"] or (failed and failed["error"]) or "the scenario failed"
        where = f"{failed['keyword']} {failed['text']} (line {failed['line']})\n" if failed else ""
        detail = (failed and failed["error"]) or reason
        ET.SubElement(case, "failure", message=reason.splitlines()[0]).text = where + detail
    if scenario["steps"]:
        listing = (f"{step['status']:8}{step['keyword']} {step['text']}" for step in scenario["steps"])
        ET.SubElement(case, "system-out").text = "\n".join(listing)


def _properties(parent: ET.Element, values: dict[str, Any]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=str(value))


def _totals(scenarios: list[dict[str, Any]]) -> dict[str, str]:
    return {
        "tests": str(len(scenarios)),
        "failures": str(sum(scenario["status"] == "failed" for scenario in scenarios)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(scenario['virtual_seconds'] for scenario in scenarios):.6f}",
    }
