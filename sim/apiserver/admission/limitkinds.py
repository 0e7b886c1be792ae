"""Strategies of the kinds that limit a namespace: ResourceQuotas and LimitRanges."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.admission.limitrange import LIMIT_RANGES, stored_limit
from sim.apiserver.admission.quota import COMPUTE, COUNTED, RESOURCE_QUOTAS
from sim.apiserver.builtin import ReturningApart
from sim.apiserver.causes import bad_value, undecodable
from sim.apiserver.errors import Cause
from sim.apiserver.known import known_fields
from sim.apiserver.quantity import canonical_text, thousandths
from sim.apiserver.strategy import Strategy

_FIELDS = frozenset(("apiVersion", "kind", "metadata", "spec", "status"))
_STANDARD = frozenset(
    (
        *COMPUTE,
        *(f"{side}.{key}" for side in ("requests", "limits") for key in COMPUTE),
        *COUNTED,
        "pods",
        "requests.storage",
        "services.loadbalancers",
        "services.nodeports",
    )
)


class ResourceQuotas(ReturningApart):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        body = body if body.get("spec") is not None else {**body, "spec": {}}
        spec = body["spec"]
        if spec.get("hard") and (old is None or spec is not old["spec"]):
            try:
                hard = {key: canonical_text(amount) for key, amount in spec["hard"].items()}
            except ValueError as error:
                raise undecodable(RESOURCE_QUOTAS, str(error)) from None
            body = {**body, "spec": {**spec, "hard": hard}}
        return body, unknown

    def prepare_create(self, new: Document) -> Document:
        return {**new, "spec": new.get("spec") or {}, "status": {}}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        causes: list[Cause] = []
        for key, amount in (new["spec"].get("hard") or {}).items():
            field = f"spec.hard[{key}]"
            if "/" not in key and key not in _STANDARD:
                causes.append(bad_value(field, key, "must be a standard resource type or fully qualified"))
                causes.append(bad_value(field, key, "must be a standard resource for quota"))
            if thousandths(amount) < 0:
                causes.append(bad_value(field, amount, "must be greater than or equal to 0"))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return () if new.get("spec") is old.get("spec") else self.validate_create(new)


class LimitRanges(Strategy):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS - {"status"})
        spec = body.get("spec") or {}
        if spec.get("limits"):
            try:
                body = {**body, "spec": {**spec, "limits": [stored_limit(limit) for limit in spec["limits"]]}}
            except ValueError as error:
                raise undecodable(LIMIT_RANGES, str(error)) from None
        return body, unknown

    def prepare_create(self, new: Document) -> Document:
        spec = new.get("spec") or {}
        return {**new, "spec": {**spec, "limits": spec.get("limits") or []}}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        causes: list[Cause] = []
        for index, limit in enumerate((new.get("spec") or {}).get("limits") or ()):
            causes.extend(_disorder(limit, f"spec.limits[{index}]"))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return self.validate_create(new)


_ORDER = (
    ("min", "max", "min", "{0} value {1} is greater than max value {2}"),
    ("min", "defaultRequest", "defaultRequest", "min value {1} is greater than default request value {2}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {1} is greater than max value {2}"),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "default request value {1} is greater than default limit value {2}",
    ),
    ("min", "default", "default", "min value {1} is greater than default value {2}"),
    ("default", "max", "default", "default value {1} is greater than max value {2}"),
)
"""What may not exceed what, where the complaint goes, and its words."""


def _disorder(limit: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for low, high, blamed, text in _ORDER:
        lows, highs = limit.get(low) or {}, limit.get(high) or {}
        for key in sorted(lows.keys() & highs.keys()):
            if thousandths(lows[key]) > thousandths(highs[key]):
                small, large = canonical_text(lows[key]), canonical_text(highs[key])
                value = small if blamed == low else large
                causes.append(bad_value(f"{path}.{blamed}[{key}]", value, text.format(low, small, large)))
    return causes
