"""Namespaces: their own strategy, what a terminating one refuses, and the controller that empties it."""

from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Resource, WatchType
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import Cause, forbidden, not_found
from sim.apiserver.identity import User
from sim.apiserver.names import label
from sim.apiserver.registry import Served
from sim.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

CONTROLLER = User(
    "system:serviceaccount:kube-system:namespace-controller", ("system:masters", "system:serviceaccounts")
)
INITIAL = ("default", "kube-system", "kube-public", "kube-node-lease")
PROTECTED = frozenset(("default", "kube-system", "kube-public"))
_NAME_LABEL = "kubernetes.io/metadata.name"
_RETRY_US = 5_000_000  # the real controller looks again after five seconds while content remains


def _name_rule(name: str) -> tuple[str, ...]:
    if "." in name and not label(name.replace(".", "")):
        return ("must not contain dots",)
    return tuple(text.replace("63 bytes", "63 characters") for text in label(name))


class NamespaceStrategy(Strategy):
    subresources = ("status", "finalize")
    returns_deleted = True
    name_rule = staticmethod(_name_rule)

    def prepare_create(self, new: Document) -> Document:
        metadata = new.get("metadata") or {}
        spec = {**(new.get("spec") or {})}
        spec["finalizers"] = [*(one for one in spec.get("finalizers") or () if one != "kubernetes"), "kubernetes"]
        return {**new, "metadata": metadata, "spec": spec, "status": {"phase": "Active"}}

    def canonicalize(self, new: dict[str, Any]) -> dict[str, Any]:
        metadata = new["metadata"]
        metadata["labels"] = {**metadata.get("labels", {}), _NAME_LABEL: metadata["name"]}
        return new

    def prepare_update(self, new: Document, old: Document, subresource: str) -> Document:
        if subresource == "finalize":
            return {**old, "spec": new.get("spec") or {}}
        updated = super().prepare_update(new, old, subresource)
        return {**updated, "spec": old["spec"]}

    def prepare_delete(self, marked: dict[str, Any]) -> dict[str, Any]:
        marked["metadata"].pop("deletionGracePeriodSeconds", None)
        if marked.get("status", {}).get("phase") != "Terminating":
            marked["status"] = {**marked.get("status", {}), "phase": "Terminating"}
        return marked

    def held(self, document: Document) -> bool:
        return bool(document.get("spec", {}).get("finalizers"))


class Namespaces:
    """Implements the NamespaceLifecycle admission plugin and the namespace controller."""

    def __init__(self, server: "ApiServer", served: Served, *, delay_us: int) -> None:
        self._server = server
        self._served = served
        self._delay_us = delay_us
        served.table.observers.append(self._changed)
        server.admission.validate(self._check_delete, resources={"namespaces"}, operations={"DELETE"})

    def open(self, namespace: str) -> bool:
        """Whether new objects may be created in the namespace."""
        found = self._served.table.find("", namespace)
        return found is not None and "deletionTimestamp" not in found["metadata"]

    def check_create(self, served: Served, namespace: str, name: str) -> None:
        """Raises ApiError 404 for a namespace that is not there and 403 for one that ends."""
        found = self._served.table.find("", namespace)
        if found is None:
            raise not_found(self._served.resource, namespace)
        if "deletionTimestamp" in found["metadata"]:
            text = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause("NamespaceTerminating", "metadata.namespace", f"namespace {namespace} is being terminated")
            raise forbidden(served.resource, name, text, [cause])

    def _check_delete(self, request: AdmissionRequest) -> None:
        if request.name in PROTECTED:
            raise forbidden(request.resource, request.name, "this namespace may not be deleted")

    def _changed(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        if (
            type_ == "MODIFIED"
            and "deletionTimestamp" in new["metadata"]
            and "deletionTimestamp" not in (old or new)["metadata"]
        ):
            self._server.loop.after(self._delay_us, self._empty, new["metadata"]["name"], new["metadata"]["uid"])

    def _empty(self, name: str, uid: str) -> None:
        """Delete everything in the namespace; finalize it once nothing is left, otherwise look again later."""
        server = self._server
        found = self._served.table.find("", name)
        if found is None or found["metadata"]["uid"] != uid:
            return
        left = False
        for served in server.registry.all():
            if not served.resource.namespaced or served.foreign:
                continue
            for one in list(served.table.in_order(name)):
                try:
                    server.delete(CONTROLLER, served.resource, name, one["metadata"]["name"], propagation="Background")
                except ApiError as error:
                    if error.code != 404:
                        raise
            left = left or bool(served.table.count(name))
        if left:
            server.loop.after(_RETRY_US, self._empty, name, uid)
            return
        current = self._served.table.find("", name)
        if current is not None:
            body = {**current, "spec": {**current["spec"], "finalizers": []}}
            server.update(CONTROLLER, self._served.resource, "", name, body, subresource="finalize")
