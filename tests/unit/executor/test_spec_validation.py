"""Which specs are executed at all, and how the others are told what is wrong."""

from typing import Any

import pytest

from controller.executor.validation import SpecError, validate


def spec(target: str = "payment/Deployment/api", image: str = "reg/wf:1", **config: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"workflowRef": {"containerImage": image}, "targetResource": target}
    if config:
        made["executionConfig"] = config
    return made


@pytest.mark.parametrize(
    "target",
    [
        "payment/Deployment/api",
        "payment/deployment/payment-api",
        "Node/worker-1",
        "node/ip-10-0-0-1.ec2.internal",
        "ClusterRole/system:node",
        "a/StatefulSet/db_0",
    ],
)
def test_namespaced_and_cluster_scoped_targets_of_any_casing_are_accepted(target: str) -> None:
    validate(spec(target))


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("", "targetResource is required"),
        ("api", "got 1 parts: 'api'"),
        ("a/b/c/d", "got 4 parts"),
        ("/Deployment/api", "empty part at position 0 (namespace)"),
        ("payment//api", "empty part at position 1 (kind)"),
        ("payment/Deployment/", "empty part at position 2 (name)"),
        ("Node/", "empty part at position 1 (name)"),
        ("Payment/Deployment/api", "namespace 'Payment' is not"),
        ("pay ment/Deployment/api", "namespace 'pay ment' is not"),
        ("payment/Deploy ment/api", "kind 'Deploy ment' is not"),
        ("payment/Deployment/api\n", "name 'api\\n' is not"),
        ("payment/Deployment/" + "x" * 300, "name 'xxx"),
        ("payment/Deployment/..", "name '..' is not"),
    ],
)
def test_a_bad_target_is_refused_with_its_bad_part(target: str, named: str) -> None:
    with pytest.raises(SpecError) as refusal:
        validate(spec(target))
    assert named in str(refusal.value)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400


def test_a_missing_image_is_told_before_anything_else() -> None:
    with pytest.raises(SpecError, match=r"^workflowRef\.containerImage is required$"):
        validate(spec("nonsense", image=""))


@pytest.mark.parametrize("timeout", ["", "30", "-5m", "0s", "half an hour", "5 m", "1d"])
def test_a_timeout_that_is_no_positive_duration_is_refused(timeout: str) -> None:
    with pytest.raises(SpecError, match=r"executionConfig\.timeout"):
        validate(spec(timeout=timeout))


def test_a_service_account_must_be_a_name() -> None:
    validate(spec(serviceAccountName="runner"))
    with pytest.raises(SpecError, match=r"executionConfig\.serviceAccountName"):
        validate(spec(serviceAccountName="run ner"))
