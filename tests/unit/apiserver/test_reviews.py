"""Asking the server about rights and identities: access reviews, tokens, acting as someone else."""

from typing import Any

import pytest
from asking import NOBODY, Client
from core_world import World

from sim.apiserver.identity import ADMIN

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
READ_PODS = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.server)


def _message(answer: Any) -> str:
    return str(answer.body["message"])


def _allow(client: Client, user: str, verb: str, resource: str, group: str = "", **rule: Any) -> None:
    name = f"{verb}-{resource}".replace(":", "-").replace("/", "-")
    rules = [{"apiGroups": [group], "resources": [resource], "verbs": [verb], **rule}]
    client.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
    client.post(f"{RBAC}/clusterrolebindings", {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects})


def test_one_learns_what_one_may(client: Client) -> None:
    path = f"{AUTHORIZATION}/selfsubjectaccessreviews"
    assert client.post(path, {"spec": READ_PODS})["status"] == {"allowed": True}
    assert client.as_("nobody").post(path, {"spec": READ_PODS})["status"] == {"allowed": False}


def test_the_reason_names_the_binding(client: Client) -> None:
    _allow(client, "nobody", "get", "pods")
    status = client.as_("nobody").post(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": READ_PODS})["status"]
    assert status["allowed"] is True
    assert status["reason"].endswith('ClusterRoleBinding "get-pods" of ClusterRole "get-pods" to User "nobody"')


def test_a_binding_to_no_role_is_told_as_the_reason_of_a_refusal(client: Client) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "gone"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}]
    client.post(f"{RBAC}/clusterrolebindings", {"metadata": {"name": "b"}, "roleRef": reference, "subjects": subjects})
    status = client.as_("nobody").post(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": READ_PODS})["status"]
    assert status == {"allowed": False, "reason": 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'}


def test_rights_to_paths_are_reviewed_too(client: Client) -> None:
    spec = {
        "user": "x",
        "groups": ["system:authenticated"],
        "nonResourceAttributes": {"verb": "get", "path": "/version"},
    }
    assert client.post(f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})["status"]["allowed"] is True
    spec["nonResourceAttributes"] = {"verb": "get", "path": "/metrics"}
    assert client.post(f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})["status"]["allowed"] is False


def test_a_subresource_is_a_right_of_its_own(client: Client) -> None:
    _allow(client, "nobody", "get", "pods/log")
    of_log = {"resourceAttributes": {**READ_PODS["resourceAttributes"], "subresource": "log"}}
    path = f"{AUTHORIZATION}/selfsubjectaccessreviews"
    assert client.as_("nobody").post(path, {"spec": of_log})["status"]["allowed"] is True
    assert client.as_("nobody").post(path, {"spec": READ_PODS})["status"]["allowed"] is False


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (
            {"user": "x"},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified",
        ),
        (
            {"user": "x", **READ_PODS, "nonResourceAttributes": {"verb": "get", "path": "/"}},
            'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination '
            "with resourceAttributes",
        ),
        (READ_PODS, 'spec.user: Invalid value: "": at least one of user or group must be specified'),
    ],
)
def test_a_review_that_asks_nothing_clear_is_422(client: Client, spec: dict[str, Any], complaint: str) -> None:
    answer = client.ask("POST", f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})
    assert answer.status == 422
    assert _message(answer) == f'.authorization.k8s.io "" is invalid: {complaint}'


def test_metadata_of_nulls_is_no_metadata(client: Client) -> None:
    body = {"metadata": {"creationTimestamp": None}, "spec": READ_PODS}
    assert client.post(f"{AUTHORIZATION}/selfsubjectaccessreviews", body)["metadata"] == {}


def test_a_review_of_another_kind_is_400(client: Client) -> None:
    body = {"kind": "Pod", "apiVersion": "v1", "spec": {}}
    answer = client.ask("POST", f"{AUTHORIZATION}/selfsubjectaccessreviews", body)
    assert answer.status == 400
    assert "cannot be handled as a SelfSubjectAccessReview" in _message(answer)


def test_all_rights_in_a_namespace_are_listed(client: Client) -> None:
    _allow(client, "nobody", "get", "pods", resourceNames=["p"])
    nobody = client.as_("nobody")
    status = nobody.post(f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})["status"]
    own = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["p"]}
    assert own in status["resourceRules"]
    assert status["incomplete"] is False
    assert any("/version" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    everything = client.post(f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})["status"]
    assert everything["resourceRules"][0] == {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    assert nobody.ask("POST", f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {}}).status == 400


def test_one_learns_who_one_is(client: Client) -> None:
    info = client.as_("nobody").post(f"{AUTHENTICATION}/selfsubjectreviews", {})["status"]["userInfo"]
    assert info == {"username": "nobody", "uid": "nobody-uid", "groups": ["system:authenticated"]}


def test_a_token_review_knows_the_tokens_of_the_file_and_no_others(client: Client) -> None:
    path = f"{AUTHENTICATION}/tokenreviews"
    status = client.post(path, {"spec": {"token": "nobody"}})["status"]
    assert (status["authenticated"], status["user"]["username"]) == (True, "nobody")
    unknown = client.post(path, {"spec": {"token": "odd"}})["status"]
    assert unknown == {"user": {}, "error": "invalid bearer token"}
    elsewhere = client.post(path, {"spec": {"token": "nobody", "audiences": ["elsewhere"]}})["status"]
    assert "authenticated" not in elsewhere
    assert client.ask("POST", path, {"spec": {}}).status == 400


