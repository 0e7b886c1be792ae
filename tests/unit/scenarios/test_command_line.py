"""The rehearse command as a user types it: what it prints, what it leaves behind, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REHEARSE = Path(sys.executable).with_name("rehearse")

FEATURE = """
Feature: Mine
  Scenario: One run
    When the first execution of "restart-deployment" is requested
    Then the first execution completes
    And p95 of "creation to running" is below 30 seconds
"""
ODD_FEATURE = """Feature: Mine
  Scenario: Odd
    When the first execution of "scale-out" is requested
    And 1 second passes
    {}
"""
WORKLOAD = """
name: mine
description: Three requests
arrivals: {fixed: {per_second: 1, count: 3}}
targets: 3
spread: in turn
workflows: {restart-deployment: 1}
expect: ['max of "running to terminal" is below 10m']
"""


def rehearse(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(REHEARSE), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal."""
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_users_own_feature_runs_and_reports(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(FEATURE)

    done = rehearse(
        "run", feature, "--scale", 3, "--seed", 5, "--report", tmp_path / "out", "--trace", tmp_path / "t.json"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed  Mine: One run  (3 executions" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["seed"], report["backend"]) == (5, "sim")
    assert report["wall_seconds"] > 0
    assert report["virtual_seconds"] > 1
    scenario = report["scenarios"][0]
    assert (scenario["feature"], scenario["name"], scenario["scale"]) == ("Mine", "One run", 3)
    assert (scenario["status"], scenario["executions"], scenario["outcomes"]) == ("passed", 3, {"Completed": 3})
    assert set(scenario["timings"]["creation to running"]) >= {"n", "mean", "p50", "p95", "p99", "max"}
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"report.html", "junit.xml", "cucumber.json"}


def test_a_report_is_rebuilt_from_its_record(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)
    first = rehearse("run", tmp_path / "mine.yaml", "--report", tmp_path / "a")
    assert first.returncode == 0, first.stdout + first.stderr

    again = rehearse("report", tmp_path / "a" / "record.jsonl", "--out", tmp_path / "b")

    assert again.returncode == 0, again.stderr
    assert (tmp_path / "a" / "report.json").read_bytes() == (tmp_path / "b" / "report.json").read_bytes()


def test_a_record_does_not_say_from_where_it_was_asked_for(tmp_path: Path) -> None:
    rehearse("run", "rbac_forbidden", "--report", tmp_path / "a", cwd=tmp_path)
    rehearse("run", "rbac_forbidden", "--report", tmp_path / "b", cwd=Path("/"))

    assert (tmp_path / "a" / "record.jsonl").read_bytes() == (tmp_path / "b" / "record.jsonl").read_bytes()
    assert '"file":"features/rbac_forbidden.feature"' in (tmp_path / "a" / "record.jsonl").read_text()


def test_json_on_standard_output_is_the_summary(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)

    done = rehearse("run", tmp_path / "mine.yaml", "--format", "json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scenarios"][0]["executions"] == 3


def test_a_scenario_that_does_not_hold_ends_with_1_and_says_why(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(FEATURE.replace("below 30 seconds", "below 1 millisecond"))

    done = rehearse("run", feature)

    assert done.returncode == 1
    assert "FAILED  Mine: One run" in done.stdout
    assert 'And p95 of "creation to running" is below 1 millisecond (line 6): p95 is' in done.stdout


def test_an_expectation_that_does_not_hold_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD.replace("below 10m", "below 1ms"))

    done = rehearse("run", tmp_path / "mine.yaml")

    assert done.returncode == 1
    assert 'max of "running to terminal" is below 1ms: max is' in done.stdout


def test_a_setting_changes_the_run(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(
        """
Feature: Mine
  Scenario: Short cooldown
    Given the first execution of "restart-deployment" has completed
    Then the lock is released between 60 seconds and 70 seconds after the first execution ended
"""
    )

    assert rehearse("run", feature, "--set", "executor.cooldown=1m").returncode == 0
    assert rehearse("run", feature).returncode == 1


def test_tags_are_words_for_the_record_and_skip_nothing(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(FEATURE.replace("  Scenario:", "  @skip @parametrize @ours\n  Scenario:"))

    done = rehearse("run", feature, "--report", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "passed  Mine: One run  (1 execution," in done.stdout
    assert '"tags":["ours","parametrize","skip"]' in (tmp_path / "out" / "record.jsonl").read_text()


def test_withdrawing_what_was_never_requested_does_not_hold(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text("Feature: Mine\n  Scenario: Odd\n    When the third execution is withdrawn\n")

    done = rehearse("run", feature)

    assert done.returncode == 1
    assert "FAILED  Mine: Odd" in done.stdout
    assert "the third execution was never requested" in done.stdout


def test_a_slow_api_server_only_makes_everything_slower(tmp_path: Path) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(FEATURE.replace("30 seconds", "5 minutes"))

    assert rehearse("run", feature, "--set", "api.read=2s").returncode == 0
    assert "Tekton has not started after 10m0s" in refused(rehearse("run", feature, "--set", "api.read=2000h"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Then the moon rises", 'mine.feature line 5: no step matches "Then the moon rises"'),
        ('Given the step "x" sings', 'mine.feature line 5: "sings" is not known to befall a step'),
        ('Given the step "dance" never ends', 'no step is called "dance"; there are: kubectl-get,'),
        ('When the second execution of "dance" is requested', 'no workflow "dance" in the catalogue; expected one of'),
        ("When 9000 hours pass", '"9000 hours" is too long; expected a year at most'),
        ("Given the controller may not sing", '"sing" cannot be forbidden'),
        ("When many minutes pass", '"many minutes" is not a duration'),
        ('Then p95 of "lunch" is below 3 seconds', 'mine.feature line 5: unknown timing "lunch"'),
    ],
)
def test_a_step_nobody_knows_is_refused_before_anything_is_written(tmp_path: Path, text: str, said: str) -> None:
    feature = tmp_path / "mine.feature"
    feature.write_text(ODD_FEATURE.format(text))

    done = rehearse("run", feature, "--report", tmp_path / "out")

    assert said in refused(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "no-such-thing"), "no-such-thing: unknown catalogue entry; expected one of alert-burst,"),
        (("run", "no/such.feature"), "no/such.feature: does not exist"),
        (("run", "cooldown", "--scale", "0"), "--scale: 0 targets; expected a whole number from 1 to"),
        (("run", "cooldown", "--seed", "-1"), "--seed: -1; expected a whole number"),
        (("run", "cooldown", "--set", "executor.cooldown=-1m"), "executor.cooldown: duration '-1m' is negative"),
        (("run", "cooldown", "--report", "/proc/nowhere"), "--report /proc/nowhere: cannot be written"),
        (("run", "cooldown", "--trace", "/proc/t.json"), "--trace /proc/t.json: cannot be written"),
        (("run", "cooldown", "--trace", "tests"), "--trace tests: is a directory"),
        (("report", "README.md", "--out", "/tmp/never"), "README.md"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(rehearse(*arguments))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("workflows: {restart-deployment: 1}", "workflows: {dance: 1}"), 'no workflow "dance" in the catalogue'),
        (("targets: 3", "targets: 0"), "targets: Input should be greater than or equal to 1"),
        (("per_second: 1", "per_second: -1"), "arrivals"),
        (("name: mine", "name: [mine"), "malformed YAML"),
        (("expect: ['max of", "expect: ['most of all"), "is no expectation"),
    ],
)
def test_a_mistake_in_a_workload_file_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WORKLOAD.replace(*change))

    line = refused(rehearse("run", path))

    assert str(path) in line
    assert said in line


OWN_WORKFLOW = """
workflow: flush-cache
description: Empties a cache
version: v1
image: registry.example/flush-cache:v1
tasks:
  - name: flush
    steps: [{name: redis-flush, image: registry.example/redis:7, duration: 7s}]
  - name: warm
    runAfter: [flush]
    steps: [{name: redis-warm, image: registry.example/redis:7, duration: 1s}]
"""


def test_a_users_own_workflow_beside_the_file_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "flush.yaml").write_text(OWN_WORKFLOW)
    (tmp_path / "mine.yaml").write_text(WORKLOAD.replace("restart-deployment", "flush-cache"))

    assert rehearse("run", tmp_path / "mine.yaml").returncode == 0


def test_a_workflow_whose_task_graph_has_a_cycle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "flush.yaml").write_text(
        OWN_WORKFLOW.replace("- name: flush\n", "- name: flush\n    runAfter: [warm]\n")
    )
    (tmp_path / "mine.feature").write_text(FEATURE)

    assert "flush.yaml: tasks: flush -> warm -> flush is a cycle; expected an acyclic task graph" in refused(
        rehearse("run", tmp_path / "mine.feature")
    )


