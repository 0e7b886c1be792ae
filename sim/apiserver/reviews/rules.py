"""SelfSubjectRulesReviews: everything that one may do in a namespace, rule by rule."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.errors import bad_request
from sim.apiserver.identity import User
from sim.apiserver.policy import bootstrap_rules, matching_subject
from sim.apiserver.rbac import CLUSTER_ROLE_BINDINGS, MASTERS, ROLE_BINDINGS, Authorizer
from sim.apiserver.reviews.kinds import SELF_RULES

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_EVERYTHING = ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]})
_OF_RESOURCES = ("verbs", "apiGroups", "resources", "resourceNames")
_OF_PATHS = ("verbs", "nonResourceURLs")


def rules_review(server: "ApiServer", user: User, body: Document) -> Document:
    """The rules as their Roles spell them. Raises ApiError 400."""
    namespace = (body.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    authorizer = server.authorizer
    found = list(_EVERYTHING if authorizer is None else _rules(server, authorizer, user, namespace))
    resources = [_kept(rule, _OF_RESOURCES) for rule in found if rule.get("resources")]
    paths = [_kept(rule, _OF_PATHS) for rule in found if rule.get("nonResourceURLs")]
    status: dict[str, Any] = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    errors = [] if authorizer is None else [one for at in ("", namespace) for one in authorizer.held(user, at).errors]
    if errors:
        status["evaluationError"] = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    return {
        "kind": SELF_RULES.kind,
        "apiVersion": SELF_RULES.api_version,
        "metadata": {},
        "spec": {},
        "status": status,
    }


def _rules(server: "ApiServer", authorizer: Authorizer, user: User, namespace: str) -> Iterator[Mapping[str, Any]]:
    if MASTERS in user.groups:
        yield from _EVERYTHING
    for rule in bootstrap_rules(user.groups):
        yield {
            "verbs": sorted(rule.verbs),
            "apiGroups": sorted(rule.groups),
            "resources": sorted(rule.resources),
            "nonResourceURLs": list(rule.paths),
        }
    for bindings, scope in ((CLUSTER_ROLE_BINDINGS, ""), (ROLE_BINDINGS, namespace)):
        for binding in server.items(bindings, scope):
            if matching_subject(binding, user) is None:
                continue
            role = authorizer.role(binding["roleRef"], scope)
            yield from (role or {}).get("rules") or ()


def _kept(rule: Mapping[str, Any], fields: tuple[str, ...]) -> Document:
    return {field: rule[field] for field in fields if rule.get(field)}
