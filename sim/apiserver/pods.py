"""The strategy of pods: their defaults, what is checked on create, what an update may touch."""

from collections.abc import Callable, Sequence

from controller.ports import Document, Resource
from sim.apiserver.builtin import PodStrategy
from sim.apiserver.causes import undecodable
from sim.apiserver.errors import Cause
from sim.apiserver.known import known_fields
from sim.apiserver.podchecks import check_change, check_spec
from sim.apiserver.podspec import default_spec, default_status, new_pod_spec, qos_class

_PODS = Resource("", "v1", "pods", "Pod")
_PENDING = {qos: {"phase": "Pending", "qosClass": qos} for qos in ("BestEffort", "Burstable", "Guaranteed")}
_FIELDS = frozenset(("apiVersion", "kind", "metadata", "spec", "status"))


class CheckedPods(PodStrategy):
    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        body, unknown = known_fields(body, old, _FIELDS)
        if old is None:
            return {**body, "spec": _filled(new_pod_spec, body.get("spec") or {})}, unknown
        spec, status = body.get("spec"), body.get("status")
        if spec is None or spec is not old["spec"]:
            body = {**body, "spec": _filled(default_spec, spec or {})}
        if status is not None and status is not old.get("status"):
            full = default_status(status)
            if full is not status:
                body = {**body, "status": full}
        return body, unknown

    def prepare_create(self, new: Document) -> Document:
        return {**new, "status": _PENDING[qos_class(new["spec"])]}

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return check_spec(new["spec"], "spec")

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        if new["spec"] is old["spec"] or subresource in ("status", "binding", "resize", "ephemeralcontainers"):
            return ()
        return check_change(new, old) or check_spec(new["spec"], "spec")


def _filled(fill: Callable[[Document], Document], spec: Document) -> Document:
    try:
        return fill(spec)
    except ValueError as error:
        raise undecodable(_PODS, str(error)) from None
