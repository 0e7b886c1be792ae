"""ValidatingAdmissionPolicies: what they refuse, and in which words."""

from collections.abc import Iterator
from typing import Any

import pytest

from controller.ports import ApiError, Resource
from sim.apiserver.admission.policykinds import BINDINGS, POLICIES
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

MAPS = Resource("", "v1", "configmaps", "ConfigMap")
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}


class Cluster:
    def __init__(self) -> None:
        self.loop = Loop()  # type: ignore[abstract]
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True)

    def policy(self, *validations: dict[str, str], rule: dict[str, Any] | None = None, **spec: Any) -> None:
        full = {"matchConstraints": {"resourceRules": [rule or RULE]}, "validations": list(validations), **spec}
        self.server.create(ADMIN, POLICIES, "", {"metadata": {"name": "p"}, "spec": full})

    def bind(self, *actions: str, **spec: Any) -> None:
        full = {"policyName": "p", "validationActions": list(actions), **spec}
        self.server.create(ADMIN, BINDINGS, "", {"metadata": {"name": "b"}, "spec": full})

    def create(self, **data: str) -> None:
        body = {"metadata": {"name": "m"}, "data": data}
        self.server.create(ADMIN, MAPS, "default", body, dry_run=True)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.server.verify()
    made.loop.close()


def test_nothing_is_refused_before_a_policy_is_bound(cluster: Cluster) -> None:
    cluster.policy({"expression": "size(object.data) < 2"})
    cluster.create(a="1", b="2")
    cluster.bind("Deny")
    cluster.create(a="1")
    with pytest.raises(ApiError) as error:
        cluster.create(a="1", b="2")
    text = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: size(object.data) < 2"
    assert (error.value.code, error.value.reason) == (422, "Invalid")
    assert error.value.message == f'configmaps "m" is forbidden: {text}'
    assert error.value.details == {"name": "m", "kind": "configmaps", "causes": [{"message": text}]}
    cluster.server.delete(ADMIN, BINDINGS, "", "b")
    cluster.create(a="1", b="2")


def test_a_validation_brings_its_own_words_and_reason(cluster: Cluster) -> None:
    told = {"expression": "'a' in object.data", "messageExpression": "'no a among ' + string(variables.n)"}
    cluster.policy({**told, "reason": "Forbidden"}, variables=[{"name": "n", "expression": "size(object.data)"}])
    cluster.bind("Deny")
    with pytest.raises(ApiError) as error:
        cluster.create(b="1")
    assert (error.value.code, error.value.reason) == (403, "Forbidden")
    assert error.value.message.endswith("denied request: no a among 1")


def test_a_warning_refuses_nothing(cluster: Cluster) -> None:
    warned: list[str] = []
    cluster.server.warn = warned.append
    cluster.policy({"expression": "false", "message": "careful"})
    cluster.bind("Warn", "Audit")
    cluster.create(a="1")
    assert warned == ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': careful"]


def test_what_cannot_be_told_is_refused_unless_failures_are_ignored(cluster: Cluster) -> None:
    cluster.policy({"expression": "object.data.none == 'x'"})
    cluster.bind("Deny")
    with pytest.raises(ApiError, match="resulted in error: no such key: none"):
        cluster.create(a="1")
    body = {"spec": {"failurePolicy": "Ignore"}}
    cluster.server.patch(ADMIN, POLICIES, "", "p", body)
    cluster.create(a="1")


def test_conditions_and_bindings_narrow_what_a_policy_covers(cluster: Cluster) -> None:
    condition = {"name": "only-a", "expression": "'a' in object.data"}
    cluster.policy({"expression": "false"}, matchConditions=[condition])
    cluster.bind("Deny", matchResources={"namespaceSelector": {"matchLabels": {"strict": "yes"}}})
    cluster.create(a="1")
    labels = {"metadata": {"labels": {"strict": "yes"}}}
    cluster.server.patch(ADMIN, cluster.server.resource("", "namespaces"), "", "default", labels)
    cluster.create(b="1")
    with pytest.raises(ApiError, match="failed expression: false"):
        cluster.create(a="1")


def test_parameters_come_from_the_object_that_the_binding_names(cluster: Cluster) -> None:
    cluster.server.create(ADMIN, MAPS, "kube-system", {"metadata": {"name": "limits"}, "data": {"most": "1"}})
    expression = "size(object.data) <= int(params.data.most)"
    rule = {**RULE, "resourceNames": ["m"]}
    cluster.policy({"expression": expression}, rule=rule, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    cluster.bind("Deny", paramRef={"name": "limits", "namespace": "kube-system", "parameterNotFoundAction": "Deny"})
    cluster.create(a="1")
    with pytest.raises(ApiError, match="failed expression"):
        cluster.create(a="1", b="2")
    cluster.server.delete(ADMIN, MAPS, "kube-system", "limits")
    with pytest.raises(ApiError, match="failed to configure binding: no params found"):
        cluster.create(a="1")


def test_nonsense_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ApiError) as error:
        cluster.policy(matchConstraints={}, failurePolicy="Perhaps")
    assert [one["field"] for one in error.value.details["causes"]] == [
        "spec.failurePolicy",
        "spec.matchConstraints.resourceRules",
        "spec.validations",
        "spec.auditAnnotations",
    ]
    with pytest.raises(ApiError, match="must not contain both Deny and Warn"):
        cluster.bind("Deny", "Warn")
