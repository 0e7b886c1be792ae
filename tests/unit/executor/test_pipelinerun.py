"""The PipelineRun that an execution becomes."""

import re
from typing import Any

import pytest

from controller.api.labels import label_value
from controller.api.lock import lock_name
from controller.executor.labels import Owner, execution_key, owner
from controller.executor.pipelinerun import build
from controller.executor.settings import Settings

LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def execution(name: str = "we-1", target: str = "payment/deployment/payment-api", **spec: Any) -> dict[str, Any]:
    workflow = {"workflowId": "restart", "version": "1", "containerImage": "reg/wf:1"}
    return {
        "metadata": {"name": name, "namespace": "kubernaut-system", "uid": "uid-1"},
        "spec": {"workflowRef": workflow, "targetResource": target, **spec},
    }


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("payment/deployment/payment-api", "wfe-cf0cc089293b1165"),
        ("payment/Deployment/payment-api", "wfe-7c240c08fe7f0cc3"),
        ("node/worker-node-1", "wfe-ac45b7d6911e97a5"),
        ("production/deployment/payment-api", "wfe-fbb8266ac354e9c2"),
    ],
)
def test_the_name_is_a_digest_of_the_target_as_it_is_cased(target: str, name: str) -> None:
    assert lock_name(target) == name


def test_the_bundle_is_resolved_as_a_pipeline_called_workflow() -> None:
    reference = build(execution(), Settings())["spec"]["pipelineRef"]
    assert reference["resolver"] == "bundles"
    assert {each["name"]: each["value"] for each in reference["params"]} == {
        "bundle": "reg/wf:1",
        "name": "workflow",
        "kind": "pipeline",
    }


def test_parameters_go_byte_for_byte_and_the_target_is_added() -> None:
    given = {"Mixed_Case": " a\tb\n", "empty": "", "UNICODE": "é\u202e"}
    params = build(execution(parameters=given), Settings())["spec"]["params"]
    assert {each["name"]: each["value"] for each in params} == {
        **given,
        "TARGET_RESOURCE": "payment/deployment/payment-api",
    }


def test_a_target_that_the_user_gave_is_not_given_twice() -> None:
    params = build(execution(parameters={"TARGET_RESOURCE": "mine"}), Settings())["spec"]["params"]
    assert params == [{"name": "TARGET_RESOURCE", "value": "mine"}]


def test_it_has_no_owner_reference_and_lives_in_the_execution_namespace() -> None:
    metadata = build(execution(), Settings(execution_namespace="runs"))["metadata"]
    assert metadata["namespace"] == "runs"
    assert "ownerReferences" not in metadata


def test_labels_are_valid_and_the_exact_target_is_annotated() -> None:
    target = "payment/deployment/" + "very-long-" * 8 + "_"
    metadata = build(execution(target=target), Settings())["metadata"]
    assert set(metadata["labels"]) == {
        "kubernaut.ai/workflow-execution",
        "kubernaut.ai/workflow-id",
        "kubernaut.ai/source-namespace",
        "kubernaut.ai/target-resource",
    }
    assert all(LABEL.fullmatch(value) for value in metadata["labels"].values())
    assert metadata["annotations"]["kubernaut.ai/target-resource"] == target
    short = build(execution(), Settings())["metadata"]["labels"]
    assert short["kubernaut.ai/target-resource"] == "payment__deployment__payment-api"


@pytest.mark.parametrize("text", ["", "a", "/", "//a//", "ä/ö", "x" * 64, "a/" * 40, "-.-", "a b", "ends-with-"])
def test_any_text_becomes_a_valid_label_value(text: str) -> None:
    assert LABEL.fullmatch(label_value(text))


def test_texts_that_are_cut_stay_apart() -> None:
    assert label_value("x" * 80 + "1") != label_value("x" * 80 + "2")


def test_a_name_too_long_for_a_label_is_still_recognised_and_found() -> None:
    long = execution(name="we-" + "n" * 200)
    run = build(long, Settings())
    assert owner(run, long) is Owner.OURS
    assert execution_key(run) == ("kubernaut-system", "we-" + "n" * 200)


def test_ownership_needs_both_labels_and_never_another_uid() -> None:
    run = build(execution(), Settings())
    assert owner(run, execution()) is Owner.OURS
    assert owner(run, execution(name="we-2")) is Owner.OTHER
    elsewhere = {**execution(), "metadata": {**execution()["metadata"], "namespace": "other"}}
    assert owner(run, elsewhere) is Owner.OTHER
    reborn = {**execution(), "metadata": {**execution()["metadata"], "uid": "uid-2"}}
    assert owner(run, reborn) is Owner.FORMER
    bare = {"metadata": {"name": run["metadata"]["name"], "labels": run["metadata"]["labels"]}}
    assert owner(bare, execution()) is Owner.OURS
    assert owner({"metadata": {"name": "x"}}, execution()) is Owner.OTHER
