"""The logs of containers: bounded texts on the nodes, and the ``pods/log`` endpoint over them.

What containers print is untrusted: it is cut to size and otherwise passed through as it is.
"""

from collections.abc import Callable

from controller.ports import ApiError, Document
from sim.apiserver.errors import bad_request, not_found
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer
from sim.cluster.api import PODS

_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class Logs:
    """What the containers of all nodes printed: the newest ``limit_bytes`` of each, until their pod is gone."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._texts: dict[str, dict[str, str]] = {}

    def write(self, uid: str, container: str, text: str) -> None:
        texts = self._texts.setdefault(uid, {})
        whole = texts.get(container, "") + text
        if len(whole) * 4 > self._limit_bytes:
            whole = whole.encode()[-self._limit_bytes :].decode(errors="ignore")
        texts[container] = whole

    def text(self, uid: str, container: str) -> str:
        texts = self._texts.get(uid)
        return "" if texts is None else texts.get(container, "")

    def drop(self, uid: str) -> None:
        self._texts.pop(uid, None)


class PodLogs:
    """``controller.ports.LogReader`` for one identity. ``reachable`` says whether a node's kubelet answers."""

    def __init__(
        self,
        server: ApiServer,
        logs: Logs,
        user: User,
        *,
        component: str,
        delay_us: Callable[[], int],
        reachable: Callable[[str], bool],
    ) -> None:
        self._server = server
        self._logs = logs
        self._user = user
        self._count = server.calls[component, "get", "pods/log"]
        self._delay_us = delay_us
        self._reachable = reachable

    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        """The last ``lines``, of these the first ``limit_bytes``. Raises ApiError 400, 403, 404, 500."""
        await self._server.loop.pause(self._delay_us())
        self._count.count += 1
        try:
            return self.read(namespace, pod, container, lines=lines, limit_bytes=limit_bytes)
        except ApiError as error:
            self._count.refused(error.code)
            raise

    def read(
        self,
        namespace: str,
        name: str,
        container: str = "",
        *,
        lines: int | None = None,
        limit_bytes: int | None = None,
    ) -> str:
        """The log at this instant. Without a name the pod's only container is meant. Raises ApiError."""
        server = self._server
        if server.authorizer is not None:
            server.authorizer.for_user(self._user)("get", PODS, namespace, name, "log")
        pod = server.find(PODS, namespace, name)
        if pod is None:
            raise not_found(PODS, name)
        container = _chosen(pod, container)
        node = pod["spec"].get("nodeName")
        if not node:
            return ""
        if not self._reachable(node):
            address = (pod.get("status") or {}).get("hostIP", node)
            url = f"https://{address}:10250/containerLogs/{namespace}/{name}/{container}"
            raise ApiError(500, "InternalError", f'Get "{url}": dial tcp {address}:10250: connect: no route to host')
        _check_started(pod, container)
        text = self._logs.text(pod["metadata"]["uid"], container)
        if lines is not None:
            text = "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""
        if limit_bytes is not None:
            text = text.encode()[:limit_bytes].decode(errors="ignore")
        return text


def _chosen(pod: Document, container: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    mains = [one["name"] for one in spec["containers"]]
    inits = [one["name"] for one in spec.get("initContainers", ())]
    if not container:
        if len(mains) == 1:
            return str(mains[0])
        listed = f"[{' '.join(mains)}]"
        or_inits = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: {listed}{or_inits}")
    if container not in mains and container not in inits:
        raise bad_request(f"container {container} is not valid for pod {name}")
    return container


def _check_started(pod: Document, container: str) -> None:
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    for one in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        if one["name"] == container:
            waiting = one["state"].get("waiting")
            if waiting is None:
                return
            why = _WAITING.get(waiting["reason"], waiting["reason"])
            raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')
    raise bad_request(f'container "{container}" in pod "{name}" is not available')
