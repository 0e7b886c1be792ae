"""The objects that a remediation creates: names, labels, owners, contents."""

import re
from itertools import product
from typing import Any

import pytest

from controller.api.aianalysis import AIAnalysis
from controller.api.workflowexecution import WorkflowExecution
from controller.orchestrator import children
from controller.orchestrator.labels import analysis_name, child_name, execution_name, owner_uid, owning_request

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
SELECTED = {"workflowId": "w", "version": "1", "containerImage": "i"}
LONG = "r" * 253
NAMES = ["rr-1", LONG, "a" * 200 + "." + "b" * 52, "1", "a" * 241 + "-" * 11 + "z"]


def request(name: str = "rr-1", target: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubernaut.ai/v1alpha1",
        "kind": "RemediationRequest",
        "metadata": {"namespace": "ns", "name": name, "uid": f"uid-{name[:9]}"},
        "spec": {
            "signalFingerprint": "a" * 64,
            "signalName": "KubePodCrashLooping",
            "severity": "critical",
            "signalType": "prometheus-alert",
            "targetResource": target or {"kind": "Deployment", "name": "api", "namespace": "pay"},
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("attempt", "analysis", "execution"),
    [
        (0, "ai-rr-1", "we-rr-1"),
        (1, "rr-1-recovery-1", "we-rr-1-recovery-1"),
        (3, "rr-1-recovery-3", "we-rr-1-recovery-3"),
    ],
)
def test_names_say_whose_child_it_is_and_which_attempt(attempt: int, analysis: str, execution: str) -> None:
    assert (analysis_name("rr-1", attempt), execution_name("rr-1", attempt)) == (analysis, execution)


@pytest.mark.parametrize(("name", "attempt"), [*product(NAMES, (0, 2))])
def test_no_name_is_too_long_or_ends_badly(name: str, attempt: int) -> None:
    for child in (analysis_name(name, attempt), execution_name(name, attempt), child_name("nr-manual-review-", name)):
        assert len(child) <= 253
        assert _SUBDOMAIN.fullmatch(child), child


def test_long_names_that_differ_at_their_ends_have_different_children() -> None:
    assert len({execution_name("r" * 252 + end, 1) for end in "abc"}) == 3
    assert len({execution_name(LONG, attempt) for attempt in range(4)}) == 4
    assert len({child_name(prefix, LONG) for prefix in ("nr-bulk-", "nr-approval-")}) == 2


@pytest.mark.parametrize("name", NAMES)
def test_children_carry_valid_labels_and_an_owner_who_takes_them_along(name: str) -> None:
    owner = request(name)
    for child in (children.analysis(owner, 0, ()), children.execution(owner, 0, SELECTED)):
        metadata = child["metadata"]
        assert metadata["namespace"] == "ns"
        assert all(_LABEL.fullmatch(value) for value in metadata["labels"].values()), metadata["labels"]
        assert metadata["ownerReferences"] == [
            {
                "apiVersion": "kubernaut.ai/v1alpha1",
                "kind": "RemediationRequest",
                "name": name,
                "uid": owner["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert owning_request(child) == ("ns", name)
        assert owner_uid(child) == owner["metadata"]["uid"]
    assert children.analysis(owner, 0, ())["metadata"]["labels"]["kubernaut.ai/component"] == "ai-analysis"
    assert (
        children.execution(owner, 0, SELECTED)["metadata"]["labels"]["kubernaut.ai/component"] == "workflow-execution"
    )


def test_what_others_own_is_nobodys_child() -> None:
    for owners in ([], [{"kind": "RemediationRequest", "name": "rr-1", "uid": "u"}], None):
        metadata: dict[str, Any] = {"namespace": "ns", "name": "x"}
        if owners is not None:
            metadata["ownerReferences"] = owners
        assert (owning_request({"metadata": metadata}), owner_uid({"metadata": metadata})) == (None, "")
    deployment = {"kind": "Deployment", "name": "rr-1", "uid": "u", "controller": True}
    assert owning_request({"metadata": {"namespace": "ns", "name": "x", "ownerReferences": [deployment]}}) is None


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"kind": "Deployment", "name": "payment-api", "namespace": "payment"}, "payment/Deployment/payment-api"),
        ({"kind": "StatefulSet", "name": "DB_1.x", "namespace": "pay"}, "pay/StatefulSet/DB_1.x"),
        ({"kind": "Node", "name": "worker-node-1"}, "Node/worker-node-1"),
        ({"kind": "Node", "name": "worker-node-1", "namespace": ""}, "Node/worker-node-1"),
    ],
)
def test_targets_keep_their_casing(target: dict[str, str], text: str) -> None:
    assert children.execution(request(target=target), 0, SELECTED)["spec"]["targetResource"] == text


def test_the_first_analysis_asks_about_the_signal() -> None:
    document = children.analysis(request(), 0, ())
    AIAnalysis.model_validate(document)
    assert document["spec"]["signalContext"] == {
        "fingerprint": "a" * 64,
        "signalName": "KubePodCrashLooping",
        "severity": "critical",
        "signalType": "prometheus-alert",
        "targetResource": {"kind": "Deployment", "name": "api", "namespace": "pay"},
    }
    assert document["spec"]["isRecoveryAttempt"] is False
    assert "previousExecutions" not in document["spec"]


def test_an_execution_has_what_was_selected_and_nothing_else() -> None:
    selected = {**SELECTED, "containerDigest": "sha256:ab", "parameters": {"A": ""}, "confidence": 0.0, "unknown": "x"}
    document = children.execution(request(), 0, selected)
    WorkflowExecution.model_validate(document)
    assert document["spec"]["workflowRef"] == {**SELECTED, "containerDigest": "sha256:ab"}
    assert (document["spec"]["parameters"], document["spec"]["confidence"]) == ({"A": ""}, 0.0)
    assert not {"executionConfig", "rationale", "unknown"} & set(document["spec"])


@pytest.mark.parametrize(
    ("config", "passed"),
    [({"executing": "45m"}, {"timeout": "45m"}), ({"executing": "soon"}, None), ({"executing": ""}, None), ({}, None)],
)
def test_only_a_limit_that_is_a_duration_is_passed_on(config: dict[str, str], passed: Any) -> None:
    document = children.execution(request(timeoutConfig=config), 0, SELECTED)
    assert document["spec"].get("executionConfig") == passed
