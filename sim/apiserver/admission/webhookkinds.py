"""Strategies of webhook configurations: their defaults, and what is wrong with them.

Source: pkg/apis/admissionregistration (v1 defaults, validation).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from controller.ports import Document, Resource
from sim.apiserver.admission.match import GROUP
from sim.apiserver.causes import bad_value, duplicate
from sim.apiserver.celrules import Expression, RuleError
from sim.apiserver.errors import Cause, not_supported, required
from sim.apiserver.known import known_fields
from sim.apiserver.names import qualified_name, subdomain
from sim.apiserver.strategy import Strategy

VALIDATING = Resource(GROUP, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False)
MUTATING = Resource(GROUP, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False)

_FIELDS = frozenset(("apiVersion", "kind", "metadata", "webhooks"))
_FORM = "; desired format: https://host[/path]"
_DEFAULTS: Mapping[str, Any] = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "failurePolicy": ("Fail", "Ignore"),
    "matchPolicy": ("Equivalent", "Exact"),
    "reinvocationPolicy": ("IfNeeded", "Never"),
}
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_REVIEW_VERSIONS = ("v1", "v1beta1")
_CONDITIONS_MAX = 64


class WebhookConfigurations(Strategy):
    generation = True

    def __init__(self, *, mutating: bool) -> None:
        self._defaults = {**_DEFAULTS, "reinvocationPolicy": "Never"} if mutating else _DEFAULTS

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        hooks = body.get("webhooks")
        if not hooks or (old is not None and hooks is old.get("webhooks")):
            return body, unknown
        return {**body, "webhooks": [self._defaulted(hook) for hook in hooks]}, unknown

    def _defaulted(self, hook: Mapping[str, Any]) -> Mapping[str, Any]:
        full = {**self._defaults, **{key: value for key, value in hook.items() if value is not None}}
        if full.get("rules"):
            full["rules"] = [{"scope": "*", **rule} for rule in full["rules"]]
        config = full.get("clientConfig") or {}
        if config.get("service"):
            full["clientConfig"] = {**config, "service": {"port": 443, **config["service"]}}
        return full

    def validate_create(self, new: Document) -> Sequence[Cause]:
        causes: list[Cause] = []
        seen: list[str] = []
        for index, hook in enumerate(new.get("webhooks") or ()):
            field = f"webhooks[{index}]"
            causes.extend(_hook_causes(hook, field))
            causes.extend(
                _version_causes(hook.get("admissionReviewVersions") or (), f"{field}.admissionReviewVersions")
            )
            name = hook.get("name", "")
            if name and name in seen:
                causes.append(duplicate(f"{field}.name", name))
            seen.append(name)
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return () if new.get("webhooks") is old.get("webhooks") else self.validate_create(new)


def _hook_causes(hook: Mapping[str, Any], field: str) -> Iterator[Cause]:
    yield from _name_causes(hook.get("name", ""), f"{field}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        yield from rule_causes(rule, f"{field}.rules[{index}]")
    for key, choices in _CHOICES.items():
        if key in hook and hook[key] not in choices:
            yield not_supported(f"{field}.{key}", hook[key], choices)
    effects = hook.get("sideEffects")
    if effects is None:
        yield required(f"{field}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    elif effects not in _SIDE_EFFECTS:
        yield not_supported(f"{field}.sideEffects", effects, _SIDE_EFFECTS)
    timeout = hook["timeoutSeconds"]
    if not 1 <= timeout <= 30:
        yield bad_value(f"{field}.timeoutSeconds", timeout, "the timeout value must be between 1 and 30 seconds")
    yield from _client_causes(hook.get("clientConfig") or {}, f"{field}.clientConfig")
    yield from condition_causes(hook.get("matchConditions") or (), f"{field}.matchConditions")


def _name_causes(name: str, field: str) -> Iterator[Cause]:
    complaints = subdomain(name) if name else ()
    if not name:
        yield required(field)
    elif complaints:
        yield bad_value(field, name, ",".join(complaints))
    elif name.count(".") < 2:
        yield bad_value(field, name, "should be a domain with at least three segments separated by dots")


def rule_causes(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """What is wrong with a rule."""
    operations = rule.get("operations") or ()
    if not operations:
        yield required(f"{field}.operations")
    if len(operations) > 1 and "*" in operations:
        yield bad_value(f"{field}.operations", operations, "if '*' is present, must not specify other operations")
    for index, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            yield not_supported(f"{field}.operations[{index}]", operation, _OPERATIONS)
    for key, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        values = rule.get(key) or ()
        if not values:
            yield required(f"{field}.{key}")
        if len(values) > 1 and "*" in values:
            yield bad_value(f"{field}.{key}", values, f"if '*' is present, must not specify other {what}")
    for index, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            yield required(f"{field}.apiVersions[{index}]")
    yield from _resource_causes(rule.get("resources") or (), f"{field}.resources")
    if rule["scope"] not in _SCOPES:
        yield not_supported(f"{field}.scope", rule["scope"], _SCOPES)


def _resource_causes(resources: Sequence[str], field: str) -> Iterator[Cause]:
    if not resources:
        yield required(field)
    whole: set[str] = set()
    everywhere: set[str] = set()
    plain = False
    for index, one in enumerate(resources):
        resource, slash, sub = one.partition("/")
        if not one:
            yield required(f"{field}[{index}]")
        if not slash:
            plain = one not in ("", "*")
            continue
        if resource in whole:
            yield bad_value(f"{field}[{index}]", one, f"if '{resource}/*' is present, must not specify {one}")
        if sub in everywhere:
            yield bad_value(f"{field}[{index}]", one, f"if '*/{sub}' is present, must not specify {one}")
        if sub == "*":
            whole.add(resource)
        if resource == "*":
            everywhere.add(sub)
    if len(resources) > 1 and "*/*" in resources:
        yield bad_value(field, resources, "if '*/*' is present, must not specify other resources")
    if "*" in resources and plain:
        text = "if '*' is present, must not specify other resources without subresources"
        yield bad_value(field, resources, text)


def _client_causes(config: Mapping[str, Any], field: str) -> Iterator[Cause]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(field, "exactly one of url or service is required")
    elif url is not None:
        yield from _url_causes(url, f"{field}.url")
    elif service is not None:
        for key in ("name", "namespace"):
            if not service.get(key):
                yield required(f"{field}.service.{key}")
        if not 1 <= service["port"] <= 65535:
            text = "port is not valid: must be between 1 and 65535, inclusive"
            yield bad_value(f"{field}.service.port", service["port"], text)
        path = service.get("path") or "/"
        if not path.startswith("/"):
            yield bad_value(f"{field}.service.path", path, "must start with a '/'")


def _url_causes(url: str, field: str) -> Iterator[Cause]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield bad_value(field, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not parts.netloc:
        yield bad_value(field, "", f"host must be specified{_FORM}")
    user, at, _ = parts.netloc.rpartition("@")
    if at:
        yield bad_value(field, user, "user information is not permitted in the URL")
    if parts.fragment:
        yield bad_value(field, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield bad_value(field, parts.query, "query parameters are not permitted in the URL")


def condition_causes(conditions: Sequence[Mapping[str, Any]], field: str) -> Iterator[Cause]:
    """What is wrong with ``matchConditions``."""
    if len(conditions) > _CONDITIONS_MAX:
        yield Cause("FieldValueTooMany", field, f"Too many: {len(conditions)}: must have at most 64 items")
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        expression, name = (condition.get("expression") or "").strip(), condition.get("name", "")
        if not expression:
            yield required(f"{field}[{index}].expression")
        else:
            try:
                Expression(expression)
            except RuleError as error:
                yield bad_value(f"{field}[{index}].expression", expression, f"compilation failed: {error}")
        if not name:
            yield required(f"{field}[{index}].name")
        else:
            for text in qualified_name(name):
                yield bad_value(f"{field}[{index}].name", name, text)
        if name in seen:
            yield duplicate(f"{field}[{index}].name", name)
        seen.add(name)


def _version_causes(versions: Sequence[str], field: str) -> Iterator[Cause]:
    if not versions:
        yield required(field, f"must specify one of {', '.join(_REVIEW_VERSIONS)}")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield bad_value(f"{field}[{index}]", version, "duplicate version")
    if not any(version in _REVIEW_VERSIONS for version in versions):
        yield bad_value(field, versions, f"must include at least one of {', '.join(_REVIEW_VERSIONS)}")
