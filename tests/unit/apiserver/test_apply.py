"""Several managers apply what they want of one object."""

import json
from collections.abc import Iterator

import pytest
from applying import DEFINITION, DEPLOYMENTS, MAPS, THINGS, Applying, owners

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN, User


@pytest.fixture
def cluster() -> Iterator[Applying]:
    made = Applying()
    yield made
    made.server.verify()
    made.loop.close()


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str]:
    return error.value.code, error.value.message


def test_who_applies_the_same_value_shares_the_field_and_has_no_time_of_its_own(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1"})
    both = cluster.apply(MAPS, "two", data={"k": "1"})
    assert owners(both) == {"two Apply": {"f:data": {"f:k": {}}}, "one Apply": {"f:data": {"f:k": {}}}}
    assert [("time" in entry) for entry in both["metadata"]["managedFields"]] == [False, True]


def test_a_shared_field_stays_until_its_last_owner_applies_it_no_more(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1"})
    cluster.apply(MAPS, "two", data={"k": "1", "l": "2"})
    assert cluster.apply(MAPS, "one")["data"] == {"k": "1", "l": "2"}
    left = cluster.apply(MAPS, "two", data={"l": "2"})
    assert left["data"] == {"l": "2"}
    assert owners(left) == {"two Apply": {"f:data": {"f:l": {}}}}


def test_an_owner_of_everything_who_applies_nothing_empties_the_object(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1"}, metadata={"labels": {"x": "y"}})
    left = cluster.apply(MAPS, "one")
    assert "data" not in left
    assert "labels" not in left["metadata"]
    assert owners(left) == {}


def test_a_field_that_an_update_took_over_is_not_removed(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1", "l": "1"})
    cluster.patch(MAPS, "editor", {"data": {"k": "2"}})
    assert cluster.apply(MAPS, "one", data={"l": "1"})["data"] == {"k": "2", "l": "1"}


def test_conflicts_name_every_manager_with_its_fields(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1", "l": "1"})
    cluster.patch(MAPS, "editor", {"data": {"l": "2", "m": "2"}})
    with pytest.raises(ApiError) as error:
        cluster.apply(MAPS, "two", data={"k": "9", "l": "9", "m": "9"})
    assert refusal(error) == (
        409,
        'Apply failed with 3 conflicts: conflicts with "editor" using v1:\n- .data.l\n- .data.m\n'
        'conflicts with "one":\n- .data.k',
    )
    assert error.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "editor" using v1',
        "field": ".data.l",
    }


def test_one_name_that_updates_and_applies_is_two_managers(cluster: Applying) -> None:
    cluster.apply(MAPS, "one", data={"k": "1"})
    cluster.patch(MAPS, "one", {"data": {"k": "2"}})
    with pytest.raises(ApiError, match=r'conflict with "one" using v1: \.data\.k'):
        cluster.apply(MAPS, "one", data={"k": "3"})
    forced = cluster.apply(MAPS, "one", force=True, data={"k": "3"})
    assert list(owners(forced)) == ["one Apply"]


def test_items_of_keyed_lists_are_merged_by_keys_of_which_some_have_defaults(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"ports": [{"port": 80, "name": "a"}, {"port": 81}]})
    both = cluster.apply(THINGS, "two", spec={"ports": [{"port": 80, "protocol": "UDP"}, {"port": 81}]})
    assert both["spec"]["ports"] == [
        {"port": 80, "name": "a", "protocol": "TCP"},
        {"port": 80, "protocol": "UDP"},
        {"port": 81, "protocol": "TCP"},
    ]
    with pytest.raises(ApiError) as error:
        cluster.apply(THINGS, "two", spec={"ports": [{"port": 80, "name": "b"}]})
    assert error.value.details["causes"][0]["field"] == '.spec.ports[port=80,protocol="TCP"].name'
    left = cluster.apply(THINGS, "one", spec={"ports": [{"port": 81}]})
    assert [(one["port"], one["protocol"]) for one in left["spec"]["ports"]] == [(80, "UDP"), (81, "TCP")]


def test_sets_are_joined_and_left_item_by_item(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"tags": ["a", "b"]})
    both = cluster.apply(THINGS, "two", spec={"tags": ["c", "b"]})
    assert both["spec"]["tags"] == ["a", "c", "b"]
    assert owners(both)["two Apply"] == {"f:spec": {"f:tags": {'v:"c"': {}, 'v:"b"': {}}}}
    assert cluster.apply(THINGS, "one", spec={"text": "t"})["spec"]["tags"] == ["c", "b"]


def test_what_is_owned_as_a_whole_is_replaced_as_a_whole(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"steps": ["a"], "whole": {"a": "1"}, "inner": {"a": "1"}})
    with pytest.raises(ApiError) as error:
        cluster.apply(THINGS, "two", spec={"steps": ["b"], "whole": {"b": "1"}, "inner": {"b": "1"}})
    assert [one["field"] for one in error.value.details["causes"]] == [".spec.steps", ".spec.whole"]
    forced = cluster.apply(THINGS, "two", force=True, spec={"steps": ["b"], "whole": {"b": "1"}, "inner": {"b": "1"}})
    assert {key: forced["spec"][key] for key in ("steps", "whole", "inner")} == {
        "steps": ["b"],
        "whole": {"b": "1"},
        "inner": {"a": "1", "b": "1"},
    }


def test_maps_without_a_schema_are_merged_by_key(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"free": {"a": {"x": 1}}})
    both = cluster.apply(THINGS, "two", spec={"free": {"a": {"y": [1]}}})
    assert both["spec"]["free"] == {"a": {"x": 1, "y": [1]}}
    assert owners(both)["two Apply"] == {"f:spec": {"f:free": {"f:a": {".": {}, "f:y": {}}}}}


