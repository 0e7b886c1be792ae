"""Workflow files: what is read, and how a mistake is named."""

import pytest

from scenarios import workflows
from scenarios.errors import BadInput

GOOD = """
workflow: restart
description: Restarts
version: v1
image: quay.io/x/restart:v1
tasks:
  - name: one
    steps: [{name: a, image: i, duration: 2s}]
  - name: two
    runAfter: [one]
    steps: [{name: b, image: i, duration: {lognormal: {median: 1s, p99: 4s}}}]
"""


def test_a_workflow_becomes_a_pipeline_in_its_own_order() -> None:
    workflow = workflows.parse(GOOD, "restart.yaml")

    tasks = workflow.pipeline()["spec"]["tasks"]

    assert [task["name"] for task in tasks] == ["one", "two"]
    assert tasks[1]["runAfter"] == ["one"]
    assert tasks[0]["taskSpec"]["steps"][0]["computeResources"]["limits"] == {"memory": "128Mi"}


def test_an_execution_asks_for_the_bundle_on_the_target() -> None:
    body = workflows.parse(GOOD, "restart.yaml").execution("we-1", "ops", "payment/Deployment/api")

    assert body["spec"]["targetResource"] == "payment/Deployment/api"
    assert body["spec"]["workflowRef"] == {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": "quay.io/x/restart:v1",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("runAfter: [one]", "runAfter: [two]"), "tasks: two -> two is a cycle; expected an acyclic task graph"),
        (("runAfter: [one]", "runAfter: [three]"), 'task "two" runs after "three"; expected the name of a task'),
        (("duration: 2s", "duration: -2s"), "tasks.0.steps.0.duration: duration '-2s' is negative"),
        (
            ("duration: 2s", "duration: 2s, memory: {peak: lots}"),
            "tasks.0.steps.0.memory.peak: 'lots' is not a quantity",
        ),
        (("version: v1", "verson: v1"), "version: is missing"),
        (("tasks:", "tasks: ["), "line 7: malformed YAML"),
        (("version: v1", "version: v1\nversion: v2"), '"version" is given twice'),
        (("name: one", "name: One_Task"), "tasks.0.name: String should match pattern"),
    ],
    ids=[
        "own cycle",
        "unknown task",
        "negative duration",
        "no quantity",
        "unknown field",
        "malformed",
        "given twice",
        "bad name",
    ],
)
def test_a_mistake_is_one_line_with_file_and_field(change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        workflows.parse(GOOD.replace(*change), "restart.yaml")

    assert str(refused.value).startswith("restart.yaml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_longer_cycle_is_shown_as_a_path() -> None:
    text = GOOD.replace("- name: one\n", "- name: one\n    runAfter: [two]\n")

    with pytest.raises(BadInput, match="one -> two -> one is a cycle"):
        workflows.parse(text, "restart.yaml")


def test_the_catalogue_that_ships_can_be_read() -> None:
    catalogue = workflows.load_folder()

    assert [task.name for task in catalogue["increase-memory"].tasks] == [
        "check-deployment",
        "apply-memory-increase",
        "verify-rollout",
    ]
