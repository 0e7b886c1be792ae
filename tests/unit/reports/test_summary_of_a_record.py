import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_record import OOM, QUOTA, Shape, record_lines, write

from reports.record import read
from reports.summary import settings, summarise, to_json

SHAPE = Shape("Quota", "the quota is used up", 200, (OOM, QUOTA), unfinished=23, fails=True)


@pytest.fixture(scope="module")
def executions() -> list[dict[str, Any]]:
    return [row for row in record_lines(1, (SHAPE,)) if row["kind"] == "execution"]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write(tmp_path_factory.mktemp("record") / "run.jsonl", record_lines(1, (SHAPE, Shape("Quota", "unused", 0))))
    return summarise(read(path))


def test_the_run_is_described_and_counted(summary: dict[str, Any]) -> None:
    assert (summary["seed"], summary["backend"], summary["wall_seconds"]) == (1, "sim", None)
    assert (summary["passed"], summary["failed"], summary["executions"], summary["censored"]) == (1, 1, 200, 23)
    assert summary["virtual_seconds"] == sum(scenario["virtual_seconds"] for scenario in summary["scenarios"])


def test_every_execution_is_in_exactly_one_outcome(summary: dict[str, Any], executions: list[dict[str, Any]]) -> None:
    outcomes = summary["scenarios"][0]["outcomes"]
    assert sum(outcomes.values()) == 200
    assert outcomes["Failed: OOMKilled"] == sum(row["reason"] == "OOMKilled" for row in executions)
    assert outcomes["unfinished: Pending"] + outcomes["unfinished: Running"] == 23
    assert next(iter(outcomes)) == "Completed"
    assert [name.startswith("unfinished") for name in outcomes] == sorted(
        name.startswith("unfinished") for name in outcomes
    )


def test_phases_and_reasons_are_counted(summary: dict[str, Any], executions: list[dict[str, Any]]) -> None:
    scenario = summary["scenarios"][0]
    for key, field in (("phases", "phase"), ("reasons", "reason")):
        for name, number in scenario[key].items():
            assert number == sum(row[field] == name for row in executions)
    assert sum(scenario["phases"].values()) == 200


def test_failures_are_split_by_whether_a_step_had_started(summary: dict[str, Any]) -> None:
    rows = {row["reason"]: row for row in summary["scenarios"][0]["endings"]}
    assert rows["OOMKilled"]["had_started"] == rows["OOMKilled"]["count"] > 0
    assert rows["ResourceExhausted"]["had_started"] == 0
    assert rows["ResourceExhausted"]["message"].startswith("exceeded quota")


def test_timings_are_in_seconds_and_say_how_many_are_unfinished(
    summary: dict[str, Any], executions: list[dict[str, Any]]
) -> None:
    found = summary["scenarios"][0]["timings"]["creation to running"]
    took = [(row["running_us"] - row["created_us"]) / 1e6 for row in executions if row["running_us"] is not None]
    assert found["n"] == len(took)
    assert found["p95"] == pytest.approx(np.percentile(took, 95))
    assert found["unfinished"] == sum(row["censored"] and row["running_us"] is None for row in executions) > 0


def test_a_scenario_without_executions_has_nulls_instead_of_numbers(summary: dict[str, Any]) -> None:
    scenario = summary["scenarios"][1]
    assert scenario["outcomes"] == scenario["phases"] == scenario["reasons"] == {}
    assert scenario["timings"]["running to terminal"] == {
        "n": 0,
        "mean": None,
        "p50": None,
        "p95": None,
        "p99": None,
        "max": None,
        "unfinished": 0,
    }


def test_api_calls_are_given_per_execution_and_by_resource(summary: dict[str, Any]) -> None:
    scenario = summary["scenarios"][0]
    rows = [row for row in scenario["api_calls"] if (row["component"], row["verb"]) == ("tekton-controller", "create")]
    assert len(rows) == 3
    each = scenario["api_calls_per_execution"]["tekton-controller"]["create"]
    assert each == pytest.approx(sum(row["count"] for row in rows) / 200)
    assert each == pytest.approx(sum(row["per_execution"] for row in rows))


def test_api_calls_without_executions_have_no_rate(tmp_path: Path) -> None:
    rows = list(record_lines(1, (Shape("Idle", "idle", 0),)))
    rows.insert(
        -2,
        {
            "kind": "calls",
            "scenario": 1,
            "component": "manager",
            "verb": "list",
            "resource": "pods",
            "count": 3,
            "errors": {},
        },
    )
    scenario = summarise(read(write(tmp_path / "run.jsonl", rows)))["scenarios"][0]
    assert scenario["api_calls_per_execution"] == {"manager": {"list": None}}


def test_the_json_is_valid_and_the_same_for_the_same_record(summary: dict[str, Any]) -> None:
    assert json.loads(to_json(summary)) == summary


def test_free_settings_become_a_bounded_flat_table() -> None:
    deep: dict[str, Any] = {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}
    assert settings({"x": 1.5, "y": [1, "two"], "z": {}, **deep}) == {
        "x": "1.5",
        "y": '[1, "two"]',
        "z": "{}",
        "a.b.c.d.e": '{"f": 1}',
    }
    assert len(settings({str(i): {str(j): j for j in range(50)} for i in range(50)})) == 100
    assert len(settings({"long": "x" * 100_000})["long"]) == 500
