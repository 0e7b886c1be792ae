"""Kubernetes events, written behind the controller's back: it never waits for them and never fails over them."""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from zlib import crc32

from controller.ports import ApiError, Clock, ConnectionLost, Document, Resource, Writer
from controller.runtime.correlator import MESSAGE_MAX, Correlator, Written

_EVENTS = Resource("", "v1", "events", "Event")
_WAITING_MAX = 1000  # client-go's broadcaster queues as many, then drops
_TRIES = 12  # client-go's, ten seconds apart
_RETRY_S = 10.0
_NAME_MAX = 253
_REASON_MAX = 128


class _Occurrence(NamedTuple):
    regarding: Document
    type_: Literal["Normal", "Warning"]
    reason: str
    message: str
    at: datetime


class EventRecorder:
    """Implements ``controller.ports.Recorder``; :meth:`run` does the writing, as background work of the manager.

    ``component`` and ``host`` are the event's source. ``dropped`` counts what nobody will ever read: queue full,
    object too talkative, refused by the server, or server out of reach for two minutes.
    """

    def __init__(self, writer: Writer, clock: Clock, component: str, *, host: str = "") -> None:
        self.dropped = 0
        self._writer = writer
        self._clock = clock
        self._component = component
        self._host = host
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._correlator = Correlator()
        self._waiting: deque[_Occurrence] = deque()
        self._idle: asyncio.Future[None] | None = None
        # Names carry nanoseconds where clocks have microseconds: the rest tells events of one instant apart.
        self._serial = crc32(f"{component}/{host}".encode()) % 1000

    def event(self, regarding: Document, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell the users of ``regarding``; returns at once."""
        if len(self._waiting) >= _WAITING_MAX:
            self.dropped += 1
            return
        self._waiting.append(_Occurrence(regarding, type_, reason, message, self._clock.utcnow()))
        idle = self._idle
        if idle is not None:
            self._idle = None
            if not idle.done():
                idle.set_result(None)

    async def run(self) -> None:
        """Write events one after the other, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            while self._waiting:
                await self._record(self._waiting.popleft(), loop.time())
            self._idle = loop.create_future()
            await self._idle

    async def _record(self, occurrence: _Occurrence, now_s: float) -> None:
        involved = _involved(occurrence.regarding)
        reason, message = occurrence.reason[:_REASON_MAX], occurrence.message[:MESSAGE_MAX]
        written = self._correlator.correlate(involved, occurrence.type_, reason, message, now_s)
        if written is None:
            self.dropped += 1
            return
        name = self._name(involved.get("name", ""), occurrence.at)
        answer_lost = False
        for _ in range(_TRIES):
            try:
                await self._write(written, name, involved, occurrence)
                return
            except ConnectionLost:
                answer_lost = True
                await asyncio.sleep(_RETRY_S)
            except ApiError as error:
                if error.code == 429:
                    await asyncio.sleep(error.retry_after_s or _RETRY_S)
                elif error.reason != "AlreadyExists":
                    break  # the server has read it and wants none of it
                elif answer_lost:
                    written.name = name
                    return
                else:
                    name = self._name(involved.get("name", ""), occurrence.at)
        self.dropped += 1

    async def _write(self, written: Written, name: str, involved: Document, occurrence: _Occurrence) -> None:
        namespace = involved.get("namespace") or "default"
        seen = occurrence.at.isoformat(timespec="seconds")[:19] + "Z"
        if written.name:
            change = {"count": written.count, "lastTimestamp": seen, "message": written.message}
            try:
                await self._writer.patch(_EVENTS, namespace, written.name, change)
                return
            except ApiError as error:
                if error.code != 404:  # events are kept for an hour only
                    raise
        written.first_seen = written.first_seen or seen
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": occurrence.reason[:_REASON_MAX],
            "message": written.message,
            "source": self._source,
            "firstTimestamp": written.first_seen,
            "lastTimestamp": seen,
            "count": written.count,
            "type": occurrence.type_,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        await self._writer.create(_EVENTS, namespace, body)
        written.name = name

    def _name(self, of: str, at: datetime) -> str:
        self._serial = (self._serial + 1) % 1000
        stamp = f".{(at - _UNIX) // _MICROSECOND * 1000 + self._serial:x}"
        return of[: _NAME_MAX - len(stamp)].rstrip("-.") + stamp


_UNIX = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def _involved(regarding: Document) -> dict[str, Any]:
    metadata = regarding.get("metadata", {})
    reference = {
        "kind": regarding.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "apiVersion": regarding.get("apiVersion"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return reference if all(reference.values()) else {field: value for field, value in reference.items() if value}
