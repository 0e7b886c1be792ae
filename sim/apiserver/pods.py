"""The strategy of pods: their defaults, what is checked on create, what an update may touch."""

from collections.abc import Sequence

from controller.ports import Document, Resource
from sim.apiserver.builtin import PodStrategy
from sim.apiserver.causes import undecodable
from sim.apiserver.errors import Cause
from sim.apiserver.known import known_fields
from sim.apiserver.podchecks import check_change, check_spec, quantity_error
from sim.apiserver.podspec import admitted_spec, default_spec, default_status, qos_class

_PODS = Resource("", "v1", "pods", "Pod")
_FIELDS = frozenset(("apiVersion", "kind", "metadata", "spec", "status"))


class CheckedPods(PodStrategy):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        spec, status = body.get("spec"), body.get("status")
        before: Document = old if old is not None else {}
        if spec is not None and spec is not before.get("spec"):
            wrong = quantity_error(spec)
            if wrong:
                raise undecodable(_PODS, wrong)
            body = {**body, "spec": default_spec(spec)}
        if status is not None and status is not before.get("status"):
            filled = default_status(status)
            if filled is not status:
                body = {**body, "status": filled}
        return body, unknown

    def prepare_create(self, new: Document) -> Document:
        spec = new.get("spec")
        if not spec:
            return {**new, "spec": default_spec({}), "status": {"phase": "Pending"}}
        return {**new, "spec": admitted_spec(spec), "status": {"phase": "Pending", "qosClass": qos_class(spec)}}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return check_spec(new["spec"], "spec")

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        if new["spec"] is old["spec"] or subresource in ("status", "binding", "resize", "ephemeralcontainers"):
            return ()
        return check_change(new, old) or check_spec(new["spec"], "spec")
