"""What is asked under a pod or a workload: evictions, bindings, logs, connections, scale."""

from typing import Any

import pytest
from asking import TABLE, Client
from core_world import World

from sim.apiserver.rest.rest import Response

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MERGE = {"content-type": "application/merge-patch+json"}
CONTAINERS = [{"name": "c", "image": "i"}]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.server)


def _body(answer: Response) -> Any:
    return answer.body


def _pod(client: Client, name: str = "p", phase: str = "Running", **spec: Any) -> None:
    client.post(PODS, {"metadata": {"name": name, "labels": {"app": "a"}}, "spec": {"containers": CONTAINERS, **spec}})
    client.ask("PATCH", f"{PODS}/{name}/status", {"status": {"phase": phase}}, headers=MERGE)


def _evict(client: Client, name: str = "p", **query: str) -> Response:
    return client.ask("POST", f"{PODS}/{name}/eviction", {"metadata": {"name": name}}, **query)


def _budget(client: Client, name: str = "b", **status: Any) -> None:
    client.post(
        BUDGETS, {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}}
    )
    if status:
        answer = client.ask("PATCH", f"{BUDGETS}/{name}/status", {"status": status}, headers=MERGE)
        assert answer.status == 200, answer.body


def test_an_eviction_deletes_the_pod(world: World, client: Client) -> None:
    _pod(client)
    assert _evict(client, dryRun="All").status == 201
    assert world.exists(world.pods, "p")
    assert _body(_evict(client))["status"] == "Success"
    assert not world.exists(world.pods, "p")
    assert _evict(client).status == 404


def test_an_eviction_of_another_name_is_400(client: Client) -> None:
    _pod(client)
    answer = client.ask("POST", f"{PODS}/p/eviction", {"metadata": {"name": "q"}})
    assert (answer.status, _body(answer)["message"]) == (400, "name in URL does not match name in Eviction object")


def test_a_budget_nobody_has_looked_at_yet_puts_evictions_off(client: Client) -> None:
    _pod(client)
    _budget(client)
    answer = _evict(client)
    assert (answer.status, answer.headers["retry-after"]) == (429, "10")
    assert _body(answer)["details"]["causes"] == [
        {"reason": "DisruptionBudget", "message": "The disruption budget b is still being processed by the server."}
    ]


def test_a_spent_budget_refuses_and_says_what_it_needs(client: Client) -> None:
    _pod(client)
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    client.ask("PATCH", f"{PODS}/p/status", {"status": ready}, headers=MERGE)
    _budget(client, observedGeneration=1, disruptionsAllowed=0, desiredHealthy=2, currentHealthy=2, expectedPods=2)
    answer = _evict(client)
    assert answer.status == 429
    assert "retry-after" not in answer.headers
    cause = _body(answer)["details"]["causes"][0]["message"]
    assert cause == "The disruption budget b needs 2 healthy pods and has 2 currently"


def test_an_eviction_is_paid_from_the_budget(client: Client) -> None:
    _pod(client)
    _budget(client, observedGeneration=1, disruptionsAllowed=1, desiredHealthy=0, currentHealthy=2, expectedPods=2)
    assert _evict(client).status == 201
    status = client.get(f"{BUDGETS}/b")["status"]
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["p"]


def test_two_budgets_for_one_pod_are_an_error(client: Client) -> None:
    _pod(client)
    _budget(client)
    _budget(client, "other")
    assert _evict(client).status == 500


def test_pods_that_do_not_run_are_under_no_budget(client: Client) -> None:
    _pod(client, phase="Pending")
    _budget(client)
    assert _evict(client).status == 201


def test_a_binding_gives_a_pod_its_node_once(client: Client) -> None:
    _pod(client, phase="Pending")
    body = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    assert client.ask("POST", f"{PODS}/p/binding", body).status == 201
    pod = client.get(f"{PODS}/p")
    assert pod["spec"]["nodeName"] == "n"
    assert {"PodScheduled": "True"}.items() <= {
        one["type"]: one["status"] for one in pod["status"]["conditions"]
    }.items()
    again = client.ask("POST", f"{PODS}/p/binding", body)
    assert again.status == 409
    assert _body(again)["message"].endswith('pod p is already assigned to node "n"')


