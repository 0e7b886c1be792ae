"""The calls that every step of the reconciler makes, with what must not be forgotten around each of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from controller.api.conditions import Fact
from controller.api.remediationrequest import TERMINAL, Phase
from controller.api.resources import REMEDIATION_REQUESTS
from controller.api.texts import clean
from controller.api.timestamps import format_time
from controller.orchestrator import status
from controller.orchestrator.audit import AuditType, audit_event
from controller.orchestrator.labels import owner_uid
from controller.orchestrator.memory import Memory, Owed
from controller.orchestrator.metrics import OrchestratorMetrics
from controller.orchestrator.settings import Settings
from controller.orchestrator.view import View, phase_of
from controller.ports import ApiError, AuditSink, Clock, Cluster, ConnectionLost, Document, Recorder, Resource
from controller.runtime.cache import Key

_REFUSED_FOR_GOOD = (400, 404, 413, 422)
_NONE: Document = {}
Tell = Callable[[Document], None]


class NameTaken(Exception):
    """The name of a child belongs to an object that is not ours, perhaps of a request that had our name."""


class ChildRefused(Exception):
    """The API server refuses a child, and would refuse it again; the text names it and says why."""


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

        Raises NameTaken, ChildRefused, and what else the API server refuses.
        """
        namespace, name = request["metadata"]["namespace"], body["metadata"]["name"]
        try:
            created = await self.cluster.create(resource, namespace, body)
        except ApiError as error:
            if error.code in _REFUSED_FOR_GOOD:
                raise ChildRefused(f"{resource.kind} {name} was refused: {clean(error.message, 512)}") from None
            if error.reason != "AlreadyExists":
                raise
            found = await self.read(resource, (namespace, name))
            if (
                found is None
                or owner_uid(found) != request["metadata"]["uid"]
                or "deletionTimestamp" in found["metadata"]
            ):
                raise NameTaken(f"{resource.kind} {name} exists already and is not of this request") from None
            return found
        self.metrics.child_created(resource.kind, namespace)
        return created

    async def write(
        self,
        request: Document,
        memory: Memory,
        to: Phase,
        tell: Tell | None = None,
        *,
        facts: Sequence[Fact] = (),
        audit: tuple[AuditType, ...] = (),
        **fields: Any,
    ) -> Document:
        """Patch the status; ``tell`` runs once, as soon as it is known that this write was carried out.

        ``facts`` become conditions; ``audit`` are the types of the audit events, by default that of a change of phase.
        """
        before, metadata = phase_of(request), request["metadata"]
        now = format_time(self.now())
        patch = status.patch(request, to, now, facts, **fields)
        if not audit and before != to:
            audit = (AuditType.COMPLETED if to in TERMINAL else AuditType.MOVED,)

        def told(written: Document) -> None:
            if before != to:
                self.metrics.moved(before, to, metadata["namespace"])
                if before == Phase.BLOCKED and (request["status"].get("blockedUntil") or "~") <= now:
                    self.metrics.block_expired()
            if tell is not None:
                tell(written)

        memory.owed = Owed(patch["status"], told, audit, before)
        try:
            written = await self.cluster.patch(
                REMEDIATION_REQUESTS, metadata["namespace"], metadata["name"], patch, subresource="status"
            )
        except ConnectionLost:
            memory.must_read = True  # only the API server knows whether it was written
            raise
        except ApiError as error:
            memory.must_read = True
            if error.code == 409:
                self.metrics.conflicted(metadata["namespace"])
            if error.code < 500:
                memory.owed = None
            raise
        memory.request, memory.trouble, memory.conflicts = written, "", 0
        await self.pay(written, memory)
        return written

    async def pay(self, request: Document, memory: Memory) -> None:
        """Tell what is owed, if the request shows that the write was carried out."""
        owed = memory.owed
        if owed is None:
            return
        memory.owed = None
        known = request.get("status") or _NONE
        if all(known.get(field) == value for field, value in owed.fields.items()):
            owed.tell(request)
            for type_ in owed.audit:
                await self.record(request, type_, from_phase=owed.from_phase)

    async def patch_metadata(self, request: Document, memory: Memory, **fields: Any) -> Document:
        """Merge ``fields`` into the metadata of the version of ``request`` that was read (else 409)."""
        metadata = request["metadata"]
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], **fields}}
        memory.must_read = True  # until the answer is here
        written = await self.cluster.patch(REMEDIATION_REQUESTS, metadata["namespace"], metadata["name"], patch)
        memory.request, memory.must_read = written, False
        return written

    async def record(self, request: Document, type_: AuditType, **data: Any) -> None:
        """Hand over an audit event; whatever the sink's trouble is, the work goes on."""
        try:
            async with asyncio.timeout(self.settings.audit_timeout_s):
                await self.audit.record(audit_event(request, type_, self.now(), **data))
        except Exception as error:
            why = clean(str(error) or type(error).__name__, 256)
            self.events.event(request, "Warning", "AuditFailed", f"Failed to record audit event {type_}: {why}")
