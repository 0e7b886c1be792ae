"""Strategies of ValidatingAdmissionPolicies and their bindings.

Source: pkg/apis/admissionregistration (v1 defaults, validation). Expressions are compiled, but their types not checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.admission.match import GROUP
from sim.apiserver.admission.webhookkinds import condition_causes, rule_causes
from sim.apiserver.causes import bad_value, duplicate
from sim.apiserver.celrules import Expression, RuleError
from sim.apiserver.errors import Cause, not_supported, required
from sim.apiserver.known import known_fields
from sim.apiserver.strategy import Strategy

POLICIES = Resource(GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False)
BINDINGS = Resource(GROUP, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False)

_FIELDS = frozenset(("apiVersion", "kind", "metadata", "spec", "status"))
_MATCH: Mapping[str, Any] = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
_FAILURE_POLICIES = ("Fail", "Ignore")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_NEEDED = "validations or auditAnnotations must contain at least one item"
_NONE: Mapping[str, Any] = {}


class AdmissionPolicies(Strategy):
    generation = True
    subresources = ("status",)

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        spec = body.get("spec") or _NONE
        if old is not None and spec is old.get("spec"):
            return body, unknown
        full = {"failurePolicy": "Fail", **spec}
        if spec.get("matchConstraints") is not None:
            full["matchConstraints"] = _defaulted(spec["matchConstraints"])
        return {**body, "spec": full}, unknown

    def prepare_create(self, new: Document) -> Document:
        return {**new, "status": {}}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return list(_policy_causes(new["spec"]))

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return () if new["spec"] is old["spec"] else self.validate_create(new)


class AdmissionBindings(Strategy):
    generation = True

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS - {"status"})
        spec = body.get("spec") or _NONE
        if spec.get("matchResources") is None or (old is not None and spec is old.get("spec")):
            return body, unknown
        return {**body, "spec": {**spec, "matchResources": _defaulted(spec["matchResources"])}}, unknown

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return list(_binding_causes(new.get("spec") or _NONE))

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return () if new.get("spec") is old.get("spec") else self.validate_create(new)


def _defaulted(match: Mapping[str, Any]) -> dict[str, Any]:
    full = {**_MATCH, **match}
    for key in ("resourceRules", "excludeResourceRules"):
        if full.get(key):
            full[key] = [{"scope": "*", **rule} for rule in full[key]]
    return full


def _match_causes(match: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(key) or ()):
            yield from rule_causes(rule, f"{field}.{key}[{index}]")


def _policy_causes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    if spec["failurePolicy"] not in _FAILURE_POLICIES:
        yield not_supported("spec.failurePolicy", spec["failurePolicy"], _FAILURE_POLICIES)
    match = spec.get("matchConstraints")
    if match is None:
        yield required("spec.matchConstraints")
    else:
        yield from _match_causes(match, "spec.matchConstraints")
        if not match.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")
    yield from condition_causes(spec.get("matchConditions") or (), "spec.matchConditions")
    for index, variable in enumerate(spec.get("variables") or ()):
        if not (variable.get("name") or "").strip():
            yield required(f"spec.variables[{index}].name", "name is not specified")
        yield from _expression_causes(variable.get("expression") or "", f"spec.variables[{index}].expression")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        yield required("spec.validations", _NEEDED)
        yield required("spec.auditAnnotations", _NEEDED)
    for index, validation in enumerate(spec.get("validations") or ()):
        field = f"spec.validations[{index}]"
        yield from _expression_causes(validation.get("expression") or "", f"{field}.expression")
        if "\n" in (validation.get("message") or "").strip():
            yield bad_value(f"{field}.message", validation["message"], "message must not contain line breaks")
        reason = validation.get("reason")
        if reason is not None and reason not in _REASONS:
            yield not_supported(f"{field}.reason", reason, _REASONS)


def _expression_causes(expression: str, field: str) -> Iterator[Cause]:
    if not expression.strip():
        yield required(field, "expression is not specified")
        return
    try:
        Expression(expression)
    except RuleError as error:
        yield bad_value(field, expression, f"compilation failed: {error}")


def _binding_causes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    if not spec.get("policyName"):
        yield required("spec.policyName")
    yield from _match_causes(spec.get("matchResources") or _NONE, "spec.matchResources")
    actions = spec.get("validationActions") or ()
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield not_supported(f"spec.validationActions[{index}]", action, _ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"spec.validationActions[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        text = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        yield bad_value("spec.validationActions", actions, text)
    if not actions:
        yield required("spec.validationActions", "at least one validation action is required")
