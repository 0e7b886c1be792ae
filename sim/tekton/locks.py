"""Where leaders are written down: Leases in the API server, or, for who does not count their traffic, a book."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from controller.ports import ApiError, Cluster, Document, Resource
from sim.clock import Clock
from sim.loop import Loop, Process

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")


class Record(NamedTuple):
    """What a lock says: its holder (``""`` when it was released), how long that counts, and its age.

    Two records with the same ``mark`` are the same: the holder has not renewed in between.
    """

    holder: str
    mark: Any
    lease_us: int


class Lock(Protocol):
    """One lease as one candidate sees it. All may raise ApiError and ConnectionLost."""

    identity: str
    renews: bool
    """Whether a holder has to renew by writing."""

    async def read(self) -> Record | None: ...

    async def take(self) -> None:
        """Become the holder of what was read, or create it."""
        ...

    async def renew(self) -> None: ...

    async def release(self) -> None: ...


class LeaseLock:
    """A Lease object (client-go's ``LeaseLock``); every look and every renewal is a request."""

    renews = True

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, name: str, identity: str, lease_us: int) -> None:
        self.identity = identity
        self._cluster = cluster
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._lease_us = lease_us
        self._document: Document | None = None

    async def read(self) -> Record | None:
        try:
            self._document = await self._cluster.get(LEASES, self._namespace, self._name)
        except ApiError as error:
            if error.code != 404:
                raise
            self._document = None
            return None
        spec: Mapping[str, Any] = self._document.get("spec") or {}
        return Record(spec.get("holderIdentity") or "", spec, (spec.get("leaseDurationSeconds") or 0) * 1_000_000)

    async def take(self) -> None:
        now = self._clock.microtimestamp()
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self._lease_us // 1_000_000,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }
        if self._document is None:
            body = {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": spec,
            }
            self._document = await self._cluster.create(LEASES, self._namespace, body)
            return
        before = self._document.get("spec") or {}
        spec["leaseTransitions"] = before.get("leaseTransitions", 0) + (before.get("holderIdentity") != self.identity)
        await self._update(spec)

    async def renew(self) -> None:
        assert self._document is not None, "renewing what was never held"
        await self._update({**self._document["spec"], "renewTime": self._clock.microtimestamp()})

    async def release(self) -> None:
        if await self.read() is None or self._document is None:
            return
        before = self._document["spec"]
        if before.get("holderIdentity") == self.identity:
            now = self._clock.microtimestamp()
            transitions = before.get("leaseTransitions", 0)
            times = {"acquireTime": now, "renewTime": now, "leaseTransitions": transitions}
            await self._update({"holderIdentity": "", "leaseDurationSeconds": 1, **times})

    async def _update(self, spec: Mapping[str, Any]) -> None:
        body = {**(self._document or {}), "spec": spec}
        self._document = await self._cluster.update(LEASES, self._namespace, self._name, body)


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    holder: str
    process: Process
    since_us: int
    ended_us: int | None = None


@dataclass(slots=True)
class Book:
    """Who leads what, without a request for it. A holder that lives counts as one that renews every ``retry_us``."""

    loop: Loop
    lease_us: int
    retry_us: int
    entries: dict[str, _Entry] = field(default_factory=dict)

    def died(self, process: Process) -> None:
        """A crash: what the process held is renewed no more."""
        for name, entry in self.entries.items():
            if entry.process is process and entry.ended_us is None:
                self.entries[name] = replace(entry, ended_us=self.loop.now_us)


class BookLock:
    """A page of the book. Implements :class:`Lock` without a single event."""

    renews = False

    def __init__(self, book: Book, name: str, identity: str, process: Process) -> None:
        self.identity = identity
        self._book = book
        self._name = name
        self._process = process

    async def read(self) -> Record | None:
        entry = self._book.entries.get(self._name)
        if entry is None:
            return None
        until_us = self._book.loop.now_us if entry.ended_us is None else entry.ended_us
        renewals = (until_us - entry.since_us) // self._book.retry_us
        return Record(entry.holder, (entry.holder, entry.since_us, renewals), self._book.lease_us)

    async def take(self) -> None:
        self._book.entries[self._name] = _Entry(self.identity, self._process, self._book.loop.now_us)

    async def renew(self) -> None:
        return

    async def release(self) -> None:
        entry = self._book.entries.get(self._name)
        if entry is not None and entry.process is self._process:
            del self._book.entries[self._name]
