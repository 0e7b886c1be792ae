"""The features, from one text, for one target and for many."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REHEARSE = Path(sys.executable).with_name("rehearse")
EXECUTOR = ("resource_busy", "cooldown", "oom_killed", "rbac_forbidden", "execution_race", "tekton_hazards")
ORCHESTRATOR = ("routing", "recovery", "duplicates", "notifications")
FEATURES = (*EXECUTOR, *ORCHESTRATOR)
SCALES = {
    **dict.fromkeys(EXECUTOR, 1000),
    **dict.fromkeys(ORCHESTRATOR, 300),
    "tekton_hazards": 300,
    "duplicates": 1000,
}
"""How many targets the suite can afford; ``make scale`` runs everything for a thousand."""


def report_of(folder: Path, *arguments: str) -> dict:
    done = subprocess.run(
        [REHEARSE, "run", *arguments, "--report", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("version", ["1.7", "1.15"])
def test_every_scenario_holds_for_one_target_with_either_tekton_and_nobody_mutates_a_document(
    tmp_path: Path, version: str
) -> None:
    report = report_of(tmp_path, *FEATURES, "--set", f"tekton.version={version}", "--set", "guard=true")

    assert len(report["scenarios"]) == 55
    assert {scenario["status"] for scenario in report["scenarios"]} == {"passed"}


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "scale"), SCALES.items())
def test_every_scenario_holds_for_hundreds_of_targets(tmp_path: Path, feature: str, scale: int) -> None:
    report = report_of(tmp_path, feature, "--scale", str(scale))

    assert {scenario["status"] for scenario in report["scenarios"]} == {"passed"}
    assert {scenario["scale"] for scenario in report["scenarios"]} == {scale}
    if feature in EXECUTOR:
        assert sum(scenario["executions"] for scenario in report["scenarios"]) >= scale * len(report["scenarios"])


def test_every_scenario_holds_whatever_the_order_of_one_instant(tmp_path: Path) -> None:
    report = report_of(tmp_path, *FEATURES, "--scale", "5", "--set", "ties=shuffled")

    assert {scenario["status"] for scenario in report["scenarios"]} == {"passed"}


@pytest.mark.parametrize(
    "workload",
    [
        "steady-hour",
        "alert-burst",
        "troubled-hour",
        "calm-day",
        "alert-storm",
        "flapping-target",
        "bad-rollout",
        "oom-epidemic",
        "two-orchestrators",
        "upgrade-from-v3.1",
    ],
)
def test_every_workload_of_the_catalogue_holds(tmp_path: Path, workload: str) -> None:
    report = report_of(tmp_path, workload)

    scenario = report["scenarios"][0]
    assert scenario["status"] == "passed"
    assert sum(scenario["outcomes"].values()) == scenario["executions"]
