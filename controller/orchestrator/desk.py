"""The calls that every step of the reconciler makes, with what must not be forgotten around each of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from controller.api.remediationrequest import TERMINAL, Phase
from controller.api.resources import REMEDIATION_REQUESTS
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.orchestrator import status
from controller.orchestrator.audit import AuditType, audit_event
from controller.orchestrator.memory import Memory
from controller.orchestrator.metrics import OrchestratorMetrics
from controller.orchestrator.settings import Settings
from controller.orchestrator.view import View, phase_of
from controller.ports import ApiError, AuditSink, Clock, Cluster, ConnectionLost, Document, Recorder, Resource
from controller.runtime.cache import Key, key_of

_NONE: Document = {}
Tell = Callable[[Document], None]


class NameTaken(Exception):
    """The name of a child belongs to an object that is not ours, perhaps of a request that had our name."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the reconciler works with."""

    cluster: Cluster
    audit: AuditSink
    clock: Clock
    events: Recorder
    metrics: OrchestratorMetrics
    settings: Settings
    random: Random
    view: View

    def now(self) -> datetime:
        return self.clock.utcnow()

    async def read_request(self, key: Key, memory: Memory) -> Document | None:
        """The request as the API server itself has it; None when it is gone."""
        request = await self.read(REMEDIATION_REQUESTS, key)
        memory.request, memory.must_read = request, False
        return request

    async def read(self, resource: Resource, key: Key) -> Document | None:
        """An object as the API server itself has it; None when there is none."""
        try:
            return await self.cluster.get(resource, *key)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def create_child(self, resource: Resource, request: Document, body: Document) -> Document:
        """Create a child of ``request``, or find the one that was created before.

        Raises NameTaken, and what the API server refuses.
        """
        namespace, name = request["metadata"]["namespace"], body["metadata"]["name"]
        try:
            created = await self.cluster.create(resource, namespace, body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            found = await self.read(resource, (namespace, name))
            if found is None or not _is_child(found, request) or "deletionTimestamp" in found["metadata"]:
                raise NameTaken(f"{resource.kind} {name} exists already and belongs to another request") from None
            return found
        self.metrics.child_created(resource.kind, namespace)
        return created

    async def write(
        self, request: Document, memory: Memory, to: Phase, tell: Tell | None = None, **fields: Any
    ) -> Document:
        """Patch the status; ``tell`` runs once, as soon as it is known that this write was carried out.

        ``facts`` among the fields become conditions, ``audit`` is the type of the audit event.
        """
        facts, type_ = fields.pop("facts", ()), fields.pop("audit", None)
        before, metadata = phase_of(request), request["metadata"]
        patch = status.patch(request, to, format_time(self.now()), facts, **fields)

        def told(written: Document) -> None:
            if before != to:
                self.metrics.moved(before, to, metadata["namespace"])
            if tell is not None:
                tell(written)

        memory.owed = (patch["status"], told)
        try:
            written = await self.cluster.patch(
                REMEDIATION_REQUESTS, metadata["namespace"], metadata["name"], patch, subresource="status"
            )
        except ConnectionLost:
            memory.must_read = True  # only the API server knows whether it was written
            raise
        except ApiError as error:
            memory.must_read = True
            if error.code < 500:
                memory.owed = None
            raise
        memory.request = written
        pay(written, memory)
        if type_ is None and before != to:
            type_ = AuditType.COMPLETED if to in TERMINAL else AuditType.MOVED
        if type_ is not None:
            await self.record(written, type_, from_phase=before)
        return written

    async def record(self, request: Document, type_: AuditType, **data: Any) -> None:
        """Hand over an audit event; whatever the sink's trouble is, the work goes on."""
        try:
            async with asyncio.timeout(self.settings.audit_timeout_s):
                await self.audit.record(audit_event(request, type_, self.now(), **data))
        except Exception as error:
            why = clean(str(error) or type(error).__name__, 256)
            self.events.event(request, "Warning", "AuditFailed", f"Failed to record audit event {type_}: {why}")


def pay(request: Document, memory: Memory) -> None:
    """Tell what was owed for a write that turns out to have been carried out."""
    if memory.owed is None:
        return
    fields, tell = memory.owed
    memory.owed = None
    known = request.get("status") or _NONE
    if all(known.get(field) == value for field, value in fields.items()):
        tell(request)


def _is_child(document: Document, request: Document) -> bool:
    uid = request["metadata"]["uid"]
    return any(one.get("uid") == uid for one in document["metadata"].get("ownerReferences") or ())


def key(request: Document) -> Key:
    """Namespace and name."""
    return key_of(request)
