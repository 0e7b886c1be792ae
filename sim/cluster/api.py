"""The API server as a cluster component uses it: synchronous calls at this instant, counted under its name."""

from collections.abc import Callable
from typing import Any, TypeVar

from controller.ports import ApiError, Document, Resource
from sim.apiserver.calls import CallCount
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.cluster.behaviour import ApiRequest

T = TypeVar("T")

PODS = Resource("", "v1", "pods", "Pod")
_MASTERS = ("system:masters", "system:authenticated")


def component_user(name: str, *groups: str) -> User:
    """The identity of a control-plane component or a kubelet. They are not what RBAC is rehearsed for."""
    return User(name, (*groups, *_MASTERS))


class Api:
    """``component`` is whom the server's call counts name: kube-scheduler, kubelet, kubectl …"""

    __slots__ = ("_patch_status", "component", "server", "user")

    def __init__(self, server: ApiServer, user: User, component: str) -> None:
        self.server = server
        self.user = user
        self.component = component
        self._patch_status: CallCount | None = None

    def find(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """What the component's own watch holds: no call."""
        return self.server.find(resource, namespace, name)

    def write_pod_status(self, pod: Document, status: Document) -> Document:
        """Replace the status. Real components send the same as a strategic patch, so it is counted as one.

        Raises ApiError.
        """
        metadata = pod["metadata"]
        count = self._patch_status
        if count is None:
            count = self._patch_status = self.server.calls[self.component, "patch", "pods/status"]
        count.count += 1
        try:
            return self.server.update(
                self.user,
                PODS,
                metadata["namespace"],
                metadata["name"],
                {**pod, "status": status},
                subresource="status",
            )
        except ApiError as error:
            count.refused(error.code)
            raise

    def bind(self, pod: Document, node: str) -> None:
        """Create the pod's Binding: node name and PodScheduled condition in one write. Raises ApiError 404, 409."""
        metadata = pod["metadata"]
        self._counted("create", "pods/binding", lambda: self._bind(metadata, node))

    def _bind(self, metadata: Document, node: str) -> None:
        server = self.server
        namespace, name = metadata["namespace"], metadata["name"]
        old = server.get(self.user, PODS, namespace, name)
        if old["metadata"]["uid"] != metadata["uid"] or "deletionTimestamp" in old["metadata"]:
            text = f'Operation cannot be fulfilled on pods/binding "{name}": pod {name} is being deleted, cannot be '
            raise ApiError(409, "Conflict", f"{text}assigned to a host")
        if old["spec"].get("nodeName"):
            text = f'Operation cannot be fulfilled on pods/binding "{name}": pod {name} is already assigned to node '
            raise ApiError(409, "Conflict", text + f'"{old["spec"]["nodeName"]}"')
        status = old.get("status") or {}
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": server.clock.timestamp(),
        }
        others = [one for one in status.get("conditions", ()) if one["type"] != "PodScheduled"]
        new = {
            **old,
            "metadata": dict(old["metadata"]),
            "spec": {**old["spec"], "nodeName": node},
            "status": {**status, "conditions": [*others, scheduled]},
        }
        server.store.put(server.registry.find(PODS).table, namespace, name, old, new)

    def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        return self._counted(
            "create", resource.group_resource, lambda: self.server.create(self.user, resource, namespace, body)
        )

    def patch(self, resource: Resource, namespace: str, name: str, body: Any, *, subresource: str = "") -> Document:
        """A merge patch."""
        plural = f"{resource.group_resource}/{subresource}" if subresource else resource.group_resource
        return self._counted(
            "patch",
            plural,
            lambda: self.server.patch(self.user, resource, namespace, name, body, subresource=subresource),
        )

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

    def perform(self, request: ApiRequest) -> Document:
        """Carry out a step's request as this user. Raises ApiError, 403 where RBAC says no."""
        resource, namespace, name = request.resource, request.namespace, request.name
        server, user, body = self.server, self.user, request.body
        verbs: dict[str, Callable[[], Document]] = {
            "get": lambda: server.get(user, resource, namespace, name),
            "list": lambda: server.list(user, resource, namespace),
            "create": lambda: server.create(user, resource, namespace, body),  # type: ignore[arg-type]
            "patch": lambda: server.patch(user, resource, namespace, name, body, patch_type=request.patch_type),
            "delete": lambda: server.delete(user, resource, namespace, name),
        }
        if request.verb not in verbs:
            raise ValueError(f"a step cannot {request.verb!r}: verbs are {', '.join(verbs)}")
        return self._counted(request.verb, resource.group_resource, verbs[request.verb])

    def _counted(self, verb: str, resource: str, call: Callable[[], T]) -> T:
        count = self.server.calls[self.component, verb, resource]
        count.count += 1
        try:
            return call()
        except ApiError as error:
            count.refused(error.code)
            raise
