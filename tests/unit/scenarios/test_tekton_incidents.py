"""What befalls Tekton's processes, as features and workloads say it."""

import subprocess
import sys
from pathlib import Path

REHEARSE = Path(sys.executable).with_name("rehearse")
FEATURE = """
Feature: Mishaps
  Scenario: The controller is away
    Given the first execution of "restart-deployment" is at work
    When an outage of Tekton's controller for 2 minutes
    Then the first execution completes
  Scenario: The controller crashes
    Given the first execution of "restart-deployment" is at work
    When a crash of Tekton's controller
    Then the first execution completes
  Scenario: The webhook is away when a run is to be made
    Given an outage of Tekton's webhook for 1 minute
    When the first execution of "restart-deployment" is requested
    Then the first execution completes
    And exactly 1 run was started on the target
  Scenario: Everything is replaced
    When a rollout of Tekton's controller
    And a restart of Tekton's resolvers
    And 30 seconds pass
    And the first execution of "restart-deployment" is requested
    Then the first execution completes
"""
WORKLOAD = """
name: mine
description: Ten requests around an outage of the resolvers
arrivals: {fixed: {per_second: 0.5, count: 10}}
targets: 10
spread: in turn
workflows: {restart-deployment: 1}
settings:
  tekton:
    ha: {enabled: true}
    incidents: [{at: 5s, what: controller, for: 1m}]
"""


def rehearse(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(REHEARSE), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )


def test_features_can_say_it(tmp_path: Path) -> None:
    path = tmp_path / "mishaps.feature"
    path.write_text(FEATURE)

    done = rehearse("run", path, "--scale", 3)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed  Mishaps: ") == 4


def test_what_cannot_befall_a_process_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.feature"
    path.write_text(FEATURE.replace("a crash of Tekton's controller", "a crash of Tekton's webhook"))

    done = rehearse("run", path)

    assert done.returncode == 2
    assert f'{path} line 9: no crash can befall "webhook"; expected Tekton\'s controller or' in done.stderr


def test_workloads_can_say_when_and_the_leases_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WORKLOAD)

    done = rehearse("run", path, "--report", tmp_path / "out")

    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "out" / "record.jsonl").read_text(encoding="utf-8")
    assert "outage of the controller at 5s for 1m0s" in text
    assert "leases.coordination.k8s.io" in text