def test_a_requested_token_is_its_accounts_identity_until_it_expires(world: World, client: Client) -> None:
    client.post(ACCOUNTS, {"metadata": {"name": "s"}})
    token = client.post(f"{ACCOUNTS}/s/token", {"spec": {"expirationSeconds": 600}})["status"]["token"]
    bearer = {"authorization": f"Bearer {token}"}
    info = client.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", {}, headers=bearer).body
    assert isinstance(info, dict)
    assert info["status"]["userInfo"]["username"] == "system:serviceaccount:default:s"
    world.wait(601)
    assert client.ask("GET", "/version", headers=bearer).status == 401


def test_a_token_dies_with_its_account(client: Client) -> None:
    client.post(ACCOUNTS, {"metadata": {"name": "s"}})
    token = client.post(f"{ACCOUNTS}/s/token", {})["status"]["token"]
    client.ask("DELETE", f"{ACCOUNTS}/s")
    client.post(ACCOUNTS, {"metadata": {"name": "s"}})
    assert client.ask("GET", "/version", headers={"authorization": f"Bearer {token}"}).status == 401


def test_a_token_for_others_is_none_here_and_a_forged_one_neither(client: Client) -> None:
    client.post(ACCOUNTS, {"metadata": {"name": "s"}})
    token = client.post(f"{ACCOUNTS}/s/token", {"spec": {"audiences": ["vault"]}})["status"]["token"]
    assert client.ask("GET", "/version", headers={"authorization": f"Bearer {token}"}).status == 401
    own = client.post(f"{ACCOUNTS}/s/token", {})["status"]["token"]
    head, payload, signature = own.split(".")
    forged = f"{head}.{payload[:-4]}AAAA.{signature}"
    for odd in (forged, "a.b.c", "..", "ä.ö.ü"):
        assert client.ask("GET", "/version", headers={"authorization": f"Bearer {odd}"}).status == 401


def test_a_token_may_be_bound_to_a_pod_of_its_account(world: World, client: Client) -> None:
    client.post(ACCOUNTS, {"metadata": {"name": "s"}})
    containers = [{"name": "c", "image": "i"}]
    world.create(world.pods, "p", spec={"serviceAccountName": "s", "containers": containers})
    world.create(world.pods, "q", spec={"serviceAccountName": "t", "containers": containers})

    def asked(name: str) -> Any:
        bound = {"kind": "Pod", "apiVersion": "v1", "name": name}
        return client.ask("POST", f"{ACCOUNTS}/s/token", {"spec": {"boundObjectRef": bound}})

    token = asked("p").body["status"]["token"]
    assert client.ask("GET", "/version", headers={"authorization": f"Bearer {token}"}).status == 200
    assert (asked("q").status, asked("none").status) == (400, 404)
    world.delete(world.pods, "p", grace_period_s=0)
    assert client.ask("GET", "/version", headers={"authorization": f"Bearer {token}"}).status == 401


def test_masters_act_as_anyone(client: Client) -> None:
    as_alice = {"impersonate-user": "alice"}
    info: Any = client.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", {}, headers=as_alice).body
    assert info["status"]["userInfo"] == {"username": "alice", "groups": ["system:authenticated"]}
    as_account = {"impersonate-user": "system:serviceaccount:ns:s"}
    info = client.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", {}, headers=as_account).body
    assert info["status"]["userInfo"]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:ns",
        "system:authenticated",
    ]
    both = {"impersonate-user": "bob", "impersonate-group": "a, system:masters"}
    assert client.ask("GET", "/api/v1/pods", headers=both).status == 200


def test_the_older_right_to_impersonate_is_enough(client: Client) -> None:
    _allow(client, "nobody", "impersonate", "users", resourceNames=["alice"])
    nobody = client.as_("nobody")
    info: Any = nobody.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", {}, headers={"impersonate-user": "alice"})
    assert info.body["status"]["userInfo"]["username"] == "alice"
    assert nobody.ask("GET", "/version", headers={"impersonate-user": "bob"}).status == 403


def test_the_constrained_right_holds_for_what_it_names(client: Client) -> None:
    _allow(client, "nobody", "impersonate:user-info", "users", "authentication.k8s.io")
    _allow(client, "nobody", "impersonate-on:user-info:list", "configmaps")
    _allow(client, "alice", "list", "configmaps")
    nobody = client.as_("nobody")
    as_alice = {"impersonate-user": "alice"}
    assert nobody.ask("GET", "/api/v1/namespaces/default/configmaps", headers=as_alice).status == 200
    refused = nobody.ask("GET", "/api/v1/namespaces/default/secrets", headers=as_alice)
    assert refused.status == 403
    assert "cannot impersonate-on:user-info:list resource" in _message(refused)


def test_groups_without_a_user_are_400(client: Client) -> None:
    assert client.ask("GET", "/version", headers={"impersonate-group": "a"}).status == 400


def test_the_users_of_these_tests_are_who_they_say() -> None:
    assert ("system:masters" in ADMIN.groups, "system:masters" in NOBODY.groups) == (True, False)
