"""The strategies that make the builtin kinds behave: which class serves which resource."""

from sim.apiserver.admission.limitkinds import LimitRanges, ResourceQuotas
from sim.apiserver.admission.match import GROUP
from sim.apiserver.admission.policykinds import AdmissionBindings, AdmissionPolicies
from sim.apiserver.admission.webhookkinds import WebhookConfigurations
from sim.apiserver.corekinds import ConfigMaps, Events, Leases, Secrets
from sim.apiserver.crds import CheckedDefinitions
from sim.apiserver.pods import CheckedPods
from sim.apiserver.registry import Registry
from sim.apiserver.rolekinds import Bindings, Roles
from sim.apiserver.strategy import Strategy
from sim.apiserver.workloads import Deployments, Jobs


def standard(registry: Registry) -> None:
    """Give every builtin kind that needs one its defaulting and validating strategy."""
    rbac = "rbac.authorization.k8s.io"
    strategies: dict[tuple[str, str], Strategy] = {
        ("", "pods"): CheckedPods(),
        ("", "configmaps"): ConfigMaps(),
        ("", "secrets"): Secrets(),
        ("", "events"): Events(),
        ("", "resourcequotas"): ResourceQuotas(),
        ("", "limitranges"): LimitRanges(),
        ("coordination.k8s.io", "leases"): Leases(),
        ("apps", "deployments"): Deployments(),
        ("batch", "jobs"): Jobs(),
        (rbac, "roles"): Roles(namespaced=True),
        (rbac, "clusterroles"): Roles(namespaced=False),
        (rbac, "rolebindings"): Bindings(namespaced=True),
        (rbac, "clusterrolebindings"): Bindings(namespaced=False),
        (GROUP, "validatingwebhookconfigurations"): WebhookConfigurations(mutating=False),
        (GROUP, "mutatingwebhookconfigurations"): WebhookConfigurations(mutating=True),
        (GROUP, "validatingadmissionpolicies"): AdmissionPolicies(),
        (GROUP, "validatingadmissionpolicybindings"): AdmissionBindings(),
        ("apiextensions.k8s.io", "customresourcedefinitions"): CheckedDefinitions(),
    }
    for (group, plural), strategy in strategies.items():
        registry.named(group, plural).strategy = strategy
