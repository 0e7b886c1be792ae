"""Kubernetes events, written behind the controller's back: it never waits for them and never fails over them."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal
from zlib import crc32

from controller.ports import ApiError, Clock, ConnectionLost, Document, Resource, Writer
from controller.runtime.correlator import MESSAGE_MAX, Correlator, Written

_EVENTS = Resource("", "v1", "events", "Event")
_WAITING_MAX = 1000  # client-go's broadcaster queues as many, then drops
_TRIES = 12  # client-go's, ten seconds apart
_RETRY_S = 10.0
_NAME_MAX = 253
_REASON_MAX = 128


_Occurrence = tuple[Document, Literal["Normal", "Warning"], str, str, int]
"""(regarding, type, reason, message, microseconds since 1970)."""


class EventRecorder:
    """Implements ``controller.ports.Recorder``; :meth:`run` does the writing, as background work of the manager.

    ``component`` and ``host`` are the event's source. ``dropped`` counts what nobody will ever read: queue full,
    object too talkative, refused by the server, or server out of reach for two minutes.
    """

    def __init__(self, writer: Writer, clock: Clock, component: str, *, host: str = "") -> None:
        self.dropped = 0
        self._writer = writer
        self._unix_us = _unix_us_of(clock)
        self._component = component
        self._host = host
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._correlator = Correlator()
        self._waiting: deque[_Occurrence] = deque()
        self._idle: asyncio.Future[None] | None = None
        # Names carry nanoseconds where clocks have microseconds: the rest tells events of one instant apart.
        self._serial = crc32(f"{component}/{host}".encode()) % 1000
        self._second = -1
        self._second_text = ""

    def event(self, regarding: Document, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell the users of ``regarding``; returns at once."""
        waiting = self._waiting
        if len(waiting) >= _WAITING_MAX:
            self.dropped += 1
            return
        waiting.append((regarding, type_, reason, message, self._unix_us()))
        idle = self._idle
        if idle is not None:
            self._idle = None
            if not idle.done():
                idle.set_result(None)

    async def run(self) -> None:
        """Write events one after the other, until cancelled."""
        loop, waiting = asyncio.get_running_loop(), self._waiting
        time = loop.time
        while True:
            while waiting:
                await self._record(waiting.popleft(), time())
            self._idle = loop.create_future()
            await self._idle

    async def _record(self, occurrence: _Occurrence, now_s: float) -> None:
        regarding, type_, reason, message, at_us = occurrence
        involved = _involved(regarding)
        # A uid says it all, and hashes faster than what it stands for.
        who = involved.get("uid") or (involved.get("kind"), involved.get("namespace"), involved.get("name"))
        reason = reason[:_REASON_MAX]
        written = self._correlator.correlate(who, type_, reason, message[:MESSAGE_MAX], now_s)
        if written is None:
            self.dropped += 1
            return
        name = self._name(involved.get("name", ""), at_us)
        namespace = involved.get("namespace") or "default"
        seen = self._text(at_us)
        answer_lost = False
        for _ in range(_TRIES):
            try:
                if not (written.name and await self._counted_up(written, namespace, seen)):
                    body = self._body(written, namespace, name, involved, type_, reason, seen)
                    await self._writer.create(_EVENTS, namespace, body)
                    written.name = name
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
                    name = self._name(involved.get("name", ""), at_us)
        self.dropped += 1

    async def _counted_up(self, written: Written, namespace: str, seen: str) -> bool:
        """Patch the event that is there; False if it is there no more, for events are kept for an hour only."""
        change = {"count": written.count, "lastTimestamp": seen, "message": written.message}
        try:
            await self._writer.patch(_EVENTS, namespace, written.name, change)
        except ApiError as error:
            if error.code != 404:
                raise
            return False
        return True

    def _body(
        self, written: Written, namespace: str, name: str, involved: Document, type_: str, reason: str, seen: str
    ) -> Document:
        first_seen = written.first_seen = written.first_seen or seen
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": written.message,
            "source": self._source,
            "firstTimestamp": first_seen,
            "lastTimestamp": seen,
            "count": written.count,
            "type": type_,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }

    def _name(self, of: str, at_us: int) -> str:
        self._serial = serial = (self._serial + 1) % 1000
        stamp = f".{at_us * 1000 + serial:x}"
        return of[: _NAME_MAX - len(stamp)].rstrip("-.") + stamp

    def _text(self, at_us: int) -> str:
        """RFC 3339, truncated to the second: as a rule the second of the event before."""
        second = at_us // 1_000_000
        if second != self._second:
            self._second = second
            self._second_text = (_UNIX + timedelta(seconds=second)).isoformat()[:19] + "Z"
        return self._second_text


_UNIX = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def _unix_us_of(clock: Clock) -> Callable[[], int]:
    """The clock's own microseconds since 1970 where it has them: a datetime is dear to make and to take apart."""
    own: Callable[[], int] | None = getattr(clock, "unix_us", None)
    return own if own is not None else lambda: (clock.utcnow() - _UNIX) // _MICROSECOND


def _involved(regarding: Document) -> dict[str, Any]:
    """The reference to an object: as a rule it has all of the fields, otherwise those that it has."""
    try:
        metadata = regarding["metadata"]
        reference = {
            "kind": (kind := regarding["kind"]),
            "namespace": (namespace := metadata["namespace"]),
            "name": (name := metadata["name"]),
            "uid": (uid := metadata["uid"]),
            "apiVersion": (api_version := regarding["apiVersion"]),
            "resourceVersion": (version := metadata["resourceVersion"]),
        }
        if kind and namespace and name and uid and api_version and version:
            return reference
    except KeyError:
        pass  # of a cluster-scoped object, say
    metadata = regarding.get("metadata", {})
    reference = {
        "kind": regarding.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "apiVersion": regarding.get("apiVersion"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {field: value for field, value in reference.items() if value}