def test_a_field_with_a_default_falls_back_to_it(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"text": "t", "count": 5})
    assert cluster.apply(THINGS, "one", spec={"text": "t"})["spec"] == {"text": "t", "count": 1}


def test_a_status_is_applied_on_its_own(cluster: Applying) -> None:
    cluster.apply(THINGS, "one", spec={"text": "t"}, status={"phase": "Wrong"})
    both = cluster.apply(THINGS, "ctl", subresource="status", spec={"text": "no"}, status={"phase": "Right"})
    assert (both["spec"]["text"], both["status"]) == ("t", {"phase": "Right"})
    assert list(owners(both)) == ["one Apply", "ctl Apply status"]
    with pytest.raises(ApiError) as error:
        cluster.apply(THINGS, "two", subresource="status", status={"phase": "Other"})
    assert error.value.message.endswith('conflict with "ctl" with subresource "status": .status.phase')


def test_a_status_cannot_be_applied_to_nothing(cluster: Applying) -> None:
    with pytest.raises(ApiError) as error:
        cluster.apply(THINGS, "ctl", subresource="status", status={"phase": "x"})
    assert refusal(error) == (404, 'things.example.com "a" not found')


def test_containers_are_merged_by_name_and_selectors_are_not_merged(cluster: Applying) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    cluster.apply(DEPLOYMENTS, "one", spec=spec)
    side = {"template": {"spec": {"containers": [{"name": "s", "image": "e", "ports": [{"containerPort": 1}]}]}}}
    both = cluster.apply(DEPLOYMENTS, "two", spec=side)
    assert [one["name"] for one in both["spec"]["template"]["spec"]["containers"]] == ["c", "s"]
    inner = owners(both)["two Apply"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"s"}']
    assert inner["f:ports"] == {'k:{"containerPort":1,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    assert owners(both)["one Apply"]["f:spec"]["f:selector"] == {}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"data": {"k": 1}}, ".data.k: expected string, got &value.valueUnstructured{Value:1}"),
        ({"data": ["k"]}, ".data: expected map, got &{[k]}"),
        ({"immutable": "yes"}, ".immutable: expected boolean, got &{yes}"),
        ({"spec": {}}, ".spec: field not declared in schema"),
        ({"metadata": {"labels": {"x": True}}}, ".metadata.labels.x: expected string, got &value.valueUnstructured{"),
    ],
)
def test_what_does_not_fit_the_schema_is_told_by_path(cluster: Applying, content: object, text: str) -> None:
    with pytest.raises(ApiError) as error:
        cluster.apply(MAPS, "one", **content)  # type: ignore[arg-type]
    assert (error.value.code, error.value.reason) == (500, "")
    assert error.value.message.startswith(f"failed to create typed patch object (/a; /v1, Kind=ConfigMap): {text}")


