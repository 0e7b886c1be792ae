"""List, then watch, then never lose track: what keeps a cache in step with the API server.

The rules of this file:

* A reflector begins with a whole list and only then watches, from the version of that list.
* A watch that the server ends in good order is resumed at once from the last version seen; a lost connection, a 429
  or a 5xx likewise, after a back-off (and never before the server's Retry-After).
* A version that history no longer has (410, at the start or as an ERROR event) means a new list. What differs from
  the cache is told to the handlers as if it had been watched, deletions included.
* Items of a list say what they are, as events of a watch do, although the API server leaves that out for its own kinds.
* A refused list is tried again for ever: without it there is nothing to do.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Protocol

from controller.ports import ApiError, ConnectionLost, Document, Reader, Resource, Watcher, WatchEvent
from controller.runtime.backoff import JitteredBackoff
from controller.runtime.cache import Cache, Key, key_of

Handler = Callable[[Document | None, Document | None], None]
"""Told (before, after): before is None for a new object, after is None for one that is gone, whose last state is then
``before``. Cheap and synchronous: it decides which keys to add to which queue. What it raises ends the reflector."""

_PAGE = 500  # client-go's page size
_WATCH_MIN_S = 300.0  # client-go asks for 5 to 10 minutes, at random, so that watches do not all end together
_OVERDUE_S = 30.0  # a connection that is half open says nothing for ever, not even that the watch is over
_SHORT_WATCH_S = 1.0  # a watch that ends sooner and says nothing is a failure, or it would be resumed in a busy loop


class Source(Reader, Watcher, Protocol):
    """What a reflector needs of a cluster."""


class Reflector:
    """One informer of one resource, to be shared by every controller of the process that cares.

    ``stream`` draws the back-off jitter and the watch timeouts. ``on_error`` is told every failure with the seconds
    until the next try.
    """

    def __init__(
        self,
        source: Source,
        resource: Resource,
        stream: Random,
        *,
        cache: Cache | None = None,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        on_error: Callable[[Resource, Exception, float], None] | None = None,
    ) -> None:
        self.resource = resource
        self.cache = Cache() if cache is None else cache
        self.synced = asyncio.Event()
        self._source = source
        self._stream = stream
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._on_error = on_error
        self._handlers: tuple[Handler, ...] = ()
        self._backoff = JitteredBackoff(stream)
        self._version = ""

    def add_handler(self, handler: Handler) -> None:
        """Tell ``handler`` every change from now on; what is in the cache already, it is told at once as new."""
        self._handlers = (*self._handlers, handler)
        for document in self.cache.list():
            handler(None, document)

    async def run(self) -> None:
        """Keep the cache in step until cancelled; ``synced`` is set after the first whole list."""
        self._version = ""
        while True:
            try:
                if not self._version:
                    self._version = await self._relist()
                    self.synced.set()
                await self._watch()
            except (ApiError, ConnectionLost) as error:
                wait_s = self._backoff.next_s()
                if isinstance(error, ApiError):
                    if error.code == 410:
                        self._version = ""
                    wait_s = max(wait_s, error.retry_after_s or 0.0)
                if self._on_error is not None:
                    self._on_error(self.resource, error, wait_s)
                await asyncio.sleep(wait_s)

    async def _relist(self) -> str:
        listed, version = await self._pages()
        for key in [*self.cache]:
            if key not in listed:
                self._tell(self.cache.remove(*key), None)
        for document in listed.values():
            old = self.cache.put(document)
            if old is None or old["metadata"]["resourceVersion"] != document["metadata"]["resourceVersion"]:
                self._tell(old, document)
        return version

    async def _pages(self) -> tuple[dict[Key, Document], str]:
        """All objects and the version of the list. A page token that expired costs one list in a single page."""
        listed: dict[Key, Document] = {}
        named = {"apiVersion": self.resource.api_version, "kind": self.resource.kind}
        limit, token = _PAGE, ""
        while True:
            try:
                page = await self._source.list(
                    self.resource,
                    self._namespace,
                    label_selector=self._label_selector,
                    field_selector=self._field_selector,
                    limit=limit,
                    continue_token=token,
                )
            except ApiError as error:
                if error.code != 410 or not token:
                    raise
                listed, limit, token = {}, 0, ""
                continue
            for document in page["items"]:
                listed[key_of(document)] = document if "kind" in document else {**named, **document}
            token = page["metadata"].get("continue", "")
            if not token:
                return listed, page["metadata"]["resourceVersion"]

    async def _watch(self) -> None:
        """One watch, until the server ends it in good order. Raises what ended it otherwise."""
        loop = asyncio.get_running_loop()
        timeout_s = _WATCH_MIN_S * (1.0 + self._stream.random())
        opened_s = loop.time()
        events = await self._source.watch(
            self.resource,
            self._namespace,
            resource_version=self._version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            timeout_s=timeout_s,
        )
        heard = False
        try:
            async with asyncio.timeout(timeout_s + _OVERDUE_S):
                async for batch in events:
                    if not heard:
                        heard = True
                        self._backoff.reset()
                    self._apply(batch)
        except TimeoutError:
            raise ConnectionLost(f"watch of {self.resource.group_resource} outlived its timeout") from None
        finally:
            events.close()
        if not heard and loop.time() - opened_s < _SHORT_WATCH_S:
            raise ConnectionLost(f"watch of {self.resource.group_resource} ended at once and without an event")
        self._backoff.reset()

    def _apply(self, batch: list[WatchEvent]) -> None:
        cache, handlers = self.cache, self._handlers
        before: Document | None
        after: Document | None
        for type_, document in batch:
            if type_ == "ERROR":
                raise _refusal(document)
            metadata = document["metadata"]
            if type_ == "DELETED":
                cache.remove(metadata.get("namespace", ""), metadata["name"])
                before, after = document, None
            elif type_ == "BOOKMARK":
                self._version = metadata["resourceVersion"]
                continue
            else:
                before, after = cache.put(document), document
            self._version = metadata["resourceVersion"]
            for handler in handlers:
                handler(before, after)

    def _tell(self, old: Document | None, new: Document | None) -> None:
        for handler in self._handlers:
            handler(old, new)


def _refusal(status: Document) -> ApiError:
    return ApiError(status.get("code", 500), status.get("reason", ""), status.get("message", ""), status.get("details"))