def test_an_unscheduled_pod_has_no_log_and_no_one_to_connect_to(client: Client) -> None:
    _pod(client, phase="Pending")
    assert (client.ask("GET", f"{PODS}/p/log").status, client.ask("GET", f"{PODS}/p/log").body) == (204, "")
    refused = client.ask("POST", f"{PODS}/p/exec", command="ls")
    assert (refused.status, _body(refused)["message"]) == (400, "pod p does not have a host assigned")


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ({"container": "x"}, 400, "container x is not valid for pod p"),
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"tailLines": "x"}, 400, 'parsing "x": invalid syntax'),
        ({"previous": "true"}, 400, 'previous terminated container "c" in pod "p" not found'),
    ],
)
def test_a_log_that_cannot_be_is_refused_with_the_reason(
    client: Client, query: dict[str, str], status: int, text: str
) -> None:
    client.rest.logs = lambda *_: "never"
    _pod(client, nodeName="n")
    answer = client.ask("GET", f"{PODS}/p/log", **query)
    assert answer.status == status
    assert text in _body(answer)["message"]


def test_a_log_is_plain_text_of_whoever_reads_it(client: Client) -> None:
    asked: list[Any] = []
    client.rest.logs = lambda *call: asked.append(call[1:]) or "one\n"  # type: ignore[func-returns-value]
    _pod(client, nodeName="n")
    answer = client.ask("GET", f"{PODS}/p/log", tailLines="5")
    assert (answer.body, answer.headers["content-type"]) == ("one\n", "text/plain")
    assert asked == [("default", "p", "", 5, None)]
    assert client.as_("nobody").ask("GET", f"{PODS}/p/log").status == 403


def test_a_pod_of_several_containers_wants_one_named(client: Client) -> None:
    two = [*CONTAINERS, {"name": "d", "image": "i"}]
    client.post(
        PODS, {"metadata": {"name": "p"}, "spec": {"containers": two, "initContainers": [{"name": "i", "image": "i"}]}}
    )
    message = _body(client.ask("GET", f"{PODS}/p/log"))["message"]
    assert message.endswith("choose one of: [c d] or one of the init containers: [i]")


def _deployment(client: Client) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": CONTAINERS}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    client.post(DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": spec})


def test_a_scale_shows_and_sets_the_number_of_replicas(client: Client) -> None:
    _deployment(client)
    scale = client.get(f"{DEPLOYMENTS}/d/scale")
    assert (scale["apiVersion"], scale["spec"], scale["status"]) == (
        "autoscaling/v1",
        {"replicas": 2},
        {"replicas": 0, "selector": "app=a"},
    )
    patched = client.ask("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 0}}, headers=MERGE)
    assert _body(patched)["spec"] == {}
    put = client.ask("PUT", f"{DEPLOYMENTS}/d/scale", {**scale, "metadata": {"name": "d"}, "spec": {"replicas": 5}})
    assert _body(put)["spec"] == {"replicas": 5}
    deployment = client.get(f"{DEPLOYMENTS}/d")
    assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (5, 3)
    assert client.get(f"{DEPLOYMENTS}/d/scale", accept=TABLE)["rows"][0]["cells"] == ["d", 5, 0, "0s"]


def test_a_scale_tried_out_changes_nothing(client: Client) -> None:
    _deployment(client)
    tried = client.ask("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 7}}, headers=MERGE, dryRun="All")
    assert _body(tried)["spec"] == {"replicas": 7}
    assert client.get(f"{DEPLOYMENTS}/d")["spec"]["replicas"] == 2


def test_a_stale_scale_is_a_conflict_and_a_negative_one_invalid(client: Client) -> None:
    _deployment(client)
    scale = client.get(f"{DEPLOYMENTS}/d/scale")
    client.ask("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 3}}, headers=MERGE)
    assert client.ask("PUT", f"{DEPLOYMENTS}/d/scale", scale).status == 409
    negative = client.ask("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": -1}}, headers=MERGE)
    assert negative.status == 422
    assert client.ask("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": "x"}}, headers=MERGE).status == 400
    assert client.ask("GET", f"{DEPLOYMENTS}/none/scale").status == 404


def test_a_custom_kind_is_scaled_where_its_definition_says() -> None:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}},
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"plural": "farms", "kind": "Farm"}
    spec = {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [version]}
    world = World()
    farms = world.server.install_crd({"metadata": {"name": "farms.example.org"}, "spec": spec})
    world.create(farms, "f", spec={})
    client, path = Client(world.server), "/apis/example.org/v1/namespaces/default/farms/f/scale"
    missing = client.ask("GET", path)
    assert (missing.status, _body(missing)["reason"]) == (500, "InternalError")
    empty = client.ask("PATCH", path, {"metadata": {}}, headers=MERGE)
    assert (empty.status, _body(empty)["message"]) == (400, 'the spec replicas field ".spec.size" cannot be empty')
    assert client.ask("PATCH", path, {"spec": {"replicas": 3}}, headers=MERGE).status == 200
    assert world.get(farms, "f")["spec"] == {"size": 3}
    assert client.ask("PUT", path, {"spec": {"replicas": 4}}).status == 400
    assert client.get(path)["spec"] == {"replicas": 3}
