"""The API server through a network: ``controller.ports.Cluster`` for one identity.

A call is one timer and one future. The timer belongs to no process, so the request of a process that is killed
meanwhile is still carried out and only the answer is lost.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, PatchType, Propagation, Resource, WatchStream
from sim.apiserver.calls import CallCount
from sim.apiserver.identity import User
from sim.apiserver.latency import Latency
from sim.apiserver.watch import Lag
from sim.apiserver.watching import Watcher
from sim.loop import Process

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

Operations = list[Document]
_NOTHING: dict[str, Any] = {}
_REFUSED_SOONER = 4  # nothing to convert and to encode: recorded, 3.2 ms for a conflict against 7.7 for a write
_AT_ONCE = -1  # no way back at all, which is not the same as one of no length: that is an event of its own


class _Verb:
    """What one verb of one client needs at each call, bound once."""

    __slots__ = ("act", "counts", "name", "sample_us")

    def __init__(self, name: str, act: Callable[..., Any], sample_us: Callable[[Random], int]) -> None:
        self.name = name
        self.act = act
        self.sample_us = sample_us
        self.counts: dict[tuple[str, str, str], CallCount] = {}


class Client:
    def __init__(
        self, server: "ApiServer", user: User, component: str, manager: str, latency: Latency, watch_lag: Lag | None
    ) -> None:
        self.user = user
        self.component = component
        self._manager = manager
        self._server = server
        self._loop = server.loop
        self._post = server.loop.post
        self._random = server.streams(f"apiserver.latency.{component or user.name}")
        self._watch_lag = watch_lag
        self._share = latency.request_share
        self._get = _Verb("get", server.get, latency.of("get").sample_us)
        self._list = _Verb("list", server.list, latency.of("list").sample_us)
        writes: list[Callable[..., Any]] = [server.create, server.update, server.patch]
        if server.ownership is not None:
            writes = [partial(write, manager=manager) for write in writes]
        create, update, patch = writes
        self._create = _Verb("create", create, latency.of("create").sample_us)
        self._update = _Verb("update", update, latency.of("update").sample_us)
        self._patch = _Verb("patch", patch, latency.of("patch").sample_us)
        self._delete = _Verb("delete", server.delete, latency.of("delete").sample_us)
        self._watch = _Verb("watch", server.watch, latency.of("watch").sample_us)

    def _send(
        self,
        verb: _Verb,
        args: tuple[Any, ...],
        options: dict[str, Any] = _NOTHING,
        subresource: str = "",
    ) -> "asyncio.Future[Any]":
        """Put the request on its way; ``args`` begin with the resource."""
        resource = args[0]
        delay_us = verb.sample_us(self._random)
        count = verb.counts.get((resource.plural, resource.group, subresource))
        if count is None:
            count = self._count(verb, resource, subresource)
        future: asyncio.Future[Any] = asyncio.Future(loop=self._loop)
        flow = self._server.flow
        if flow is not None:
            try:
                delay_us += flow.wait_us(self.user, verb.name)
            except ApiError as error:
                count.count += 1
                count.refused(error.code)
                self._post(delay_us, _fail, future, error.with_traceback(None))
                return future
        if self._share == 1.0:
            self._post(delay_us, self._serve, _AT_ONCE, future, verb.act, count, args, options)
        else:
            there_us = round(delay_us * self._share)
            self._post(there_us, self._serve, delay_us - there_us, future, verb.act, count, args, options)
        return future

    def _count(self, verb: _Verb, resource: Resource, subresource: str) -> CallCount:
        name = f"{resource.group_resource}/{subresource}" if subresource else resource.group_resource
        count = self._server.calls[self.component, verb.name, name]
        verb.counts[resource.plural, resource.group, subresource] = count
        return count

    def _serve(
        self,
        back_us: int,
        future: "asyncio.Future[Any]",
        act: Callable[..., Any],
        count: CallCount,
        args: tuple[Any, ...],
        options: dict[str, Any],
    ) -> None:
        """Serve now and answer ``back_us`` later, or at once where that is negative."""
        count.count += 1
        answered: Callable[[asyncio.Future[Any], Any], None] = _answer
        try:
            # Unpacking an empty mapping costs as much as the call.
            answer = act(self.user, *args, **options) if options else act(self.user, *args)
        except ApiError as error:
            count.refused(error.code)
            # Its traceback would hold this frame, and so the future that holds it.
            answered, answer = _fail, error.with_traceback(None)
            if back_us > 0:
                back_us //= _REFUSED_SOONER
        if back_us < 0:
            answered(future, answer)
        else:
            self._post(back_us, answered, future, answer)

    async def get(self, resource: Resource, namespace: str, name: str) -> Document:
        answer: Document = await self._send(self._get, (resource, namespace, name))
        return answer

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
        options = {
            "label_selector": label_selector,
            "field_selector": field_selector,
            "limit": limit,
            "continue_token": continue_token,
            "resource_version": resource_version,
        }
        answer: Document = await self._send(self._list, (resource, namespace), options)
        return answer

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        answer: Document = await self._send(self._create, (resource, namespace, body))
        return answer

    async def update(
        self, resource: Resource, namespace: str, name: str, body: Document, *, subresource: str = ""
    ) -> Document:
        options = {"subresource": subresource} if subresource else _NOTHING
        answer: Document = await self._send(self._update, (resource, namespace, name, body), options, subresource)
        return answer

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Document | Operations,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> Document:
        options = _NOTHING
        if subresource or patch_type != "merge":
            options = {"patch_type": patch_type, "subresource": subresource}
        if patch_type == "apply":
            options = {**options, "manager": self._manager}
        answer: Document = await self._send(self._patch, (resource, namespace, name, body), options, subresource)
        return answer

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
        options = {
            "propagation": propagation,
            "uid": uid,
            "resource_version": resource_version,
            "grace_period_s": grace_period_s,
        }
        answer: Document = await self._send(self._delete, (resource, namespace, name), options)
        return answer

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
        options = {
            "resource_version": resource_version,
            "label_selector": label_selector,
            "field_selector": field_selector,
            "timeout_s": timeout_s,
            "bookmarks": bookmarks,
            "watcher": Watcher(self.component, self._watch_lag, Process.current()),
        }
        answer: WatchStream = await self._send(self._watch, (resource, namespace), options)
        return answer


def _answer(future: "asyncio.Future[Any]", answer: Any) -> None:
    if not future.done():
        future.set_result(answer)


def _fail(future: "asyncio.Future[Any]", error: ApiError) -> None:
    if not future.done():
        future.set_exception(error)
        future._log_traceback = False  # a killed caller never fetches it, and that is no bug
