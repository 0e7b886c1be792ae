"""The API server as a cluster component uses it: synchronous calls at this instant, counted under its name."""

from collections.abc import Callable
from typing import Any, TypeVar

from controller.ports import ApiError, Document, Resource
from sim.apiserver.calls import CallCount
from sim.apiserver.errors import conflict, not_found
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.cluster.behaviour import ApiRequest
from sim.cluster.podstatus import condition

T = TypeVar("T")

PODS = Resource("", "v1", "pods", "Pod")
_BINDINGS = Resource("", "v1", "pods/binding", "Binding")
_VERBS = ("get", "list", "create", "patch", "delete")
_MASTERS = ("system:masters", "system:authenticated")


def component_user(name: str, *groups: str) -> User:
    """The identity of a control-plane component or a kubelet. They are not what RBAC is rehearsed for."""
    return User(name, (*groups, *_MASTERS))


class Api:
    """``component`` is whom the server's call counts name: kube-scheduler, kubelet, kubectl …"""

    __slots__ = ("_patch_status", "_pods", "_served", "component", "server", "user")

    def __init__(self, server: ApiServer, user: User, component: str) -> None:
        self.server = server
        self.user = user
        self.component = component
        self._served = server.registry.find(PODS)
        self._pods = self._served.table
        self._patch_status: CallCount | None = None

    def find(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """What the component's own watch holds: no call."""
        return self.server.find(resource, namespace, name)

    def write_pod_status(self, pod: Document, status: Document) -> None:
        """Replace the status of this very pod, which is as last committed. Raises ApiError 404 when it is gone.

        Committed without the generic update path, which would decode, default and compare what components write well
        formed and only when it changed: pod statuses are a third of all writes. Counted as the strategic patch that
        real components send.
        """
        count = self._patch_status
        if count is None:
            count = self._patch_status = self.server.calls[self.component, "patch", "pods/status"]
        count.count += 1
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        old = self._pods.find(namespace, name)
        if old is not pod and (old is None or old["metadata"]["uid"] != metadata["uid"]):
            count.refused(404)
            raise not_found(PODS, name)
        new = {**old, "metadata": old["metadata"].copy(), "status": status}
        if self.server.ownership is not None:
            self.server.ownership.stamp(self._served, old, new, "status", self.component)
        self.server.store.put(self._pods, namespace, name, old, new)

    def bind(self, pod: Document, node: str) -> None:
        """Create the pod's Binding: node name and PodScheduled condition in one write. Raises ApiError 404, 409."""
        self._counted("create", "pods/binding", self._bind, pod["metadata"], node)

    def _bind(self, metadata: Document, node: str) -> None:
        old = self._stored(metadata)
        name, spec, status = metadata["name"], old["spec"], old.get("status") or {}
        problem = ""
        if "deletionTimestamp" in old["metadata"]:
            problem = "is being deleted, cannot be assigned to a host"
        elif spec.get("nodeName"):
            problem = f'is already assigned to node "{spec["nodeName"]}"'
        if problem:
            raise conflict(_BINDINGS, name, f"pod {name} {problem}")
        scheduled = condition("PodScheduled", "True", self.server.clock.timestamp())
        others = [one for one in status.get("conditions", ()) if one["type"] != "PodScheduled"]
        new = {
            **old,
            "metadata": old["metadata"].copy(),
            "spec": {**spec, "nodeName": node},
            "status": {**status, "conditions": [*others, scheduled]},
        }
        self.server.store.put(self._pods, metadata["namespace"], name, old, new)

    def _stored(self, metadata: Document) -> Document:
        name = metadata["name"]
        found = self._pods.find(metadata["namespace"], name)
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            raise not_found(PODS, name)
        return found

    def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        return self._counted(
            "create",
            resource.group_resource,
            lambda: self.server.create(self.user, resource, namespace, body, manager=self.component),
        )

    def patch(self, resource: Resource, namespace: str, name: str, body: Any, *, subresource: str = "") -> Document:
        """A merge patch."""
        plural = f"{resource.group_resource}/{subresource}" if subresource else resource.group_resource
        return self._counted(
            "patch",
            plural,
            lambda: self.server.patch(
                self.user, resource, namespace, name, body, subresource=subresource, manager=self.component
            ),
        )

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Delete an object in the background. Raises ApiError 404."""
        self._counted("delete", resource.group_resource, self.server.delete, self.user, resource, namespace, name)

    def delete_pod(self, pod: Document, *, grace_period_s: int | None = None) -> None:
        """Delete this very pod (by uid). Raises ApiError 404, 409."""
        metadata = pod["metadata"]
        self._counted(
            "delete",
            "pods",
            lambda: self.server.delete(
                self.user,
                PODS,
                metadata["namespace"],
                metadata["name"],
                uid=metadata["uid"],
                grace_period_s=grace_period_s,
            ),
        )

    def evict_pod(self, pod: Document) -> None:
        """Ask for the pod's eviction through the API, as drains do. Raises ApiError 404."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        self._counted("create", "pods/eviction", lambda: self.server.evict(self.user, namespace, name, body))

    def perform(self, request: ApiRequest) -> Document:
        """Carry out a step's request as this user. Raises ApiError, 403 where RBAC says no."""
        if request.verb not in _VERBS:
            raise ValueError(f"a step cannot {request.verb!r}: verbs are {', '.join(_VERBS)}")
        return self._counted(request.verb, request.resource.group_resource, self._perform, request)

    def _perform(self, request: ApiRequest) -> Document:
        verb, resource, namespace, name = request.verb, request.resource, request.namespace, request.name
        server, user, body = self.server, self.user, request.body
        if verb == "patch":
            return server.patch(
                user, resource, namespace, name, body, patch_type=request.patch_type, manager=self.component
            )
        if verb == "get":
            return server.get(user, resource, namespace, name)
        if verb == "list":
            return server.list(user, resource, namespace)
        if verb == "create":
            return server.create(user, resource, namespace, body, manager=self.component)  # type: ignore[arg-type]
        return server.delete(user, resource, namespace, name)

    def _counted(self, verb: str, resource: str, call: Callable[..., T], *args: Any) -> T:
        count = self.server.calls[self.component, verb, resource]
        count.count += 1
        try:
            return call(*args)
        except ApiError as error:
            count.refused(error.code)
            raise
