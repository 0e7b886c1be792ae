"""Nobody grants what he does not hold: the check on writes of roles and bindings."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from controller.ports import Document
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import forbidden, not_found
from sim.apiserver.identity import User
from sim.apiserver.policy import Attributes, Rule
from sim.apiserver.rbac import CLUSTER_ROLES, GROUP, MASTERS, ROLES, Authorizer

RESOURCES = tuple(f"{plural}.{GROUP}" for plural in ("roles", "clusterroles", "rolebindings", "clusterrolebindings"))


class EscalationCheck:
    """An admission plugin for :data:`RESOURCES`, on CREATE and UPDATE."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, request: AdmissionRequest) -> None:
        """Raises ApiError 403 listing the missing rights, or 404 where a binding's role does not exist."""
        new, old = request.new, request.old
        if new is None or MASTERS in request.user.groups:
            return
        if request.resource.kind in ("Role", "ClusterRole"):
            changed = old is None or new.get("rules") != old.get("rules")
            if changed and not self._may(request, "escalate", request.resource.plural, request.name):
                self._confirm(request, new.get("rules") or ())
        elif old is None or new.get("subjects") != old.get("subjects"):
            self._check_binding(request, new["roleRef"])

    def _check_binding(self, request: AdmissionRequest, role_ref: Document) -> None:
        resource = CLUSTER_ROLES if role_ref["kind"] == "ClusterRole" else ROLES
        if self._may(request, "bind", resource.plural, role_ref["name"]):
            return
        role = self._authorizer.role(role_ref, request.namespace)
        if role is None:
            raise not_found(resource, role_ref["name"])
        self._confirm(request, role.get("rules") or ())

    def _may(self, request: AdmissionRequest, verb: str, plural: str, name: str) -> bool:
        return self._authorizer.allows(request.user, Attributes(verb, GROUP, plural, request.namespace, name))

    def _confirm(self, request: AdmissionRequest, rules: Iterable[Mapping[str, Any]]) -> None:
        held = list(self._authorizer.held(request.user, "").rules)
        if request.namespace:
            held.extend(self._authorizer.held(request.user, request.namespace).rules)
        missing = sorted({text for rule in rules for text in _missing(rule, held)})
        if missing:
            raise forbidden(request.resource, request.name, _refusal(request.user, missing))


def _refusal(user: User, missing: Sequence[str]) -> str:
    return (
        f'user "{user.name}" (groups={_quoted(user.groups)}) is attempting to grant RBAC permissions '
        "not currently held:\n" + "\n".join(missing)
    )


def _missing(rule: Mapping[str, Any], held: Sequence[Rule]) -> list[str]:
    """The parts of ``rule`` that no held rule covers, one per resource or path, verbs together."""
    verbs = rule.get("verbs") or ()
    lines: list[str] = []
    for group, resource in product(rule.get("apiGroups") or (), rule.get("resources") or ()):
        for name in rule.get("resourceNames") or ("",):
            lacking = [v for v in verbs if not any(_covers(one, v, group, resource, name) for one in held)]
            if lacking:
                named = f"ResourceNames:{_quoted([name])}, " if name else ""
                lines.append(
                    f"{{APIGroups:{_quoted([group])}, Resources:{_quoted([resource])}, "
                    f"{named}Verbs:{_quoted(lacking)}}}"
                )
    for path in rule.get("nonResourceURLs") or ():
        lacking = [v for v in verbs if not any(one.covers_path(v, path) for one in held)]
        if lacking:
            lines.append(f"{{NonResourceURLs:{_quoted([path])}, Verbs:{_quoted(lacking)}}}")
    return lines


def _covers(held: Rule, verb: str, group: str, resource: str, name: str) -> bool:
    if not name and held.names:
        return False
    return held.covers(Attributes(verb, group, resource, "", name))


def _quoted(words: Iterable[str]) -> str:
    return "[" + " ".join(f'"{word}"' for word in words) + "]"
