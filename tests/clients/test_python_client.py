"""The official Python client, as it comes: typed, custom objects, dynamic, and its asyncio twin."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes.aio as aio
import pytest
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

GROUP, VERSION, PLURAL = "things.example.com", "v1", "things"
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": PLURAL, "singular": "thing", "kind": "Thing"},
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


def thing(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def config_map(name: str, **data: str) -> Any:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


@pytest.fixture(scope="module")
def api(kubeconfig: Path) -> Iterator[Any]:
    with config.new_client_from_config(str(kubeconfig)) as api:
        yield api


@pytest.fixture(scope="module")
def defined(api: Any) -> Any:
    """The kind of things is served."""
    definitions = client.ApiextensionsV1Api(api)
    definitions.create_custom_resource_definition(DEFINITION)
    found = definitions.read_custom_resource_definition(f"{PLURAL}.{GROUP}")
    while not any(one.type == "Established" and one.status == "True" for one in found.status.conditions or ()):
        found = definitions.read_custom_resource_definition(f"{PLURAL}.{GROUP}")
    return api


def namespace(api: Any, name: str) -> str:
    client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    return name


def refusal(call: Any, *args: Any, **options: Any) -> tuple[int, str]:
    with pytest.raises(ApiException) as refused:
        call(*args, **options)
    return refused.value.status, json.loads(refused.value.body)["reason"]


def test_the_typed_client(api: Any) -> None:
    core = client.CoreV1Api(api)
    ns = namespace(api, "typed")

    version = client.VersionApi(api).get_code()
    groups = client.ApisApi(api).get_api_versions()
    created = core.create_namespaced_config_map(ns, config_map("c", a="b"))
    created.data["a"] = "c"
    replaced = core.replace_namespaced_config_map("c", ns, created)
    stale = refusal(core.replace_namespaced_config_map, "c", ns, created)
    patched = core.patch_namespaced_config_map("c", ns, {"data": {"d": "e"}})
    for n in range(3):
        core.create_namespaced_config_map(ns, config_map(f"n{n}"))
    page = core.list_namespaced_config_map(ns, limit=2)
    rest = core.list_namespaced_config_map(ns, limit=2, _continue=page.metadata._continue)
    missing = refusal(core.read_namespaced_config_map, "nobody", ns)
    twice = refusal(core.create_namespaced_config_map, ns, config_map("c"))
    dry = core.create_namespaced_config_map(ns, config_map("dry"), dry_run="All")
    not_there = refusal(core.read_namespaced_config_map, "dry", ns)
    gone = core.delete_namespaced_config_map("c", ns)
    core.delete_collection_namespaced_config_map(ns)

    assert version.git_version.startswith("v1.36.")
    assert "apps" in {group.name for group in groups.groups}
    assert created.metadata.uid == replaced.metadata.uid
    assert (stale, missing, twice) == ((409, "Conflict"), (404, "NotFound"), (409, "AlreadyExists"))
    assert patched.data == {"a": "c", "d": "e"}
    assert [one.metadata.name for one in page.items + rest.items] == ["c", "n0", "n1", "n2"]
    assert (page.metadata.remaining_item_count, rest.metadata._continue) == (2, None)
    assert (dry.metadata.name, not_there[0]) == ("dry", 404)
    assert gone["status"] == "Success"
    assert core.list_namespaced_config_map(ns).items == []
    core.delete_namespace(ns)


def test_the_typed_client_watches(api: Any) -> None:
    core = client.CoreV1Api(api)
    ns = namespace(api, "watched")
    core.create_namespaced_config_map(ns, config_map("first"))
    begin = core.list_namespaced_config_map(ns).metadata.resource_version
    core.create_namespaced_config_map(ns, config_map("second"))
    core.patch_namespaced_config_map("second", ns, {"data": {"a": "b"}})
    core.delete_namespaced_config_map("first", ns)

    initial = watch.Watch().stream(core.list_namespaced_config_map, ns, timeout_seconds=1)
    names = [(event["type"], event["object"].metadata.name) for event in initial]
    later = watch.Watch().stream(core.list_namespaced_config_map, ns, resource_version=begin, timeout_seconds=1)

    assert names == [("ADDED", "second")]
    assert [(event["type"], event["object"].metadata.name) for event in later] == [
        ("ADDED", "second"),
        ("MODIFIED", "second"),
        ("DELETED", "first"),
    ]
    core.delete_namespace(ns)


def test_the_typed_client_beyond_config_maps(api: Any) -> None:
    core, ns = client.CoreV1Api(api), namespace(api, "workloads")
    lease = client.V1Lease(
        metadata=client.V1ObjectMeta(name="l"), spec=client.V1LeaseSpec(holder_identity="a", lease_duration_seconds=15)
    )
    leases = client.CoordinationV1Api(api)
    held = leases.create_namespaced_lease(ns, lease)
    held.spec.holder_identity = "b"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="create", resource="pods")
        )
    )
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(name="e"),
        involved_object=client.V1ObjectReference(kind="Pod", name="p", namespace=ns),
        reason="Because",
        type="Normal",
    )
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"app": "d"}},
            "template": {
                "metadata": {"labels": {"app": "d"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }

    assert leases.replace_namespaced_lease("l", ns, held).spec.holder_identity == "b"
    assert core.create_namespaced_pod(ns, pod).spec.restart_policy == "Always"
    assert core.read_namespaced_pod_status("p", ns).metadata.name == "p"
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="p"))
    assert core.create_namespaced_pod_eviction("p", ns, eviction)
    assert core.create_namespaced_event(ns, event).reason == "Because"
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed
    utils.create_from_dict(api, deployment, namespace=ns)
    apps = client.AppsV1Api(api)
    apps.patch_namespaced_deployment_scale("d", ns, {"spec": {"replicas": 2}})
    assert apps.read_namespaced_deployment_scale("d", ns).spec.replicas == 2
    assert core.list_node().items
    core.delete_namespace(ns)


def test_every_kind_reads_as_its_model(api: Any) -> None:
    """The client refuses objects that lack a field which the API demands."""
    core, apps, rights = client.CoreV1Api(api), client.AppsV1Api(api), client.RbacAuthorizationV1Api(api)
    asked = [
        core.list_namespace,
        core.list_node,
        core.list_pod_for_all_namespaces,
        core.list_event_for_all_namespaces,
        core.list_config_map_for_all_namespaces,
        core.list_secret_for_all_namespaces,
        core.list_service_account_for_all_namespaces,
        core.list_resource_quota_for_all_namespaces,
        core.list_limit_range_for_all_namespaces,
        apps.list_deployment_for_all_namespaces,
        apps.list_replica_set_for_all_namespaces,
        client.BatchV1Api(api).list_job_for_all_namespaces,
        client.CoordinationV1Api(api).list_lease_for_all_namespaces,
        client.PolicyV1Api(api).list_pod_disruption_budget_for_all_namespaces,
        client.ApiextensionsV1Api(api).list_custom_resource_definition,
        client.AdmissionregistrationV1Api(api).list_validating_webhook_configuration,
        rights.list_cluster_role,
        rights.list_cluster_role_binding,
        rights.list_role_for_all_namespaces,
        rights.list_role_binding_for_all_namespaces,
    ]

    for listed in asked:
        assert listed().metadata.resource_version, listed.__name__


def test_custom_objects(defined: Any) -> None:
    custom = client.CustomObjectsApi(defined)
    ns = namespace(defined, "custom")
    where = {"group": GROUP, "version": VERSION, "namespace": ns, "plural": PLURAL}

    created = custom.create_namespaced_custom_object(**where, body=thing("w", a=1))
    patched = custom.patch_namespaced_custom_object(**where, name="w", body={"spec": {"b": 2}})
    with_status = custom.patch_namespaced_custom_object_status(**where, name="w", body={"status": {"phase": "x"}})
    read = custom.get_namespaced_custom_object(**where, name="w")
    read["status"] = {"phase": "y"}
    replaced = custom.replace_namespaced_custom_object_status(**where, name="w", body=read)
    stale = refusal(custom.replace_namespaced_custom_object, **where, name="w", body=created)
    listed = custom.list_namespaced_custom_object(**where)
    events = watch.Watch().stream(custom.list_namespaced_custom_object, **where, timeout_seconds=1)

    assert patched["spec"] == {"a": 1, "b": 2}
    assert with_status["status"] == {"phase": "x"}
    assert replaced["status"] == {"phase": "y"}
    assert stale == (409, "Conflict")
    assert [one["metadata"]["name"] for one in listed["items"]] == ["w"]
    assert [event["type"] for event in events] == ["ADDED"]
    assert custom.delete_namespaced_custom_object(**where, name="w", propagation_policy="Foreground")
    assert refusal(custom.get_namespaced_custom_object, **where, name="w") == (404, "NotFound")
    client.CoreV1Api(defined).delete_namespace(ns)


def test_the_dynamic_client(defined: Any, tmp_path: Path) -> None:
    ns = namespace(defined, "dynamic")
    found = dynamic.DynamicClient(defined, cache_file=str(tmp_path / "cache"))
    things = found.resources.get(api_version=f"{GROUP}/{VERSION}", kind="Thing")

    created = things.create(body=thing("w", a=1), namespace=ns)
    applied = things.server_side_apply(body=thing("d", a=2), namespace=ns, field_manager="py", force_conflicts=True)
    patched = things.patch(body={"spec": {"b": 3}}, name="w", namespace=ns, content_type="application/merge-patch+json")
    listed = things.get(namespace=ns)
    events = [event["type"] for event in things.watch(namespace=ns, timeout=1)]
    things.delete(name="w", namespace=ns)

    assert created.spec.a == 1
    assert applied.metadata.managedFields[0].manager == "py"
    assert patched.spec.to_dict() == {"a": 1, "b": 3}
    assert sorted(one.metadata.name for one in listed.items) == ["d", "w"]
    assert events == ["ADDED", "ADDED"]
    assert [one.metadata.name for one in things.get(namespace=ns).items] == ["d"]
    client.CoreV1Api(defined).delete_namespace(ns)


def test_the_asyncio_client(kubeconfig: Path) -> None:
    async def asked() -> tuple[Any, ...]:
        async with await aio.config.new_client_from_config(str(kubeconfig)) as api:
            core = aio.client.CoreV1Api(api)
            meta = aio.client.V1ObjectMeta
            await core.create_namespace(aio.client.V1Namespace(metadata=meta(name="aio")))
            for n in range(10):
                body = aio.client.V1ConfigMap(metadata=meta(name=f"c{n}"), data={"n": str(n)})
                await core.create_namespaced_config_map("aio", body)
            patches = (core.patch_namespaced_config_map(f"c{n}", "aio", {"data": {"m": "x"}}) for n in range(10))
            patched = await asyncio.gather(*patches)
            seen = []
            async with aio.watch.Watch().stream(core.list_namespaced_config_map, "aio", timeout_seconds=1) as events:
                seen.extend([event["object"].metadata.name async for event in events])
            listed = await core.list_namespaced_config_map("aio")
            with pytest.raises(aio.client.ApiException) as refused:
                await core.read_namespaced_config_map("nobody", "aio")
            await core.delete_namespace("aio")
            return patched, seen, listed.items, refused.value.status

    patched, seen, listed, status = asyncio.run(asked())

    assert [one.data["m"] for one in patched] == ["x"] * 10
    assert sorted(seen) == [f"c{n}" for n in range(10)] == [one.metadata.name for one in listed]
    assert status == 404
