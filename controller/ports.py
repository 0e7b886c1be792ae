"""What a controller may ask of the world: the whole list, as Protocols.

Two adapters implement it: the simulated cluster (``sim``) and a live API server (``controller.live``).
Documents are JSON mappings exactly as the API server spells them and **must never be mutated**: store,
caches and watchers share them. A controller that changes something builds a new document.

Monotonic time and timers come from the running asyncio loop (``loop.time()``, ``asyncio.sleep``);
timestamps written into objects come from :class:`Clock`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

Document = Mapping[str, Any]
"""One JSON object as the API server spells it. Shared, so never mutated."""

PatchType = Literal["merge", "json", "apply"]
Propagation = Literal["Background", "Foreground", "Orphan"]
WatchType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]


@dataclass(frozen=True, slots=True)
class Resource:
    """A served resource: what a discovery document says of it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """The name used in Status messages: ``pipelineruns.tekton.dev``, or ``pods`` in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class WatchEvent(NamedTuple):
    """One line of a watch. ``object`` is a Status for ERROR and carries only metadata for BOOKMARK."""

    type: WatchType
    object: Document


class ApiError(Exception):
    """The API server refused: the Status it answered with.

    ``code`` is the HTTP status, ``reason`` and ``message`` are the Status's own words, ``details`` its
    details object (causes included), ``retry_after_s`` the Retry-After header in seconds where one came.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Document | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(code, reason, message, details, retry_after_s)
        self.code = code
        self.reason = reason
        self.message = message
        self.details: Document = details or {}
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code} {self.reason}: {self.message}"

    def status(self) -> Document:
        """The Status document as a server sends it."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


class ConnectionLost(Exception):
    """No answer came: refused, reset or timed out. The request may or may not have been carried out."""


class Reader(Protocol):
    async def get(self, resource: Resource, namespace: str, name: str) -> Document:
        """Read one object; ``namespace`` is ``""`` for cluster-scoped ones. Raises ApiError (404 …), ConnectionLost."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
    ) -> Document:
        """Read a List document (``metadata.resourceVersion``, ``items``); namespace ``""`` means all of them."""
        ...


class Writer(Protocol):
    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        """Create; answers the stored object. Raises ApiError (409 AlreadyExists, 403, 422 …), ConnectionLost."""
        ...

    async def update(
        self, resource: Resource, namespace: str, name: str, body: Document, *, subresource: str = ""
    ) -> Document:
        """Replace (PUT); ``subresource="status"`` touches only the status. Raises ApiError (409 Conflict …)."""
        ...

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Document | list[Document],
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> Document:
        """Patch. A ``metadata.resourceVersion`` inside a merge patch is a precondition (409 Conflict)."""
        ...

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_s: int | None = None,
    ) -> Document:
        """Delete; ``uid`` and ``resource_version`` are preconditions (409 Conflict). Answers what the server sent."""
        ...


class WatchStream(Protocol):
    """An open watch. Leave it with :meth:`close`; a closed or ended stream raises StopAsyncIteration."""

    def __aiter__(self) -> "WatchStream": ...

    async def __anext__(self) -> list[WatchEvent]:
        """Wait for the next events, in order, as many as have arrived (at least one)."""
        ...

    def close(self) -> None: ...


class Watcher(Protocol):
    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout_s: float | None = None,
        bookmarks: bool = True,
    ) -> WatchStream:
        """Open a watch after ``resource_version``. Raises ApiError(410, "Expired") when history no longer has it;
        an expiry later comes as an ERROR event. The server ends the stream cleanly after ``timeout_s``."""
        ...


class Cluster(Reader, Writer, Watcher, Protocol):
    """The API server as one identity sees it."""


class LogReader(Protocol):
    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        """The last ``lines`` of a container's log, at most ``limit_bytes``. Untrusted text. Raises ApiError."""
        ...


class Recorder(Protocol):
    def event(self, regarding: Document, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell the users of ``regarding``; best effort, aggregated, never raises and never waits."""
        ...


class AuditSink(Protocol):
    async def record(self, event: Document) -> None:
        """Hand over one audit event. Raises anything on failure; the caller must never lose work over it."""
        ...


class Clock(Protocol):
    def utcnow(self) -> datetime:
        """The time of day, timezone-aware UTC. For timestamps in objects only."""
        ...