def test_an_item_that_comes_twice_is_refused(cluster: Applying) -> None:
    with pytest.raises(ApiError, match=r'\.spec\.ports: duplicate entries for key \[port=80,protocol="TCP"\]'):
        cluster.apply(THINGS, "one", spec={"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]})


def test_managed_fields_cannot_be_applied(cluster: Applying) -> None:
    with pytest.raises(ApiError) as error:
        cluster.apply(MAPS, "one", metadata={"managedFields": []})
    assert refusal(error) == (400, "metadata.managedFields must be nil")


def test_who_may_patch_but_not_create_cannot_apply_what_is_not_there(cluster: Applying) -> None:
    server, patcher = cluster.server, User("patcher", ("system:authenticated",))
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}
    server.create(ADMIN, server.resource(rbac, "clusterroles"), "", {"metadata": {"name": "p"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "p"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "p"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "patcher"}],
    }
    server.create(ADMIN, server.resource(rbac, "clusterrolebindings"), "", binding)
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    with pytest.raises(ApiError) as error:
        server.apply(patcher, MAPS, "default", "a", config, manager="m")
    assert refusal(error)[0] == 403
    assert 'cannot create resource "configmaps"' in error.value.message
    cluster.apply(MAPS, "one", data={"k": "1"})
    assert not server.apply(patcher, MAPS, "default", "a", config, manager="m")[1]


def test_what_was_there_before_anything_was_applied_has_an_owner_of_that_name() -> None:
    cluster = Applying(managed_fields=False)
    body = {"metadata": {"name": "a"}, "data": {"k": "1"}}
    cluster.server.create(ADMIN, MAPS, "default", body)
    with pytest.raises(ApiError, match=r'conflict with "before-first-apply" using v1: \.data\.k'):
        cluster.apply(MAPS, "one", data={"k": "2"})
    both = cluster.apply(MAPS, "one", data={"l": "2"})
    assert list(owners(both)) == ["one Apply", "before-first-apply Update"]
    cluster.loop.close()


def test_kubectl_takes_over_what_it_once_applied_from_its_own_side(cluster: Applying) -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    past = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1", "l": "1"}}
    body = {**past, "metadata": {"name": "a", "annotations": {key: json.dumps(past)}}}
    cluster.server.create(ADMIN, MAPS, "default", body, manager="kubectl-client-side-apply")
    with pytest.raises(ApiError, match="kubectl-client-side-apply"):
        cluster.apply(MAPS, "other", data={"k": "2"})
    taken = cluster.apply(MAPS, "kubectl", data={"k": "<2>"})
    assert taken["data"] == {"k": "<2>", "l": "1"}
    assert taken["metadata"]["annotations"][key] == (
        '{"apiVersion":"v1","data":{"k":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    )
    cluster.patch(MAPS, "editor", {"data": {"l": "3"}})
    with pytest.raises(ApiError, match=r'conflict with "editor" using v1: \.data\.l'):
        cluster.apply(MAPS, "kubectl", data={"k": "3", "l": "4"})


def test_a_client_may_rewrite_who_owns_what(cluster: Applying) -> None:
    applied = cluster.apply(MAPS, "one", data={"k": "1"})
    entry = {**applied["metadata"]["managedFields"][0], "manager": "two"}
    operations = [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]
    changed = cluster.patch(MAPS, "editor", operations, patch_type="json")
    assert owners(changed) == {"two Apply": {"f:data": {"f:k": {}}}}
    assert changed["metadata"]["resourceVersion"] != applied["metadata"]["resourceVersion"]
    wrong = [{"op": "replace", "path": "/metadata/managedFields", "value": [{**entry, "operation": "Guess"}]}]
    assert owners(cluster.patch(MAPS, "editor", wrong, patch_type="json")) == owners(changed)


def test_a_new_schema_counts_from_when_it_is_there(cluster: Applying) -> None:
    with pytest.raises(ApiError, match=r"\.spec\.more: field not declared in schema"):
        cluster.apply(THINGS, "one", spec={"more": "x"})
    version = json.loads(json.dumps(DEFINITION["spec"]["versions"][0]))
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["more"] = {"type": "string"}
    definitions = cluster.server.resource("apiextensions.k8s.io", "customresourcedefinitions")
    cluster.server.patch(ADMIN, definitions, "", "things.example.com", {"spec": {"versions": [version]}})
    assert cluster.apply(THINGS, "one", spec={"more": "x"})["spec"]["more"] == "x"
