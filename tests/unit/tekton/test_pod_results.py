"""What steps leave behind: results of Tasks and steps, messages that cannot be read, and what is said of them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from task_stage import STEP, TaskStage

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.gojson import complaint
from sim.tekton.version import V1_7, V1_15, Version

BOTH = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)


def message(*entries: tuple[str, str, int]) -> str:
    return json.dumps([{"key": key, "value": value, "type": kind} for key, value, kind in entries])


def finished(stage: TaskStage, text: str, declared: Sequence[Document], **step: Any) -> None:
    stage.start({"steps": [{**STEP, **step}], "results": declared})
    stage.play("Succeeded", {"step-a": stage.ended(message=text)})


def test_results_are_told_by_name_and_of_one_name_the_last_counts() -> None:
    with TaskStage() as stage:
        finished(stage, message(("b", "1", 1), ("a", "2", 1), ("b", "3", 1)), [{"name": "a"}, {"name": "b"}])
        assert stage.status()["results"] == [
            {"name": "a", "type": "string", "value": "2"},
            {"name": "b", "type": "string", "value": "3"},
        ]


def test_lists_and_objects_are_read_as_their_declarations_ask() -> None:
    with TaskStage() as stage:
        declared = [
            {"name": "l", "type": "array"},
            {"name": "o", "type": "object", "properties": {"k": {"type": "string"}}},
            {"name": "t"},
        ]
        finished(stage, message(("l", '["x"]', 1), ("o", '{"k":"v"}', 1), ("t", '["x"]', 1)), declared)
        assert [one["value"] for one in stage.status()["results"]] == [["x"], {"k": "v"}, '["x"]']


@BOTH
def test_a_result_of_another_type_than_declared_fails_the_task_run_although_its_steps_succeeded(
    version: Version,
) -> None:
    with TaskStage(version) as stage:
        finished(stage, message(("l", "x", 1), ("t", "y", 1)), [{"name": "l", "type": "array"}, {"name": "t"}])
        text = (
            "Provided results don't match declared results; may be invalid JSON or missing result declaration: "
            ' "l": task result is expected to be "array" type but was initialized to a different type "string"'
        )
        assert stage.outcome() == ("False", "TaskRunValidationFailed", f"[User error] {text}")
        assert stage.status()["results"] == [{"name": "t", "type": "string", "value": "y"}]
        assert ("InternalError", text) in stage.told()


@BOTH
def test_an_object_result_without_one_of_its_keys_fails_the_task_run(version: Version) -> None:
    with TaskStage(version) as stage:
        declared = [{"name": "o", "type": "object", "properties": {"k": {}, "m": {}}}]
        finished(stage, message(("o", '{"k":"v"}', 1)), declared)
        assert stage.outcome()[1:] == (
            "TaskRunValidationFailed",
            "[User error] missing keys for these results which are required in TaskResult's properties map[o:[m]]",
        )


def test_results_of_a_step_are_told_with_the_step_and_become_the_tasks_where_it_says_so() -> None:
    with TaskStage() as stage:
        declared = [{"name": "out", "value": "$(steps.a.results.r)"}]
        finished(stage, message(("r", "42", 4)), declared, results=[{"name": "r"}])
        assert stage.status()["steps"][0]["results"] == [{"name": "r", "type": "string", "value": "42"}]
        assert stage.status()["results"] == [{"name": "out", "type": "string", "value": "42"}]


@BOTH
def test_a_message_that_is_no_json_stays_as_it_is_and_is_an_error_of_the_reconcile(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start()
        text = "OCI runtime create failed: " + 300 * "x"
        stage.play("Failed", {"step-a": stage.ended(128, text, reason="StartError")})
        assert stage.outcome()[2] == '"step-a" exited with code 128: StartError'
        step = stage.status()["steps"][0]
        assert step["terminated"]["message"] == text
        assert "terminationReason" not in step
        quoted = f"{text[:256]}...(truncated)" if version is V1_15 else text
        wrong = "parsing message json: invalid character 'O' looking for beginning of value"
        assert ("InternalError", f"{wrong}, msg: {quoted}") in stage.told()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unexpected end of JSON input"),
        ("failed", "invalid character 'i' in literal false (expecting 'l')"),
        ("[1", "unexpected end of JSON input"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[] x", "invalid character 'x' after top-level value"),
        ("tru", "unexpected end of JSON input"),
        ("error", "invalid character 'e' looking for beginning of value"),
    ],
)
def test_complaints_about_json_are_gos(text: str, said: str) -> None:
    assert complaint(text) == said


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ('{"key":"a"}', "cannot unmarshal object into Go value of type []result.RunResult"),
        ('["x"]', "cannot unmarshal string into Go value of type result.RunResult"),
        ('[{"key":1}]', "cannot unmarshal number into Go struct field RunResult.key of type string"),
    ],
)
def test_json_of_another_shape_is_no_message(entries: str, said: str) -> None:
    with pytest.raises(termination.Unreadable, match="parsing message json: json: ") as raised:
        termination.parse(entries)
    assert said in str(raised.value)


def test_the_entrypoints_own_entries_are_checked_and_never_shown() -> None:
    read = termination.parse(message(("StartedAt", "noon", 3), ("ExitCode", "many", 3), ("r", "<1>", 1)))
    assert read.started_at == ""
    assert read.exit_code is None
    assert [fault.partition(":")[0] for fault in read.faults] == [
        'could not parse time value "noon" in StartedAt field',
        'could not parse int value "many" in ExitCode field',
    ]
    assert read.rest == '[{"key":"r","value":"\\u003c1\\u003e","type":1}]'


def test_a_start_in_another_time_zone_is_told_in_utc() -> None:
    assert termination.parse(message(("StartedAt", "2026-01-05T10:00:00.250+02:00", 3))).started_at == (
        "2026-01-05T08:00:00Z"
    )
