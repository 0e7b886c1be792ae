"""Strategies of Roles, ClusterRoles and their bindings."""

from collections.abc import Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.builtin import Named
from sim.apiserver.causes import bad_value, unsupported
from sim.apiserver.errors import Cause, required
from sim.apiserver.known import known_fields

_COMMON = ("apiVersion", "kind", "metadata")
_GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


class Roles(Named):
    """Roles, or ClusterRoles where not ``namespaced``."""

    _FIELDS = frozenset((*_COMMON, "rules", "aggregationRule"))

    def __init__(self, *, namespaced: bool) -> None:
        self._namespaced = namespaced

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, self._FIELDS)
        return (body if "rules" in body else {**body, "rules": None}), unknown

    def validate_create(self, new: Document) -> Sequence[Cause]:
        causes: list[Cause] = []
        for index, rule in enumerate(new["rules"] or ()):
            causes.extend(_check_rule(rule, f"rules[{index}]", self._namespaced))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return self.validate_create(new)


def _check_rule(rule: Document, path: str, namespaced: bool) -> list[Cause]:
    causes: list[Cause] = []
    if not rule.get("verbs"):
        causes.append(required(f"{path}.verbs", "verbs must contain at least one value"))
    urls = rule.get("nonResourceURLs")
    if urls:
        field = f"{path}.nonResourceURLs"
        if namespaced:
            causes.append(bad_value(field, urls, "namespaced rules cannot apply to non-resource URLs"))
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            causes.append(bad_value(field, urls, text))
        return causes
    if not rule.get("apiGroups"):
        causes.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        causes.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return causes


class Bindings(Named):
    """RoleBindings, or ClusterRoleBindings where not ``namespaced``."""

    _FIELDS = frozenset((*_COMMON, "roleRef", "subjects"))

    def __init__(self, *, namespaced: bool) -> None:
        self._roles = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, self._FIELDS)
        full: dict[str, Any] = {**body, "roleRef": {"apiGroup": _GROUP, **(body.get("roleRef") or {})}}
        if body.get("subjects"):
            full["subjects"] = [_subject(one) for one in body["subjects"]]
        return full, unknown

    def validate_create(self, new: Document) -> Sequence[Cause]:
        role = new["roleRef"]
        causes: list[Cause] = []
        if role.get("kind") not in self._roles:
            causes.append(unsupported("roleRef.kind", role.get("kind", ""), self._roles))
        if not role.get("name"):
            causes.append(required("roleRef.name"))
        for index, subject in enumerate(new.get("subjects") or ()):
            causes.extend(_check_subject(subject, f"subjects[{index}]"))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        causes = list(self.validate_create(new))
        if new["roleRef"] != old["roleRef"]:
            causes.append(bad_value("roleRef", new["roleRef"], "cannot change roleRef"))
        return causes


def _subject(subject: Document) -> Document:
    return subject if subject.get("kind") == "ServiceAccount" else {"apiGroup": _GROUP, **subject}


def _check_subject(subject: Document, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if not subject.get("name"):
        causes.append(required(f"{path}.name"))
    kind = subject.get("kind", "")
    if kind == "ServiceAccount" and not subject.get("namespace"):
        causes.append(required(f"{path}.namespace"))
    if kind not in _SUBJECTS:
        causes.append(unsupported(f"{path}.kind", kind, _SUBJECTS))
    return causes
