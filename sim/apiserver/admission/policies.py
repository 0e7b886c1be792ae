"""ValidatingAdmissionPolicy: rules in CEL about what may be written, bound to where they count.

Source: apiserver's admission/plugin/policy/validating. Cost budgets, the authorizer variable, parameters chosen by
labels and audit annotations are not modelled.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from controller.ports import ApiError, Document, Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.admission.match import Match, described
from sim.apiserver.admission.policykinds import BINDINGS, POLICIES
from sim.apiserver.celrules import Conditions, Expression
from sim.apiserver.errors import forbidden

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_MESSAGE_MAX = 5 * 1024
_NONE: Mapping[str, Any] = {}


class Complaint(NamedTuple):
    message: str
    reason: str = "Invalid"


class _Validation:
    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._source: str = spec["expression"].strip()
        self._expression = Expression(spec["expression"])
        self._message: str = (spec.get("message") or "").strip() or f"failed expression: {self._source}"
        told = spec.get("messageExpression")
        self._message_expression = Expression(told) if told else None
        self._reason: str = spec.get("reason") or "Invalid"

    def complaint(self, variables: Mapping[str, Any]) -> Complaint | None:
        """Raises ValueError where it cannot be told."""
        try:
            if self._expression.value(variables) is True:
                return None
        except ValueError as error:
            raise ValueError(f"expression '{self._source}' resulted in error: {error}") from None
        return Complaint(self._told(variables), self._reason)

    def _told(self, variables: Mapping[str, Any]) -> str:
        if self._message_expression is None:
            return self._message
        try:
            text = self._message_expression.value(variables)
        except ValueError:
            return self._message
        usable = type(text) is str and text.strip() and "\n" not in text.strip() and len(text) <= _MESSAGE_MAX
        return text.strip() if usable else self._message


class Policy:
    """One policy, compiled."""

    def __init__(self, document: Document) -> None:
        self.name: str = document["metadata"]["name"]
        spec = document["spec"]
        self.fails = spec.get("failurePolicy") != "Ignore"
        self.param_kind: Mapping[str, Any] | None = spec.get("paramKind")
        match = spec["matchConstraints"]
        self.match = Match(match, match.get("resourceRules") or (), match.get("excludeResourceRules") or ())
        self._conditions = Conditions(spec.get("matchConditions") or ())
        self._variables = [(one["name"], Expression(one["expression"])) for one in spec.get("variables") or ()]
        self._validations = [_Validation(one) for one in spec.get("validations") or ()]

    def complaints(self, variables: dict[str, Any]) -> Iterator[Complaint]:
        """What the policy has against a request."""
        try:
            if not self._conditions.hold(variables):
                return
        except ValueError as error:
            if self.fails:
                yield Complaint(str(error))
            return
        known: dict[str, Any] = {}
        variables = {**variables, "variables": known}
        for name, expression in self._variables:
            try:
                known[name] = expression.value(variables)
            except ValueError:
                continue  # whoever uses it cannot be told, either
        for validation in self._validations:
            try:
                complaint = validation.complaint(variables)
            except ValueError as error:
                complaint = Complaint(str(error)) if self.fails else None
            if complaint is not None:
                yield complaint


class Policies:
    """The admission plugin."""

    def __init__(self, server: "ApiServer") -> None:
        self._server = server
        self._bound: list[tuple[Policy, list[Document]]] | None = None
        server.observe(self._forget, POLICIES, BINDINGS)
        operations = ("CREATE", "UPDATE", "DELETE")
        server.admission.validate(self._validate, operations=operations, active=lambda: bool(self._policies()))

    def _forget(self, *_: object) -> None:
        self._bound = None
        self._server.admission.reconsider()

    def _policies(self) -> list[tuple[Policy, list[Document]]]:
        """Policies that are bound, by name, each with its bindings."""
        if self._bound is None:
            bindings: dict[str, list[Document]] = {}
            for one in self._server.items(BINDINGS):
                bindings.setdefault(one["spec"]["policyName"], []).append(one)
            documents = [one for one in self._server.items(POLICIES) if one["metadata"]["name"] in bindings]
            self._bound = [(Policy(one), bindings[one["metadata"]["name"]]) for one in documents]
        return self._bound

    def _validate(self, request: AdmissionRequest) -> None:
        denied: list[tuple[Complaint, str]] = []
        for policy, bindings in self._policies():
            resource = policy.match.resource_for(self._server, request)
            if resource is None:
                continue
            for binding in bindings:
                for complaint in self._complaints(policy, binding, request, resource):
                    self._act(policy, binding, complaint, denied)
        if denied:
            raise _denial(request, *denied[0])

    def _complaints(
        self, policy: Policy, binding: Document, request: AdmissionRequest, resource: Resource
    ) -> Iterator[Complaint]:
        match = binding["spec"].get("matchResources") or _NONE
        rules, excluded = match.get("resourceRules") or (), match.get("excludeResourceRules") or ()
        if Match(match, rules, excluded).resource_for(self._server, request) is None:
            return
        variables: dict[str, Any] = {
            "object": request.new,
            "oldObject": request.old,
            "request": described(request, resource),
            "namespaceObject": self._server.find(_NAMESPACES, "", request.namespace) if request.namespace else None,
        }
        if policy.param_kind is not None:
            params = self._params(policy.param_kind, binding["spec"].get("paramRef") or _NONE, request)
            if params is None:
                if (binding["spec"].get("paramRef") or _NONE).get("parameterNotFoundAction") == "Deny" and policy.fails:
                    text = "no params found for policy binding with `Deny` parameterNotFoundAction"
                    yield Complaint(f"failed to configure binding: {text}")
                return
            variables["params"] = params
        yield from policy.complaints(variables)

    def _params(
        self, kind: Mapping[str, Any], reference: Mapping[str, Any], request: AdmissionRequest
    ) -> Document | None:
        served = self._server.registry.of_kind(kind["apiVersion"], kind["kind"])
        if served is None or not reference.get("name"):
            return None
        namespace = reference.get("namespace") or request.namespace if served.resource.namespaced else ""
        return served.table.find(namespace, reference["name"])

    def _act(
        self, policy: Policy, binding: Document, complaint: Complaint, denied: list[tuple[Complaint, str]]
    ) -> None:
        by = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding['metadata']['name']}'"
        actions = binding["spec"].get("validationActions") or ()
        if "Deny" in actions:
            denied.append((complaint, f"{by} denied request: {complaint.message}"))
        if "Warn" in actions and self._server.warn is not None:
            self._server.warn(f"Validation failed for {by}: {complaint.message}")


def _denial(request: AdmissionRequest, complaint: Complaint, message: str) -> ApiError:
    """A refusal as admission plugins make it, under the reason of the validation."""
    error = forbidden(request.resource, request.name, message)
    details = {**error.details, "causes": [{"message": message}]}
    return ApiError(_CODES.get(complaint.reason, 422), complaint.reason, error.message, details)
