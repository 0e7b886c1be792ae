"""Taking permissions away, in the words of the features."""

from collections.abc import Mapping
from typing import Any

from controller.ports import Cluster, Document, Resource
from scenarios.errors import BadInput

ACCOUNTS: Mapping[str, str] = {
    "the controller": "workflowexecution-controller",
    "the workflow's service account": "kubernaut-workflow-runner",
}
ACTIONS: Mapping[str, tuple[str, str, str]] = {
    "start runs": ("create", "tekton.dev", "pipelineruns"),
    "patch deployments": ("patch", "apps", "deployments"),
    "read deployments": ("get", "apps", "deployments"),
}
"""What may be forbidden: verb, API group, resource."""

_RBAC = "rbac.authorization.k8s.io"
_ROLES = tuple(
    (Resource(_RBAC, "v1", plural, kind, namespaced), Resource(_RBAC, "v1", bindings, f"{kind}Binding", namespaced))
    for plural, bindings, kind, namespaced in (
        ("clusterroles", "clusterrolebindings", "ClusterRole", False),
        ("roles", "rolebindings", "Role", True),
    )
)


def check(account: str, action: str) -> None:
    """Raises BadInput for words that name no account or no action."""
    if account not in ACCOUNTS:
        raise BadInput("step", f'"{account}" is no account', " or ".join(f'"{known}"' for known in ACCOUNTS))
    if action not in ACTIONS:
        raise BadInput("step", f'"{action}" cannot be forbidden', " or ".join(f'"{known}"' for known in ACTIONS))


async def forbid(admin: Cluster, account: str, action: str) -> None:
    """Take ``action`` out of every role that is bound to ``account``."""
    check(account, action)
    subject, (verb, group, plural) = ACCOUNTS[account], ACTIONS[action]
    for roles, bindings in _ROLES:
        for binding in (await admin.list(bindings))["items"]:
            if any(each.get("name") == subject for each in binding.get("subjects") or ()):
                await _strip(admin, roles, binding, verb, group, plural)


async def _strip(admin: Cluster, roles: Resource, binding: Document, verb: str, group: str, plural: str) -> None:
    namespace = binding["metadata"].get("namespace", "") if binding["roleRef"]["kind"] == roles.kind else ""
    role_resource = roles if binding["roleRef"]["kind"] == roles.kind else _ROLES[0][0]
    role = await admin.get(role_resource, namespace, binding["roleRef"]["name"])
    rules = [_without(rule, verb, group, plural) for rule in role.get("rules") or ()]
    await admin.update(role_resource, namespace, role["metadata"]["name"], {**role, "rules": rules})


def _without(rule: Mapping[str, Any], verb: str, group: str, plural: str) -> Mapping[str, Any]:
    if group in rule.get("apiGroups", ()) and plural in rule.get("resources", ()):
        return {**rule, "verbs": [each for each in rule["verbs"] if each != verb] or ["none"]}
    return rule
