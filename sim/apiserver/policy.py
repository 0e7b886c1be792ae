"""RBAC rules: which verbs on which resources or paths one rule grants, and who a binding's subjects are."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from controller.ports import Document
from sim.apiserver.identity import User


class Attributes(NamedTuple):
    """One request as an authoriser sees it. ``resource`` is ``pods`` or ``pods/log``."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Rule(NamedTuple):
    """One PolicyRule, and the words that tell where it came from."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    paths: tuple[str, ...]
    reason: str

    def covers(self, wanted: Attributes) -> bool:
        return self.covers_any_name(wanted) and (not self.names or wanted.name in self.names)

    def covers_any_name(self, wanted: Attributes) -> bool:
        if "*" not in self.verbs and wanted.verb not in self.verbs:
            return False
        if "*" not in self.groups and wanted.group not in self.groups:
            return False
        if "*" in self.resources or wanted.resource in self.resources:
            return True
        _, slash, subresource = wanted.resource.partition("/")
        return bool(slash) and f"*/{subresource}" in self.resources

    def covers_path(self, verb: str, path: str) -> bool:
        if "*" not in self.verbs and verb not in self.verbs:
            return False
        return any(
            pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
            for pattern in self.paths
        )


def parsed(rule: Mapping[str, Any], reason: str = "") -> Rule:
    return Rule(
        frozenset(rule.get("verbs") or ()),
        frozenset(rule.get("apiGroups") or ()),
        frozenset(rule.get("resources") or ()),
        frozenset(rule.get("resourceNames") or ()),
        tuple(rule.get("nonResourceURLs") or ()),
        reason,
    )


def matching_subject(binding: Document, user: User) -> str | None:
    """The subject that makes ``binding`` apply to ``user``, as reasons spell it; None if none does."""
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.name == f"system:serviceaccount:{namespace}:{name}":
                return f'ServiceAccount "{name}/{namespace}"'
    return None


_DISCOVERY = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
)
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version", "/version/")


def bootstrap_rules(groups: Iterable[str]) -> list[Rule]:
    """What the bindings that every cluster starts with grant: discovery, one's own access reviews, version."""
    rules: list[Rule] = []
    held = frozenset(groups)
    if "system:authenticated" in held:
        basic = 'RBAC: allowed by ClusterRoleBinding "{0}" of ClusterRole "{0}" to Group "system:authenticated"'
        reviews = {"apiGroups": ["authorization.k8s.io"], "verbs": ["create"]}
        reviews["resources"] = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
        own = {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]}
        discovery = {"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}
        rules.append(parsed(reviews, basic.format("system:basic-user")))
        rules.append(parsed(own, basic.format("system:basic-user")))
        rules.append(parsed(discovery, basic.format("system:discovery")))
        public = {"nonResourceURLs": _PUBLIC, "verbs": ["get"]}
        rules.append(parsed(public, basic.format("system:public-info-viewer")))
    elif "system:unauthenticated" in held:
        name = "system:public-info-viewer"
        reason = (
            f'RBAC: allowed by ClusterRoleBinding "{name}" of ClusterRole "{name}" to Group "system:unauthenticated"'
        )
        rules.append(parsed({"nonResourceURLs": _PUBLIC, "verbs": ["get"]}, reason))
    return rules
