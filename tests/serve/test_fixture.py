"""The pytest fixture: a cluster for whoever tests a client of it."""

import json
import urllib.request
from typing import Any

import pytest

from scenarios import workflows
from scenarios.remediation import signals
from scenarios.serving.fixture import KubernetesServer

WFE = "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/workflowexecutions"


def ask(server: KubernetesServer, method: str, path: str, body: Any = None, media: str = "application/json") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {server.token}", "content-type": media}
    with urllib.request.urlopen(
        urllib.request.Request(server.url + path, data, headers, method=method), timeout=30
    ) as answer:
        return json.load(answer)


def execution() -> Any:
    return workflows.load_folder()["increase-memory"].execution(
        "demo", "kubernaut-system", "payment/Deployment/payment-api"
    )


@pytest.mark.kubernetes_server(speed=0)
def test_time_passes_as_the_test_says(kubernetes_server: KubernetesServer) -> None:
    ask(kubernetes_server, "POST", WFE, execution())

    completed = kubernetes_server.until("wfe/demo phase=Completed", within="1h")

    found = ask(kubernetes_server, "GET", f"{WFE}/demo")
    assert completed
    assert found["status"]["phase"] == "Completed"
    assert found["metadata"]["creationTimestamp"].startswith("2026-01-05T08:")


@pytest.mark.kubernetes_server(speed=0, without="we")
def test_a_part_that_is_left_out_is_played_by_nobody(kubernetes_server: KubernetesServer) -> None:
    ask(kubernetes_server, "POST", WFE, execution())

    kubernetes_server.step("10m")

    assert "status" not in ask(kubernetes_server, "GET", f"{WFE}/demo")


@pytest.mark.kubernetes_server(speed=0, without="tekton")
def test_without_tekton_a_run_waits_for_whoever_plays_it(kubernetes_server: KubernetesServer) -> None:
    ask(kubernetes_server, "POST", WFE, execution())

    assert kubernetes_server.until("pipelinerun/wfe-cf0cc089293b1165 exists", within="1m") is False
    kubernetes_server.step("10m")
    runs = ask(kubernetes_server, "GET", "/apis/tekton.dev/v1/pipelineruns")["items"]

    assert len(runs) == 1
    assert not (runs[0].get("status") or {}).get("conditions")


def test_the_kubeconfig_leads_to_it(kubernetes_server: KubernetesServer) -> None:
    text = kubernetes_server.kubeconfig.read_text()

    assert kubernetes_server.url in text
    assert kubernetes_server.token in text


@pytest.mark.kubernetes_server(speed=0, with_="gc")
def test_with_nobody_to_play_it_is_an_api_server_and_nothing_else(kubernetes_server: KubernetesServer) -> None:
    nodes = ask(kubernetes_server, "GET", "/api/v1/nodes")["items"]
    definitions = ask(kubernetes_server, "GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    ask(kubernetes_server, "POST", "/api/v1/namespaces/default/pods", pod)
    kubernetes_server.step("1h")

    assert (nodes, definitions) == ([], [])
    assert ask(kubernetes_server, "GET", "/api/v1/namespaces/default/pods/p")["status"]["phase"] == "Pending"


AIA = "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/aianalyses"


@pytest.mark.kubernetes_server(speed=0, without="ro")
def test_the_analyst_answers_an_orchestrator_from_outside(kubernetes_server: KubernetesServer) -> None:
    ask(kubernetes_server, "POST", AIA, analysis())

    kubernetes_server.step("1h")

    assert ask(kubernetes_server, "GET", f"{AIA}/asked")["status"]["phase"] in ("Completed", "Failed")


@pytest.mark.kubernetes_server(speed=0, without="ro,people")
def test_the_analyst_can_be_left_out_as_well(kubernetes_server: KubernetesServer) -> None:
    ask(kubernetes_server, "POST", AIA, analysis())

    kubernetes_server.step("1h")

    assert "status" not in ask(kubernetes_server, "GET", f"{AIA}/asked")


def analysis() -> Any:
    """As little as an analysis may say."""
    target = {"kind": "Deployment", "name": "payment-api", "namespace": "payment"}
    signal = {"fingerprint": "f", "severity": "critical", "signalName": "S", "signalType": "alert"}
    return {
        "apiVersion": "kubernaut.ai/v1alpha1",
        "kind": "AIAnalysis",
        "metadata": {"name": "asked"},
        "spec": {"remediationRequestRef": {}, "signalContext": {**signal, "targetResource": target}},
    }


@pytest.mark.parametrize("status", [{"phase": "Failed"}, {"phase": "Completed"}], ids=lambda status: status["phase"])
@pytest.mark.kubernetes_server(speed=0, without="we")
def test_an_executor_from_outside_may_say_little(kubernetes_server: KubernetesServer, status: dict[str, str]) -> None:
    request = signals.body("rr", "payment/Deployment/payment-api", "first")
    ask(kubernetes_server, "POST", WFE.replace("workflowexecutions", "remediationrequests"), request)
    assert kubernetes_server.until("wfe/we-rr exists", within="10m")

    told = ask(kubernetes_server, "PATCH", f"{WFE}/we-rr/status", {"status": status}, "application/merge-patch+json")

    assert told["status"] == status
    assert kubernetes_server.until(f"rr/rr overallPhase={status['phase']}", within="1h")


@pytest.mark.kubernetes_server(speed=0, without="ro")
def test_who_is_refused_by_a_policy_takes_it_as_the_answer(
    kubernetes_server: KubernetesServer, caplog: pytest.LogCaptureFixture
) -> None:
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["aianalyses/status"]}
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false"}]}
    registration = "/apis/admissionregistration.k8s.io/v1"
    for plural, spec in (
        ("validatingadmissionpolicies", policy),
        ("validatingadmissionpolicybindings", {"policyName": "no", "validationActions": ["Deny"]}),
    ):
        ask(kubernetes_server, "POST", f"{registration}/{plural}", {"metadata": {"name": "no"}, "spec": spec})
    ask(kubernetes_server, "POST", AIA, analysis())

    kubernetes_server.step("1h")

    assert "status" not in ask(kubernetes_server, "GET", f"{AIA}/asked")
    assert "aianalysis-controller was refused" in caplog.text
