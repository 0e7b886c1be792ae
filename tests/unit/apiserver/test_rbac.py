"""Authorisation by Roles and bindings, and the refusals of kube-apiserver 1.36 (recorded: rbac-01 to rbac-21)."""

import pytest

from controller.ports import ApiError, Resource
from sim.apiserver.identity import ADMIN, User, service_account
from sim.apiserver.policy import Attributes
from sim.apiserver.rbac import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

NOBODY = service_account("default", "nobody")
WE = service_account("kubernaut-system", "workflowexecution-controller")
WE_NAME = "system:serviceaccount:kubernaut-system:workflowexecution-controller"
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
PODS = Resource("", "v1", "pods", "Pod")
WIDGETS = Resource("conf.example.com", "v1", "widgets", "Widget")
GADGETS = Resource("conf.example.com", "v1", "gadgets", "Gadget", namespaced=False)
SUBJECT = {"kind": "ServiceAccount", "name": "workflowexecution-controller", "namespace": "kubernaut-system"}


@pytest.fixture
def server():
    loop = Loop()
    made = ApiServer(loop, Streams(1), Clock(loop))
    for name in ("ns", "other"):
        made.create(ADMIN, made.resource("", "namespaces"), "", {"metadata": {"name": name}})
    return made


def grant(server, *rules, namespace="ns", subject=SUBJECT, name="r"):
    server.create(ADMIN, ROLES, namespace, {"metadata": {"name": name}, "rules": list(rules)})
    body = {"metadata": {"name": name}, "roleRef": {"kind": "Role", "name": name}, "subjects": [subject]}
    server.create(ADMIN, ROLE_BINDINGS, namespace, body)


