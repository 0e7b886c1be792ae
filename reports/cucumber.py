"""The record as Cucumber JSON, for the tools that read it. Durations are nanoseconds of virtual time."""

import json
import re
from typing import Any

_NS = 1_000_000_000


def to_cucumber(summary: dict[str, Any]) -> str:
    """The JSON document, from :func:`reports.summary.summarise`: a list of features with their scenarios."""
    features: dict[tuple[str, str], dict[str, Any]] = {}
    for scenario in summary["scenarios"]:
        key = (scenario["file"], scenario["feature"])
        if key not in features:
            features[key] = {
                "uri": scenario["file"],
                "id": _slug(scenario["feature"]),
                "keyword": "Feature",
                "name": scenario["feature"],
                "line": 1,
                "description": "",
                "tags": [],
                "elements": [],
            }
        features[key]["elements"].append(_element(scenario))
    return json.dumps(list(features.values()), indent=2, ensure_ascii=False) + "\n"


def _element(scenario: dict[str, Any]) -> dict[str, Any]:
    steps = [_step(step, scenario["file"]) for step in scenario["steps"]]
    if scenario["status"] == "failed" and all(step["result"]["status"] != "failed" for step in steps):
        # Readers take a scenario's verdict from its steps: without this one it would look as if it had passed.
        steps.append(_verdict(scenario))
    return {
        "id": f"{_slug(scenario['feature'])};{_slug(scenario['name'])};{scenario['id']}",
        "keyword": "Scenario",
        "type": "scenario",
        "name": scenario["name"],
        "line": scenario["line"],
        "description": scenario["description"],
        "tags": [{"name": f"@{tag.lstrip('@')}", "line": max(scenario["line"] - 1, 1)} for tag in scenario["tags"]],
        "steps": steps,
    }


def _step(step: dict[str, Any], file: str) -> dict[str, Any]:
    result = {"status": step["status"], "duration": round(step["duration_seconds"] * _NS)}
    if step["error"] is not None:
        result["error_message"] = step["error"]
    return {
        "keyword": f"{step['keyword']} ",
        "name": step["text"],
        "line": step["line"],
        "match": {"location": f"{file}:{step['line']}"},
        "result": result,
    }


def _verdict(scenario: dict[str, Any]) -> dict[str, Any]:
    error = scenario["error"] or "the scenario failed"
    return {
        "keyword": "* ",
        "name": "the scenario ends",
        "line": scenario["line"],
        "match": {"location": f"{scenario['file']}:{scenario['line']}"},
        "result": {"status": "failed", "duration": 0, "error_message": error},
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
