"""One webhook of a configuration: which requests it is called for.

Source: apiserver's admission/plugin/webhook (generic, predicates, matchconditions).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import Document, Resource
from sim.apiserver.admission import AdmissionRequest
from sim.apiserver.celrules import Expression
from sim.apiserver.errors import forbidden
from sim.apiserver.labelselector import selects
from sim.apiserver.webhookkinds import GROUP

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
_NONE: Mapping[str, Any] = {}


class Hook:
    """``identity`` tells it from all others."""

    def __init__(self, configuration: str, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.identity = f"{configuration}/{self.name}"
        self.ignores_failures = spec.get("failurePolicy") == "Ignore"
        self.reinvocable = spec.get("reinvocationPolicy") == "IfNeeded"
        self._conditions = [Expression(one["expression"]) for one in spec.get("matchConditions") or ()]

    def resource_for(self, server: "ApiServer", request: AdmissionRequest) -> Resource | None:
        """The resource in whose version the webhook wants the request; None where it is not to be called.

        Raises ApiError 403 where a condition cannot be told and failures are not ignored.
        """
        if request.resource.group == GROUP or not self._selected(server, request):
            return None
        found = next((one for one in self._versions(server, request) if self._ruled(one, request)), None)
        return found if found is None or self._conditions_hold(request, found) else None

    def _selected(self, server: "ApiServer", request: AdmissionRequest) -> bool:
        selector = self.spec.get("namespaceSelector") or _NONE
        own = request.resource.plural == "namespaces" and not request.resource.group
        namespace = request.name if own else request.namespace
        if selector and namespace:
            document = request.new if own and request.new is not None else server.find(_NAMESPACES, "", namespace)
            if document is None or not selects(selector, _labels(document)):
                return False
        selector = self.spec.get("objectSelector") or _NONE
        if not selector:
            return True
        return any(selects(selector, _labels(one)) for one in (request.new, request.old) if one is not None)

    def _versions(self, server: "ApiServer", request: AdmissionRequest) -> list[Resource]:
        """The requested version, and where the policy is ``Equivalent`` the others in which the resource is served."""
        asked = request.resource
        if self.spec.get("matchPolicy") == "Exact":
            return [asked]
        others = [one.resource for one in server.registry.all() if one.table is server.registry.find(asked).table]
        return [asked, *(one for one in others if one != asked)]

    def _ruled(self, resource: Resource, request: AdmissionRequest) -> bool:
        return any(_matches(rule, resource, request) for rule in self.spec.get("rules") or ())

    def _conditions_hold(self, request: AdmissionRequest, resource: Resource) -> bool:
        variables = {"object": request.new, "oldObject": request.old, "request": described(request, resource)}
        complaint = ""
        for condition in self._conditions:
            try:
                if condition.value(variables) is not True:
                    return False
            except ValueError as error:
                complaint = complaint or str(error)
        if complaint and not self.ignores_failures:
            raise forbidden(request.resource, request.name, complaint)
        return not complaint


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
