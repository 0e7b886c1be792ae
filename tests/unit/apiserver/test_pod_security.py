"""PodSecurity: what a namespace of a level does not let in, and how it says so."""

from typing import Any

import pytest

from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

SOUND = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture
def server() -> ApiServer:
    loop = Loop()
    return ApiServer(loop, Streams(1), Clock(loop))


def namespace(server: ApiServer, level: str = "", **labels: str) -> None:
    found = {f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    if level:
        found["pod-security.kubernetes.io/enforce"] = level
    resource = server.resource("", "namespaces")
    server.create(ADMIN, resource, "", {"metadata": {"name": "ns", "labels": found}})


def pod(server: ApiServer, *contexts: Document, name: str = "p", **spec: Any) -> None:
    containers = [
        {"name": f"c{index}", "image": "i", "securityContext": context} for index, context in enumerate(contexts)
    ]
    body = {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}
    server.create(ADMIN, server.resource("", "pods"), "ns", body)


def refusal(server: ApiServer, *contexts: Document, **spec: Any) -> str:
    with pytest.raises(ApiError) as caught:
        pod(server, *contexts, **spec)
    assert caught.value.code == 403
    before, _, after = caught.value.message.partition("violates PodSecurity ")
    assert before == 'pods "p" is forbidden: '
    return after


def test_a_namespace_without_a_level_lets_everything_in(server: ApiServer) -> None:
    namespace(server)
    pod(server, {"privileged": True}, hostNetwork=True)


def test_a_restricted_namespace_lets_in_what_gives_everything_up(server: ApiServer) -> None:
    namespace(server, "restricted")
    pod(server, SOUND, volumes=[{"name": "v", "emptyDir": {}}])


def test_a_restricted_namespace_names_every_container_that_lacks_something_init_containers_first(
    server: ApiServer,
) -> None:
    namespace(server, "restricted", enforce_version="v1.30")
    whole = {"runAsNonRoot": True}
    assert refusal(server, SOUND, {}, initContainers=[{"name": "first", "image": "i"}], securityContext=whole) == (
        '"restricted:v1.30": allowPrivilegeEscalation != false '
        '(containers "first", "c1" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (containers "first", "c1" must set securityContext.capabilities.drop=["ALL"]), '
        'seccompProfile (pod or containers "first", "c1" must set securityContext.seccompProfile.type '
        'to "RuntimeDefault" or "Localhost")'
    )


def test_who_is_root_in_a_user_namespace_of_its_own_may_be_root(server: ApiServer) -> None:
    namespace(server, "restricted")
    pod(server, {**SOUND, "runAsNonRoot": False}, hostUsers=False)


BAD = [
    ({"runAsNonRoot": False}, 'runAsNonRoot != true (container "c0" must not set securityContext.runAsNonRoot=false)'),
    ({"runAsUser": 0}, 'runAsUser=0 (container "c0" must not set runAsUser=0)'),
    ({"seccompProfile": {"type": "Unconfined"}},
     'seccompProfile (container "c0" must not set securityContext.seccompProfile.type to "Unconfined")'),
    ({"capabilities": {"drop": ["ALL"], "add": ["KILL", "NET_BIND_SERVICE"]}},
     'unrestricted capabilities (container "c0" must not include "KILL" in securityContext.capabilities.add)'),
]  # fmt: skip


@pytest.mark.parametrize(("context", "text"), BAD)
def test_what_a_container_asks_for_is_refused_by_name(server: ApiServer, context: Document, text: str) -> None:
    namespace(server, "restricted")
    assert refusal(server, {**SOUND, **context}) == f'"restricted:latest": {text}'


def test_volumes_from_the_node_are_refused_in_the_words_of_the_level(server: ApiServer) -> None:
    namespace(server, "restricted")
    volumes = [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "hostPath": {"path": "/"}}]
    assert refusal(server, SOUND, volumes=volumes) == (
        '"restricted:latest": restricted volume types (volumes "v", "w" use restricted volume type "hostPath")'
    )


def test_the_baseline_lets_in_what_asks_for_nothing_special(server: ApiServer) -> None:
    namespace(server, "baseline")
    pod(server, {})
    assert refusal(
        server,
        {"privileged": True},
        {"capabilities": {"add": ["NET_ADMIN", "KILL"]}},
        hostNetwork=True,
        volumes=[{"name": "v", "hostPath": {"path": "/"}}],
    ) == (
        '"baseline:latest": host namespaces (hostNetwork=true), '
        'privileged (container "c0" must not set securityContext.privileged=true), '
        'non-default capabilities (container "c1" must not include "NET_ADMIN" in securityContext.capabilities.add), '
        'hostPath volumes (volume "v")'
    )


def test_a_level_counts_from_the_moment_it_is_given_until_it_is_taken(server: ApiServer) -> None:
    namespace(server)
    pod(server, {}, name="before")
    resource = server.resource("", "namespaces")
    key = "pod-security.kubernetes.io/enforce"
    server.patch(ADMIN, resource, "", "ns", {"metadata": {"labels": {key: "restricted"}}})
    assert refusal(server, {})
    server.patch(ADMIN, resource, "", "ns", {"metadata": {"labels": {key: "privileged"}}})
    pod(server, {}, name="after")
