"""Requests under an object that are not about the object itself: binding, logs, exec."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Resource
from sim.apiserver.errors import Cause, bad_request, conflict, forbidden_field, invalid, invalid_value, not_found
from sim.apiserver.identity import User
from sim.apiserver.rest.options import integer, is_true

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

STREAMED = ("attach", "exec", "portforward", "proxy")
"""What a kubelet would answer over an upgraded connection; there is none behind this face."""
_BINDINGS = Resource("", "v1", "pods/binding", "Binding")
ReadLog = Callable[[User, str, str, str, int | None, int | None], str]
"""``(user, namespace, pod, container, lines, limit_bytes)`` to a log. Raises ApiError."""


def bind(server: "ApiServer", namespace: str, name: str, body: Document, *, dry_run: bool, manager: str) -> Document:
    """Create a pod's binding: its node, and the condition that says it is scheduled. Raises ApiError 400, 404, 409."""
    pods = server.registry.named("", "pods")
    old = pods.table.find(namespace, name)
    if old is None:
        raise not_found(pods.resource, name)
    node = (body.get("target") or {}).get("name", "")
    if not node:
        raise ApiError(500, "", "target.name: Required value")
    if (body.get("metadata") or {}).get("name", name) != name:
        raise bad_request("name in URL does not match name in Binding object")
    uid = (body.get("metadata") or {}).get("uid", "")
    if uid and uid != old["metadata"]["uid"]:
        own = old["metadata"]["uid"]
        text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {own}"
        raise conflict(_BINDINGS, name, text)
    problem = ""
    if "deletionTimestamp" in old["metadata"]:
        problem = "is being deleted, cannot be assigned to a host"
    elif old["spec"].get("nodeName"):
        problem = f'is already assigned to node "{old["spec"]["nodeName"]}"'
    if problem:
        raise conflict(_BINDINGS, name, f"pod {name} {problem}")
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
    if not dry_run:
        if server.ownership is not None:
            server.ownership.stamp(pods, old, new, "binding", manager)
        server.store.put(pods.table, namespace, name, old, new)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def read_log(
    server: "ApiServer",
    user: User,
    namespace: str,
    name: str,
    query: Mapping[str, str],
    reader: ReadLog | None,
) -> str:
    """A container's log; empty for a pod that no node has yet. Raises ApiError 400, 404, 500."""
    pod = _pod(server, namespace, name)
    container = query.get("container", "")
    lines, limit = _checked(name, query)
    _check_container(pod, container)
    if not (pod.get("spec") or {}).get("nodeName"):
        return ""
    if reader is None:
        host = (pod.get("status") or {}).get("hostIP") or pod["spec"]["nodeName"]
        text = f"dial tcp {host}:10250: connect: connection refused"
        raise ApiError(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": text}]})
    if is_true(query, "previous"):
        chosen = container or pod["spec"]["containers"][0]["name"]
        raise bad_request(f'previous terminated container "{chosen}" in pod "{name}" not found')
    return reader(user, namespace, name, container, lines, limit)


def _checked(name: str, query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """How many lines, and of how many bytes. Raises ApiError 400, 422."""
    lines, limit, since_s = (_count(query, field) for field in ("tailLines", "limitBytes", "sinceSeconds"))
    causes: list[Cause] = []
    if lines is not None and lines < 0:
        causes.append(invalid_value("tailLines", lines, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(invalid_value("limitBytes", limit, "must be greater than 0"))
    if since_s is not None and "sinceTime" in query:
        causes.append(forbidden_field("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif since_s is not None and since_s < 1:
        causes.append(invalid_value("sinceSeconds", since_s, "must be greater than 0"))
    if causes:
        raise invalid("", "PodLogOptions", name, causes)
    return lines, limit


def _count(query: Mapping[str, str], field: str) -> int | None:
    return integer(query[field]) if field in query else None


def refuse_stream(server: "ApiServer", namespace: str, name: str, container: str) -> ApiError:
    """Why there is no connection into a pod. Raises ApiError 404."""
    pod = _pod(server, namespace, name)
    _check_container(pod, container)
    if not (pod.get("spec") or {}).get("nodeName"):
        return bad_request(f"pod {name} does not have a host assigned")
    return bad_request("Upgrade request required")


def _pod(server: "ApiServer", namespace: str, name: str) -> Document:
    pods = server.registry.named("", "pods")
    pod = pods.table.find(namespace, name)
    if pod is None:
        raise not_found(pods.resource, name)
    return pod


def _check_container(pod: Mapping[str, Any], container: str) -> None:
    spec, name = pod["spec"], pod["metadata"]["name"]
    mains, inits, short_lived = (
        [one["name"] for one in spec.get(field) or ()]
        for field in ("containers", "initContainers", "ephemeralContainers")
    )
    if container:
        if container not in (*mains, *inits, *short_lived):
            raise bad_request(f"container {container} is not valid for pod {name}")
        return
    default = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if len(mains) != 1 and default not in mains:
        listed = f"[{' '.join(mains)}]"
        or_inits = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: {listed}{or_inits}")
