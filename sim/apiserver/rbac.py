"""Role-based authorisation: Roles and bindings read from the store, decisions cached until one of them changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from controller.ports import ApiError, Document, Resource, WatchType
from sim.apiserver.identity import User
from sim.apiserver.policy import Attributes, Rule, bootstrap_rules, matching_subject, parsed
from sim.apiserver.reader import Reader

GROUP = "rbac.authorization.k8s.io"
ROLES = Resource(GROUP, "v1", "roles", "Role")
ROLE_BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource(GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
RULES = (ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)
"""The resources whose every change may change a decision."""
MASTERS = "system:masters"

_Key = tuple[str, str, str, str, str]
_NAMELESS_VERBS = frozenset(("create", "list", "watch", "deletecollection"))


@dataclass(frozen=True, slots=True)
class _Granted:
    """What one user holds in one namespace (``""``: at the cluster scope), and references that lead nowhere."""

    rules: tuple[Rule, ...]
    errors: tuple[str, ...]


class Authorizer:
    """Decides by RBAC. ``system:masters`` may do everything.

    The rules are those of the Role, ClusterRole, RoleBinding and ClusterRoleBinding objects at the moment of the
    decision; aggregation of ClusterRoles is not modelled.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._granted: dict[tuple[User, str], _Granted] = {}
        self._decisions: dict[User, dict[_Key, bool | None]] = {}
        reader.observe(self._changed, *RULES)

    def _changed(self, _type: WatchType, resource: Resource, _old: Document | None, _new: Document) -> None:
        if resource.group == GROUP:
            self._granted.clear()
            for decisions in self._decisions.values():
                decisions.clear()

    def for_user(self, user: User) -> Callable[[str, Resource, str, str, str], None]:
        """``check(verb, resource, namespace, name, subresource)`` for one identity; raises ApiError 403.

        ``name`` is the one of the request's path. A caller keeps the check: one lookup when it was decided before.
        """
        if MASTERS in user.groups:
            return _allow
        decisions = self._decisions.setdefault(user, {})

        def check(verb: str, resource: Resource, namespace: str, name: str, subresource: str) -> None:
            if not namespace and name and resource.plural == "namespaces" and not resource.group:
                namespace = name  # a request for a namespace counts as one inside it
            key = (verb, resource.plural, resource.group, subresource, namespace)
            if decisions.get(key):
                return
            plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
            wanted = Attributes(verb, resource.group, plural, namespace, name)
            if key not in decisions:
                decisions[key] = self._decide_for_any_name(user, wanted)
            if decisions[key] is False or not self.allows(user, wanted):
                raise self._refusal(user, resource, wanted)

        return check

    def always_allows(self, user: User, verb: str, resource: Resource, namespace: str, subresource: str) -> bool:
        """Whether :meth:`for_user` has decided so whatever the object's name, and would again."""
        if MASTERS in user.groups:
            return True
        if resource.plural == "namespaces" and not resource.group:
            return False  # each name is a namespace of its own
        decisions = self._decisions.get(user)
        key = (verb, resource.plural, resource.group, subresource, namespace)
        return decisions is not None and decisions.get(key) is True

    def allows(self, user: User, wanted: Attributes) -> bool:
        return self.reason(user, wanted) is not None

    def reason(self, user: User, wanted: Attributes) -> str | None:
        """Why ``user`` may, as a SubjectAccessReview reports it (empty for system:masters); None if he may not."""
        if MASTERS in user.groups:
            return ""
        return next((rule.reason for rule in self._rules(user, wanted.namespace) if rule.covers(wanted)), None)

    def path_reason(self, user: User, verb: str, path: str) -> str | None:
        """Why ``user`` may ask for a path that is no resource (``/version``); None if he may not."""
        if MASTERS in user.groups:
            return ""
        return next((rule.reason for rule in self.held(user, "").rules if rule.covers_path(verb, path)), None)

    def check_path(self, user: User, verb: str, path: str) -> None:
        """Authorise a request for a path that is no resource. Raises ApiError 403."""
        if self.path_reason(user, verb, path) is not None:
            return
        raise ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{path}"')

    def held(self, user: User, namespace: str) -> _Granted:
        """What ``user`` holds by bindings of exactly this scope; ``""`` is the cluster's."""
        key = (user, namespace)
        granted = self._granted.get(key)
        if granted is None:
            granted = self._granted[key] = self._collect(user, namespace)
        return granted

    def _rules(self, user: User, namespace: str) -> Iterator[Rule]:
        yield from self.held(user, "").rules
        if namespace:
            yield from self.held(user, namespace).rules

    def _collect(self, user: User, namespace: str) -> _Granted:
        rules = [] if namespace else bootstrap_rules(user.groups)
        errors: list[str] = []
        bindings = self._reader.items(ROLE_BINDINGS if namespace else CLUSTER_ROLE_BINDINGS, namespace)
        for binding in bindings:
            subject = matching_subject(binding, user)
            if subject is None:
                continue
            role_ref = binding["roleRef"]
            role = self.role(role_ref, namespace)
            if role is None:
                errors.append(f'{role_ref["kind"].lower()}.{GROUP} "{role_ref["name"]}" not found')
                continue
            name = binding["metadata"]["name"]
            where = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
            reason = f'RBAC: allowed by {where} of {role_ref["kind"]} "{role_ref["name"]}" to {subject}'
            rules.extend(parsed(rule, reason) for rule in role.get("rules") or ())
        return _Granted(tuple(rules), tuple(errors))

    def role(self, role_ref: Document, namespace: str) -> Document | None:
        """The Role or ClusterRole a binding refers to."""
        if role_ref["kind"] == "ClusterRole":
            return self._reader.find(CLUSTER_ROLES, "", role_ref["name"])
        return self._reader.find(ROLES, namespace, role_ref["name"])

    def _decide_for_any_name(self, user: User, wanted: Attributes) -> bool | None:
        """True and False hold whatever the object's name; None depends on it (``resourceNames``)."""
        covering = [rule for rule in self._rules(user, wanted.namespace) if rule.covers_any_name(wanted)]
        if any(not rule.names for rule in covering):
            return True
        return None if covering else False

    def _refusal(self, user: User, resource: Resource, wanted: Attributes) -> ApiError:
        name = "" if wanted.verb in _NAMELESS_VERBS and "/" not in wanted.resource else wanted.name
        scope = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
        text = (
            f'User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" '
            f'in API group "{wanted.group}" {scope}'
        )
        scopes = ("", wanted.namespace) if wanted.namespace else ("",)
        errors = [error for one in scopes for error in self.held(user, one).errors]
        if errors:
            text += f": RBAC: {errors[0]}" if len(errors) == 1 else f": RBAC: [{', '.join(errors)}]"
        shown = f'{resource.group_resource} "{name}"' if name else resource.group_resource
        details = {"kind": resource.plural}
        if name:
            details["name"] = name
        if resource.group:
            details["group"] = resource.group
        return ApiError(403, "Forbidden", f"{shown} is forbidden: {text}", details)


def _allow(_verb: str, _resource: Resource, _namespace: str, _name: str, _subresource: str) -> None:
    return None
