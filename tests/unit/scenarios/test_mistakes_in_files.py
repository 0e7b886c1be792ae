"""Mistakes in feature files, workload files and settings: each is one line naming the place and the expected form."""

from pathlib import Path

import pytest

from scenarios import catalogue, gherkin, settings, workflows, workload
from scenarios.errors import BadInput
from scenarios.record import Recording

WORKLOAD = """
name: mine
description: Three requests
arrivals: {fixed: {per_second: 1, count: 3}}
targets: 3
workflows: {restart-deployment: 1}
"""


def said_of_feature(path: Path, text: str) -> str:
    (path / "mine.feature").write_text(text)
    with pytest.raises(BadInput) as refused:
        gherkin.read(path / "mine.feature")
    return str(refused.value).removeprefix(f"{path}/")


def said_of_workload(path: Path, text: str) -> str:
    (path / "mine.yaml").write_text(text)
    with pytest.raises(BadInput) as refused:
        workload.read(path / "mine.yaml", ())
    return str(refused.value).removeprefix(f"{path}/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.feature: holds no feature; expected a Gherkin feature"),
        ("Feature: Mine\n", "mine.feature: holds no scenario; expected at least one scenario"),
        (
            "Feature: Mine\n  Scenario: Idle\n",
            "mine.feature line 2: a scenario without steps; expected at least one step",
        ),
        (
            "Feature: Mine\n  Scenario: A\n    When 1 second passes\n  Scenario: A\n    When 2 seconds pass\n",
            'mine.feature line 4: a second scenario "A"; expected a name of its own for each scenario',
        ),
        (
            "Feature: Mine\n  Scenario: A\n    When 1 second passes\n"
            "  Rule: R\n    Scenario: A\n      When 2 seconds pass\n",
            'mine.feature line 5: a second scenario "A"; expected a name of its own for each scenario',
        ),
    ],
)
def test_a_feature_of_which_something_would_be_passed_over_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said_of_feature(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.yaml: is empty; expected a mapping"),
        (WORKLOAD.replace("name: mine", "name: ''"), "mine.yaml: name: "),
        (WORKLOAD.replace("targets: 3\n", ""), "mine.yaml: targets: is missing"),
        (WORKLOAD + "size: 3", "mine.yaml: size: unknown; expected one of name, description, arrivals, targets, "),
        (WORKLOAD + "outcomes: [{kind: 1}]", "mine.yaml: outcomes.0.step: is missing"),
        (WORKLOAD + "settings: 5", "mine.yaml: settings: expected a mapping, not 5"),
        (WORKLOAD + "settings: {tekton: {speed: 5}}", "mine.yaml settings: tekton.speed: unknown; expected one of v"),
        (WORKLOAD + "completes: 0", "mine.yaml: the file: completes is 0 and there are no outcomes"),
        (
            WORKLOAD + "outcomes: [{step: dance, trouble: never ends, weight: 1}]",
            'mine.yaml: outcomes.0.step: no step is called "dance"; there are: kubectl-get, ',
        ),
        (
            WORKLOAD + "outcomes: [&a {step: prepare, trouble: never ends, weight: 1}, *a]",
            'mine.yaml: the file: outcomes: "prepare" never ends is there twice; expected one weight for each',
        ),
        (
            WORKLOAD + "outcomes: [{step: prepare, trouble: never ends, weight: .inf}]",
            "mine.yaml: outcomes.0.weight: Input should be a finite number",
        ),
        (WORKLOAD + "expect: ['p95 of \"lunch\" is below 3s']", 'mine.yaml: expect.0: unknown timing "lunch"'),
        (
            WORKLOAD + "expect: ['most of \"creation to running\" is below 3s']",
            'mine.yaml: expect.0: unknown statistic "most"',
        ),
    ],
)
def test_a_mistake_in_a_workload_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    assert said_of_workload(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("cluster.cpu=many", "cluster.cpu: 'many' is not a quantity"),
        ("cluster.memory=-1Gi", "cluster.memory: quantity '-1Gi' is negative"),
        ("executor.cooldown=0s", "executor.cooldown: expected a duration above 0"),
        ("executor.pause=1s", "executor.pause: unknown; expected one of cooldown, workers, restart"),
        ("api.delay=1s", "api.delay: unknown; expected one of read, write, update, requestShare, watchLag"),
        ("cluster=5", "cluster: expected a mapping, not 5"),
        ("tekton.qps=.inf", "tekton.qps: Input should be a finite number"),
        ("executor..workers=1", '--set: "executor..workers=1" is not an assignment'),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(override: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        settings.parse({}, [override], "settings")

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "mine.yaml: is not UTF-8 text (invalid start byte); expected a YAML file"),
        (b"[" * 50_000, "mine.yaml: nested too deeply; expected a few levels"),
        (b"name: 2026-99-99", "mine.yaml: malformed YAML (month must be in 1..12)"),
    ],
    ids=["bytes", "deep", "no date"],
)
def test_a_file_that_cannot_be_yaml_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)

    with pytest.raises(BadInput) as refused:
        workload.read(tmp_path / "mine.yaml", ())

    assert str(refused.value) == f"{tmp_path}/{said}"


def test_a_workflow_that_cannot_be_read_is_refused_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "own.yaml").write_bytes(b"\xff")

    assert said_of_workload(tmp_path, WORKLOAD).startswith("workflows/own.yaml: is not UTF-8 text")


def test_a_folder_is_searched_for_workloads_but_not_among_its_workflows(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "own.yaml").write_text("workflow: own")
    (tmp_path / "mine.yaml").write_text(WORKLOAD)

    assert catalogue.find([str(tmp_path)]).workloads == [tmp_path / "mine.yaml"]


def test_a_number_of_cores_may_be_written_as_a_number() -> None:
    assert settings.parse({}, ["cluster.cpu=16"], "settings").cluster.cpu == "16"


def test_a_workflow_that_needs_less_than_no_memory_is_refused() -> None:
    text = (workflows.FOLDER / "scale-out.yaml").read_text()
    text += "        memory: {limit: -1Mi}\n"

    with pytest.raises(BadInput, match=r"memory.limit: quantity '-1Mi' is negative"):
        workflows.parse(text, "mine.yaml")


def test_a_record_that_cannot_be_put_in_its_place_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").mkdir()

    with pytest.raises(BadInput, match=r"record\.jsonl: cannot be written \(Is a directory\)"):
        Recording().write(tmp_path / "record.jsonl")

    assert [path.name for path in tmp_path.iterdir()] == ["record.jsonl"]
