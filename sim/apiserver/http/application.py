"""The ASGI application: every request becomes an event of the world, and its answer goes back as bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from controller.ports import ApiError
from sim.apiserver.admission.webhookcalls import make
from sim.apiserver.admission.webhookreplies import Call, CallNeeded, Replies, Reply
from sim.apiserver.errors import bad_request
from sim.apiserver.http.feed import Feed
from sim.apiserver.http.incoming import Receive, Scope, Send, Vanished, body_of, headers_of, request_of
from sim.apiserver.http.journal import Journal
from sim.apiserver.http.outgoing import Lines, encoded, raw_headers
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.watch import Stream
from sim.pump import Broken, Pump

_WATCH_S = 3600.0  # of a watch whose client does not say how long; --min-request-timeout of a real server, doubled
_ENDLESS = str(10**9)  # seconds
_WHY_MAX = 500
_CALLS_MAX = 100  # of webhooks about one request
_JSON = {"content-type": "application/json"}
_log = logging.getLogger(__name__)

T = TypeVar("T")
Carried = tuple[Response, Feed | None, int]
"""An answer, the feed of a watch, and the number under which it was taken down."""
Page = Callable[[Request, str], Awaitable[Response]]
"""Something beside the Kubernetes API: a request and the client's address to an answer."""


class Application:
    """Serves ``rest`` on the time that ``pump`` keeps. ``pages`` stand beside the API, by the beginning of their path.

    A watch ends after the ``timeoutSeconds`` of its client's own clock, however fast the world goes.
    ``journal`` takes down what comes from outside. ``call`` reaches webhooks.
    """

    def __init__(
        self,
        rest: Rest,
        pump: Pump,
        *,
        pages: Mapping[str, Page] | None = None,
        journal: Journal | None = None,
        call: Callable[[Call], Awaitable[Reply]] = make,
    ) -> None:
        self._rest = rest
        self._call = call
        self._pump = pump
        self._pages = dict(pages or {})
        self._journal = journal
        self._lines = Lines()
        self._stopping = False
        self.feeds: set[Feed] = set()
        self.requests = 0

    def stop(self) -> None:
        """End every watch, and begin no more."""
        self._stopping = True
        for feed in list(self.feeds):
            feed.finish()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _decline(scope, receive, send)
            return
        if not self._pump.started:
            self._pump.start()
        headers = headers_of(scope)
        try:
            body = await body_of(receive, headers)
        except Vanished:
            return
        request = request_of(scope, headers, body)
        self.requests += 1
        page = self._page(request.path)
        if page is not None:
            await _answer(send, await page(request, _address(scope)))
            return
        limit_s = None
        if "watch" in request.query:
            request, limit_s = _unhurried(request)
        if self._rest.asks_outside(request):
            response, feed, number = await self._ask_outside(replace(request, replies=Replies()))
        else:
            response, feed, number = self._carry_out(request)
        if feed is None:
            await _answer(send, response)
            return
        try:
            await self._stream(feed, response, limit_s, receive, send)
        finally:
            self.feeds.discard(feed)
            if not feed.stream.ended and not self._pump.over:
                self._pump.enter(self._hang_up, feed, number)

    def _page(self, path: str) -> Page | None:
        if not self._pages:
            return None
        return next((page for prefix, page in self._pages.items() if path.startswith(prefix)), None)

    def _carry_out(self, request: Request) -> Carried:
        try:
            return self._pump.enter(self._handle, request)
        except Broken as broken:
            return _failure(500, str(broken)), None, 0

    async def _ask_outside(self, request: Request) -> Carried:
        """Carry out what webhooks have a say in: an attempt for every call that has to be made."""
        assert request.replies is not None
        try:
            for _ in range(_CALLS_MAX):
                found = self._pump.enter(self._attempt, request)
                if not isinstance(found, CallNeeded):
                    return found
                request.replies.add(found, await self._call(found.call))
        except Broken as broken:
            return _failure(500, str(broken)), None, 0
        return _failure(500, "webhooks want to be called without end"), None, 0

    def _attempt(self, request: Request) -> Carried | CallNeeded:
        found = attempted(self._rest, request)
        if not isinstance(found, CallNeeded):
            return self._taken_down(request, found)
        if self._journal is not None:
            self._journal.attempt(self._pump.loop.now_us)
        return found

    def _handle(self, request: Request) -> Carried:
        return self._taken_down(request, answered(self._rest, request))

    def _taken_down(self, request: Request, response: Response) -> Carried:
        number = 0
        if self._journal is not None:
            number = self._journal.request(self._pump.loop.now_us, request, self._rest, response)
        if not isinstance(response.body, Stream):
            return response, None, number
        feed = Feed(response.body, self._lines)
        self.feeds.add(feed)
        feed.open()
        return response, feed, number

    def _hang_up(self, feed: Feed, number: int) -> None:
        """The stream ends in the world, too; that it did so from outside is taken down."""
        feed.stream.close()
        if self._journal is not None:
            self._journal.hang_up(self._pump.loop.now_us, number)

    async def _stream(
        self, feed: Feed, response: Response, limit_s: float | None, receive: Receive, send: Send
    ) -> None:
        loop = asyncio.get_running_loop()
        if self._stopping:
            feed.finish()
        timer = loop.call_later(limit_s or _WATCH_S, feed.finish)
        gone = loop.create_task(_gone(receive, feed))
        try:
            headers = raw_headers(response.headers)
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            while text := await feed.read():
                await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            pass  # the client has left
        finally:
            timer.cancel()
            gone.cancel()


def answered(rest: Rest, request: Request) -> Response:
    """The answer, also where the server has a fault of its own: a 500 as a real one gives it."""
    return _guarded(rest.handle, request)


def attempted(rest: Rest, request: Request) -> Response | CallNeeded:
    """As :func:`answered`, for a request about which webhooks may have to be called first."""
    return _guarded(rest.attempt, request)


def _guarded(act: Callable[[Request], T], request: Request) -> T | Response:
    try:
        return act(request)
    except RecursionError:
        error = bad_request("the body is nested too deeply")
        return Response(error.code, dict(_JSON), error.status())
    except Exception as fault:
        _log.exception("%s %.500r", request.method, request.path)
        return _failure(500, repr(fault))


def _failure(code: int, why: str) -> Response:
    error = ApiError(code, "InternalError", f"Internal error occurred: {why[:_WHY_MAX]}")
    return Response(code, dict(_JSON), error.status())


async def _gone(receive: Receive, feed: Feed) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    feed.finish()


async def _answer(send: Send, response: Response) -> None:
    body = response.body
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else encoded(body) + b"\n"
    headers = raw_headers(response.headers)
    headers.append((b"content-length", b"%d" % len(data)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _decline(scope: Scope, receive: Receive, send: Send) -> None:
    """Hosts announce their own start and stop; there are no websockets here."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _unhurried(request: Request) -> tuple[Request, float | None]:
    """The watch without the end that its client asked for, and that end in seconds of the client's clock."""
    text = request.query.get("timeoutSeconds", "")
    if text and not (text.isascii() and text.isdigit()):
        return request, None
    return replace(request, query={**request.query, "timeoutSeconds": _ENDLESS}), float(text or 0) or None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
