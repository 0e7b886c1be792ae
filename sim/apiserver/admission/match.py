"""Which requests an admission webhook or policy is meant for: rules, selectors, versions.

Source: apiserver's admission/plugin/webhook/predicates and admission/plugin/policy/matching.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import Document, Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.labelselector import selects

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

GROUP = "admissionregistration.k8s.io"
_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
_NONE: Mapping[str, Any] = {}
Rules = Sequence[Mapping[str, Any]]


class Match:
    """``spec`` holds selectors and the match policy.

    No ``rules`` match everything; what is ``excluded`` never matches.
    """

    def __init__(self, spec: Mapping[str, Any], rules: Rules, excluded: Rules = ()) -> None:
        self._spec = spec
        self._rules = rules
        self._excluded = excluded

    def resource_for(self, server: "ApiServer", request: AdmissionRequest) -> Resource | None:
        """The resource in whose version the request is wanted; None where it is not."""
        if request.resource.group == GROUP or not self._selected(server, request):
            return None
        versions = self._versions(server, request)
        if any(_ruled(self._excluded, one, request) for one in versions):
            return None
        if not self._rules:
            return request.resource
        return next((one for one in versions if _ruled(self._rules, one, request)), None)

    def _selected(self, server: "ApiServer", request: AdmissionRequest) -> bool:
        selector = self._spec.get("namespaceSelector") or _NONE
        own = request.resource.plural == "namespaces" and not request.resource.group
        namespace = request.name if own else request.namespace
        if selector and namespace:
            document = request.new if own and request.new is not None else server.find(_NAMESPACES, "", namespace)
            if document is None or not selects(selector, _labels(document)):
                return False
        selector = self._spec.get("objectSelector") or _NONE
        if not selector:
            return True
        return any(selects(selector, _labels(one)) for one in (request.new, request.old) if one is not None)

    def _versions(self, server: "ApiServer", request: AdmissionRequest) -> list[Resource]:
        """The requested version, and where the policy is ``Equivalent`` the others in which the resource is served."""
        asked = request.resource
        if self._spec.get("matchPolicy") != "Equivalent":
            return [asked]
        table = server.registry.find(asked).table
        others = [one.resource for one in server.registry.all() if one.table is table]
        return [asked, *(one for one in others if one != asked)]


def _ruled(rules: Rules, resource: Resource, request: AdmissionRequest) -> bool:
    return any(_matches(rule, resource, request) for rule in rules)


def described(request: AdmissionRequest, resource: Resource) -> dict[str, Any]:
    """An AdmissionReview's request, without what makes this one unique and without the objects."""
    asked, user = request.resource, request.user
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    described_request: dict[str, Any] = {
        "kind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "resource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "requestKind": {"group": asked.group, "version": asked.version, "kind": asked.kind},
        "requestResource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
        "operation": request.operation,
        "userInfo": info,
        "dryRun": request.dry_run,
    }
    own = asked.plural == "namespaces" and not asked.group
    optional = {
        "subResource": request.subresource,
        "requestSubResource": request.subresource,
        "name": request.name,
        "namespace": request.name if own else request.namespace,
    }
    return {**described_request, **{key: text for key, text in optional.items() if text}}


def _labels(document: Document) -> Mapping[str, str]:
    return (document.get("metadata") or _NONE).get("labels") or _NONE


def _matches(rule: Mapping[str, Any], resource: Resource, request: AdmissionRequest) -> bool:
    scope = rule.get("scope", "*")
    if scope != "*" and (scope == "Namespaced") is not bool(request.namespace):
        return False
    names = rule.get("resourceNames")
    if names and request.name not in names:
        return False
    return (
        _among(request.operation, rule["operations"])
        and _among(resource.group, rule["apiGroups"])
        and _among(resource.version, rule["apiVersions"])
        and any(_names(one, resource.plural, request.subresource) for one in rule["resources"])
    )


def _among(value: str, wanted: list[str]) -> bool:
    return "*" in wanted or value in wanted


def _names(pattern: str, plural: str, subresource: str) -> bool:
    wanted, _, sub = pattern.partition("/")
    return wanted in ("*", plural) and sub in ("*", subresource)
