"""Strategies of Deployments and Jobs: what is needed to change one, not what would run one."""

from collections.abc import Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.builtin import Generational, Scaled
from sim.apiserver.causes import bad_value, unsupported
from sim.apiserver.errors import Cause, required
from sim.apiserver.known import known_fields
from sim.apiserver.podchecks import check_spec
from sim.apiserver.podspec import default_spec

_FIELDS = frozenset(("apiVersion", "kind", "metadata", "spec", "status"))
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}


class Deployments(Scaled):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        spec = body.get("spec") or {}
        if old is not None and spec is old["spec"]:
            return body, unknown
        full: dict[str, Any] = {
            "replicas": 1,
            "strategy": _ROLLING,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        }
        full["template"] = _template(spec.get("template") or {})
        return {**body, "spec": full}, unknown

    def prepare_create(self, new: Document) -> Document:
        return {**new, "status": {}}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        spec = new["spec"]
        causes: list[Cause] = []
        if spec["replicas"] < 0:
            causes.append(bad_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
        selector = spec.get("selector")
        if not selector:
            causes.append(required("spec.selector"))
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not selector or not (selector.get("matchLabels") or {}).items() <= labels.items():
            text = "`selector` does not match template `labels`"
            causes.append(bad_value("spec.template.metadata.labels", labels, text))
        causes.extend(check_spec(spec["template"].get("spec"), "spec.template.spec"))
        policy = (spec["template"].get("spec") or {}).get("restartPolicy", "Always")
        if policy in ("OnFailure", "Never"):
            causes.append(unsupported("spec.template.spec.restartPolicy", policy, ("Always",)))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        if new["spec"] is old["spec"]:
            return ()
        causes = list(self.validate_create(new))
        before, after = old["spec"].get("selector"), new["spec"].get("selector")
        if before != after:
            causes.append(bad_value("spec.selector", after, "field is immutable"))
        return causes


class Jobs(Generational):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        spec = body.get("spec") or {}
        if old is not None and spec is old["spec"]:
            return body, unknown
        full: dict[str, Any] = {
            "completionMode": "NonIndexed",
            "suspend": False,
            "backoffLimit": 6,
            "podReplacementPolicy": "TerminatingOrFailed",
            "parallelism": 1,
            **spec,
        }
        if "parallelism" not in spec:
            full.setdefault("completions", 1)
        full["template"] = _template(spec.get("template") or {})
        return {**body, "spec": full}, unknown

    def prepare_create(self, new: Document) -> Document:
        return {**new, "status": {}}

    def canonicalize(self, new: dict[str, Any]) -> dict[str, Any]:
        """The selector and labels that tie pods to this very Job."""
        if new["spec"].get("manualSelector"):
            return new
        metadata, spec = new["metadata"], new["spec"]
        own = {"batch.kubernetes.io/controller-uid": metadata["uid"]}
        named = {**own, "batch.kubernetes.io/job-name": metadata["name"]}
        template = spec["template"]
        inner = template.get("metadata") or {}
        labelled = {**inner, "labels": {**(inner.get("labels") or {}), **named}}
        new["spec"] = {**spec, "selector": {"matchLabels": own}, "template": {**template, "metadata": labelled}}
        return new

    def validate_create(self, new: Document) -> Sequence[Cause]:
        template = new["spec"]["template"].get("spec")
        causes = check_spec(template, "spec.template.spec")
        policy = (template or {}).get("restartPolicy", "")
        if template and policy not in ("OnFailure", "Never"):
            causes.append(unsupported("spec.template.spec.restartPolicy", policy, ("OnFailure", "Never")))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        before, after = old["spec"], new["spec"]
        if after is before:
            return ()
        return [
            bad_value(f"spec.{field}", after.get(field), "field is immutable")
            for field in ("selector", "template", "completionMode")
            if after.get(field) != before.get(field)
        ]


def _template(template: Document) -> Document:
    spec = template.get("spec")
    return {**template, "spec": default_spec(spec)} if spec else template
