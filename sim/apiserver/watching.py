"""The watch verb: where a stream begins, and what it begins with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, WatchEvent
from sim.apiserver.errors import expired, too_large_version
from sim.apiserver.listing import parse_version, predicate
from sim.apiserver.registry import Served
from sim.apiserver.watch import Lag, Stream
from sim.loop import Process

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_SHORTEST_TIMEOUT_S = 1800  # --min-request-timeout: a watch without one ends after one to two times as long
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches: whose random stream the lag is drawn from, and the process whose death ends the connection."""

    component: str = ""
    lag: Lag | None = None
    process: Process | None = None


def open_watch(
    server: "ApiServer",
    served: Served,
    watcher: Watcher,
    namespace: str,
    resource_version: str,
    selectors: tuple[str, str],
    timeout_s: float | None,
    bookmarks: bool,
    send_initial_events: bool | None,
) -> Stream:
    """A stream with what it missed already on its way. Raises ApiError 400, 410, 500, 504."""
    match = predicate(served, *selectors)
    table = served.table
    version = _version(server, served, resource_version)
    stream = Stream(
        server.loop,
        namespace=namespace,
        match=match,
        by_labels=not selectors[1],
        present=served.present if served.foreign else None,
        lag=watcher.lag or server.watch_lag,
        random=server.streams(f"apiserver.watch-lag.{watcher.component}.{served.key}"),
        process=watcher.process,
        detach=lambda one: table.streams.remove(one) if one in table.streams else None,
    )
    initial = send_initial_events if send_initial_events is not None else not version
    if initial:
        for document in table.in_order(namespace):
            if match is None or match(document):
                stream.push(WatchEvent("ADDED", document))
        if bookmarks:
            stream.push(bookmark(server, served, _INITIAL_END))
    elif version:
        for change in table.history.since(version):
            if not namespace or change.new["metadata"].get("namespace") == namespace:
                stream.change(change.type, change.old, change.new)
    stream.begun()
    table.streams.append(stream)
    if timeout_s is None:
        timeout_s = _SHORTEST_TIMEOUT_S * (1 + server.streams("apiserver.watch-timeouts").random())
    stream.end_after(round(timeout_s * 1_000_000), (lambda: bookmark(server, served)) if bookmarks else None)
    return stream


def _version(server: "ApiServer", served: Served, resource_version: str) -> int:
    """The version to begin after; 0 for the present. Raises ApiError 410, 500, 504."""
    if not resource_version:
        return 0
    try:
        version = parse_version(resource_version)
    except ValueError as error:
        raise ApiError(500, "", str(error)) from None
    if version > server.store.version:
        raise too_large_version(version, server.store.version)
    oldest = max(served.table.history.floor, server.store.compacted())
    if 0 < version < oldest:
        raise expired(f"too old resource version: {version} ({oldest})")
    return version


def bookmark(server: "ApiServer", served: Served, annotations: Document | None = None) -> WatchEvent:
    """A progress mark: nothing of the resource up to this version is still to come."""
    metadata: dict[str, Any] = {"resourceVersion": str(server.store.version)}
    if annotations:
        metadata["annotations"] = annotations
    resource = served.resource
    return WatchEvent("BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata})


def failed_watch(server: "ApiServer", error: ApiError) -> Stream:
    """A stream that says no more than ``error`` and ends."""
    stream = Stream(
        server.loop,
        namespace="",
        match=None,
        by_labels=True,
        present=None,
        lag=None,
        random=server.streams("apiserver.watch-lag"),
        process=None,
        detach=lambda _: None,
    )
    stream.fail(error.status())
    return stream