def grant_everywhere(server, *rules, subject=SUBJECT, name="cr"):
    server.create(ADMIN, CLUSTER_ROLES, "", {"metadata": {"name": name}, "rules": list(rules)})
    body = {"metadata": {"name": name}, "roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [subject]}
    server.create(ADMIN, CLUSTER_ROLE_BINDINGS, "", body)


def rule(resources, *verbs, group="conf.example.com", names=()):
    made = {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
    return {**made, "resourceNames": list(names)} if names else made


def may(server, user, verb, resource, namespace="ns", name="", subresource=""):
    try:
        server.authorizer.for_user(user)(verb, resource, namespace, name, subresource)
    except ApiError as error:
        if (error.code, error.reason) != (403, "Forbidden"):
            raise
        return False
    return True


def refusal(server, user, verb, resource, namespace="ns", name="", subresource=""):
    with pytest.raises(ApiError) as caught:
        server.authorizer.for_user(user)(verb, resource, namespace, name, subresource)
    return caught.value


@pytest.mark.parametrize(
    ("verb", "name", "head"),
    [
        ("list", "", "configmaps is forbidden"),
        ("get", "a", 'configmaps "a" is forbidden'),
        ("create", "", "configmaps is forbidden"),
        ("update", "a", 'configmaps "a" is forbidden'),
        ("patch", "a", 'configmaps "a" is forbidden'),
        ("delete", "a", 'configmaps "a" is forbidden'),
        ("deletecollection", "", "configmaps is forbidden"),
        ("watch", "", "configmaps is forbidden"),
    ],
)
def test_a_refusal_names_user_verb_resource_and_namespace(server, verb, name, head):
    error = refusal(server, NOBODY, verb, CONFIG_MAPS, name=name)
    assert error.message == (
        f'{head}: User "system:serviceaccount:default:nobody" cannot {verb} resource "configmaps" '
        'in API group "" in the namespace "ns"'
    )
    assert error.details == ({"kind": "configmaps", "name": name} if name else {"kind": "configmaps"})


def test_a_refusal_of_a_custom_kind_names_its_group(server):
    error = refusal(server, WE, "get", WIDGETS, name="x")
    assert error.message == (
        f'widgets.conf.example.com "x" is forbidden: User "{WE_NAME}" cannot get resource "widgets" '
        'in API group "conf.example.com" in the namespace "ns"'
    )
    assert error.details == {"group": "conf.example.com", "kind": "widgets", "name": "x"}


def test_without_a_namespace_the_scope_is_the_clusters(server):
    assert refusal(server, NOBODY, "list", CONFIG_MAPS, "").message.endswith(
        'cannot list resource "configmaps" in API group "" at the cluster scope'
    )


def test_a_request_for_a_namespace_counts_as_one_inside_it(server):
    namespaces = server.resource("", "namespaces")
    assert refusal(server, WE, "get", namespaces, "", "ns").message == (
        f'namespaces "ns" is forbidden: User "{WE_NAME}" cannot get resource "namespaces" in API group "" '
        'in the namespace "ns"'
    )
    grant(server, rule(["namespaces"], "get", group=""))
    assert may(server, WE, "get", namespaces, "", "ns")
    assert not may(server, WE, "get", namespaces, "", "other")
    assert not may(server, WE, "list", namespaces, "")


def test_a_subresource_is_part_of_the_resource(server):
    grant(server, rule(["widgets"], "patch"))
    error = refusal(server, WE, "patch", WIDGETS, name="a", subresource="status")
    assert 'cannot patch resource "widgets/status" in API group' in error.message
    assert may(server, WE, "patch", WIDGETS, name="a")


def test_a_status_is_granted_on_its_own(server):
    grant(server, rule(["widgets/status"], "patch"), rule(["pods/log"], "get", group=""))
    assert may(server, WE, "patch", WIDGETS, name="a", subresource="status")
    assert may(server, WE, "get", PODS, name="p", subresource="log")
    assert not may(server, WE, "patch", WIDGETS, name="a")
    assert not may(server, WE, "get", PODS, name="p")


def test_a_role_grants_exactly_its_verbs_in_its_namespace(server):
    grant(server, rule(["widgets"], "get", "list"))
    assert may(server, WE, "get", WIDGETS, name="a")
    assert not may(server, WE, "delete", WIDGETS, name="a")
    assert not may(server, WE, "get", WIDGETS, "other", "a")
    assert not may(server, WE, "list", WIDGETS, "")
    assert not may(server, NOBODY, "get", WIDGETS, name="a")


def test_resource_names_narrow_a_rule_to_those_objects(server):
    grant(server, rule(["widgets"], "get", "create", names=("a",)))
    assert may(server, WE, "get", WIDGETS, name="a")
    assert not may(server, WE, "get", WIDGETS, name="b")
    assert not may(server, WE, "create", WIDGETS)


def test_wildcards_cover_verbs_groups_resources_and_subresources(server):
    grant(server, {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    assert may(server, WE, "impersonate", PODS, name="p", subresource="exec")
    grant(server, rule(["*/scale"], "get", group="*"), namespace="other")
    assert may(server, WE, "get", WIDGETS, "other", "a", "scale")
    assert not may(server, WE, "get", WIDGETS, "other", "a")


def test_a_cluster_role_through_a_role_binding_reaches_one_namespace(server):
    server.create(
        ADMIN, CLUSTER_ROLES, "", {"metadata": {"name": "cr"}, "rules": [rule(["configmaps"], "*", group="")]}
    )
    body = {"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "cr"}, "subjects": [SUBJECT]}
    server.create(ADMIN, ROLE_BINDINGS, "ns", body)
    assert may(server, WE, "list", CONFIG_MAPS)
    assert not may(server, WE, "list", CONFIG_MAPS, "other")
    assert not may(server, WE, "list", CONFIG_MAPS, "")


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "name": "system:serviceaccount:default:nobody"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts:default"},
    ],
)
def test_users_and_groups_are_subjects_and_removal_takes_the_right_away(server, subject):
    grant_everywhere(server, rule(["gadgets"], "list"), subject=subject)
    assert may(server, NOBODY, "list", GADGETS, "")
    server.delete(ADMIN, CLUSTER_ROLE_BINDINGS, "", "cr")
    assert not may(server, NOBODY, "list", GADGETS, "")


def test_a_changed_role_counts_at_once(server):
    grant(server, rule(["widgets"], "get"))
    assert not may(server, WE, "list", WIDGETS)
    server.patch(ADMIN, ROLES, "ns", "r", {"rules": [rule(["widgets"], "list")]})
    assert may(server, WE, "list", WIDGETS)
    assert not may(server, WE, "get", WIDGETS, name="a")


def test_a_binding_to_a_missing_role_is_named_in_the_refusal(server):
    body = {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "gone"}, "subjects": [SUBJECT]}
    server.create(ADMIN, ROLE_BINDINGS, "ns", body)
    assert refusal(server, WE, "get", WIDGETS, name="a").message.endswith(
        'in the namespace "ns": RBAC: role.rbac.authorization.k8s.io "gone" not found'
    )


def test_masters_may_do_everything(server):
    assert may(server, ADMIN, "delete", GADGETS, "", "g")


def test_the_reason_of_a_grant_names_binding_role_and_subject(server):
    grant(server, rule(["pipelineruns"], "list", group="tekton.dev"))
    wanted = Attributes("list", "tekton.dev", "pipelineruns", "ns", "")
    assert server.authorizer.reason(WE, wanted) == (
        'RBAC: allowed by RoleBinding "r/ns" of Role "r" to ServiceAccount '
        '"workflowexecution-controller/kubernaut-system"'
    )
    assert server.authorizer.reason(NOBODY, wanted) is None


def test_discovery_is_open_to_the_authenticated_and_version_to_everyone(server):
    anonymous = User("system:anonymous", ("system:unauthenticated",))
    server.authorizer.check_path(NOBODY, "get", "/apis/apps/v1")
    server.authorizer.check_path(anonymous, "get", "/version")
    with pytest.raises(ApiError) as caught:
        server.authorizer.check_path(anonymous, "get", "/apis")
    assert caught.value.message == 'forbidden: User "system:anonymous" cannot get path "/apis"'


def test_a_granted_path_may_end_in_a_star(server):
    grant_everywhere(server, {"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]})
    server.authorizer.check_path(WE, "get", "/metrics/slis")
    with pytest.raises(ApiError):
        server.authorizer.check_path(WE, "get", "/metrics")


class TestEscalation:
    MANAGE = rule(["roles", "rolebindings"], "create", "update", "patch", group="rbac.authorization.k8s.io")

    def test_nobody_grants_what_he_does_not_hold(self, server):
        grant(server, self.MANAGE, rule(["pods"], "get", group=""))
        wider = {"metadata": {"name": "wide"}, "rules": [rule(["pods", "secrets"], "get", "delete", group="")]}
        with pytest.raises(ApiError) as caught:
            server.create(WE, ROLES, "ns", wider)
        assert caught.value.message == (
            f'roles.rbac.authorization.k8s.io "wide" is forbidden: user "{WE_NAME}" (groups=["system:serviceaccounts" '
            '"system:serviceaccounts:kubernaut-system" "system:authenticated"]) is attempting to grant RBAC '
            'permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}'
        )

    def test_what_he_holds_he_may_grant(self, server):
        grant(server, self.MANAGE, rule(["pods"], "get", "list", group=""))
        narrow = {"metadata": {"name": "narrow"}, "rules": [rule(["pods"], "get", group="", names=("p",))]}
        assert server.create(WE, ROLES, "ns", narrow)["metadata"]["name"] == "narrow"

    def test_escalate_lifts_the_check(self, server):
        grant(server, self.MANAGE, rule(["roles"], "escalate", group="rbac.authorization.k8s.io"))
        wide = {"metadata": {"name": "wide"}, "rules": [rule(["*"], "*", group="*")]}
        assert server.create(WE, ROLES, "ns", wide)["rules"] == wide["rules"]

    def test_binding_a_role_needs_its_rights_or_the_verb_bind(self, server):
        grant(server, self.MANAGE)
        server.create(ADMIN, ROLES, "ns", {"metadata": {"name": "pods"}, "rules": [rule(["pods"], "get", group="")]})
        binding = {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "pods"}, "subjects": [SUBJECT]}
        with pytest.raises(ApiError, match="not currently held"):
            server.create(WE, ROLE_BINDINGS, "ns", binding)
        grant(server, rule(["roles"], "bind", group="rbac.authorization.k8s.io", names=("pods",)), name="binder")
        assert server.create(WE, ROLE_BINDINGS, "ns", binding)["roleRef"]["name"] == "pods"

    def test_binding_a_role_that_does_not_exist_is_a_404(self, server):
        grant(server, self.MANAGE)
        binding = {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "nope"}, "subjects": [SUBJECT]}
        with pytest.raises(ApiError, match=r'roles\.rbac\.authorization\.k8s\.io "nope" not found'):
            server.create(WE, ROLE_BINDINGS, "ns", binding)