def test_a_step_may_take_another_time_than_the_catalogue_says(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)

    slow = rehearse("run", tmp_path / "mine.yaml", "--set", "durations.kubectl-rollout-restart=20m")
    unknown = rehearse("run", tmp_path / "mine.yaml", "--set", "durations.dance=20m")

    assert slow.returncode == 1
    assert 'durations: no step is called "dance"; expected kubectl-get,' in refused(unknown)


def test_a_truncated_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)
    rehearse("run", tmp_path / "mine.yaml", "--report", tmp_path / "a")
    record = tmp_path / "a" / "record.jsonl"
    record.write_text("\n".join(record.read_text().splitlines()[:-1]))

    line = refused(rehearse("report", record, "--out", tmp_path / "b"))

    assert "record.jsonl" in line
    assert not (tmp_path / "b").exists()


def test_the_list_names_features_scenarios_workloads_and_workflows() -> None:
    done = rehearse("list")

    assert done.returncode == 0
    for name in ("resource_busy", "The lock is released on time", "alert-burst", "increase-memory"):
        assert name in done.stdout
    for key in ("cluster.nodes", "api.requestShare", "durations.NAME", "patience"):
        assert f"setting   {key} " in done.stdout


def test_help_explains_every_option() -> None:
    done = rehearse("run", "--help")

    assert done.returncode == 0
    for option in ("--backend", "--scale", "--seed", "--set", "--report", "--trace", "--format"):
        assert option in done.stdout
