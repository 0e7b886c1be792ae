"""Requests and answers: JSON over the official client's connections, without its models.

Every answer is bounded in size and every wait in time. What is no answer of an API server, a broken connection or
a reply that cannot be read, is :class:`~controller.ports.ConnectionLost`: the request may have been carried out.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from controller.live.refusal import refusal
from controller.ports import ConnectionLost, Document

JSON = "application/json"
BROKEN = (aiohttp.ClientError, TimeoutError, OSError)
"""What aiohttp raises when no answer comes, or not all of it."""
_CONNECT_S = 10.0
_ANSWER_MAX_BYTES = 256 << 20  # a page of five hundred of the largest objects etcd takes is three times as much
_REFUSAL_MAX_BYTES = 1 << 20


class Connection:
    """One identity at one API server. ``agent`` is the User-Agent; up to its first slash it names the field manager."""

    def __init__(self, configuration: Configuration, agent: str, *, timeout_s: float) -> None:
        self._client = ApiClient(configuration)
        self._client.user_agent = agent
        self._host: str = configuration.host
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S)

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]

    async def document(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Document | list[Document] | None = None,
        media: str = JSON,
    ) -> Document:
        """Ask and read a JSON object. Raises ApiError, ConnectionLost."""
        raw = await self.read(method, path, query, body, media)
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ConnectionLost(f"{method} {path}: the answer is no JSON object")
        return answer

    async def read(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        media: str = JSON,
        limit_bytes: int = _ANSWER_MAX_BYTES,
    ) -> bytes:
        """Ask and read the whole answer. Raises ApiError, ConnectionLost."""
        response = await self._ask(method, path, query, body, media, self._timeout)
        try:
            return await _whole(response, limit_bytes)
        except BROKEN as error:
            raise lost(method, path, error) from None

    async def open(self, path: str, query: Mapping[str, str], timeout_s: float) -> aiohttp.ClientResponse:
        """Begin to GET what arrives bit by bit, for ``timeout_s`` at most. Raises ApiError, ConnectionLost."""
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S)
        return await self._ask("GET", path, query, None, JSON, timeout)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        media: str,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": "*/*" if path.endswith("/log") else JSON, "Content-Type": media}
        headers.update(self._client.default_headers)
        url = self._host + path
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        try:
            await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            answer = await self._client.call_api(method, url, headers, body, _request_timeout=timeout)
            response: aiohttp.ClientResponse = answer.response
            if response.status < 300:
                return response
            raw = await _whole(response, _REFUSAL_MAX_BYTES)
        except BROKEN as error:
            raise lost(method, path, error) from None
        raise refusal(response.status, response.headers, raw)


def lost(method: str, path: str, error: BaseException) -> ConnectionLost:
    return ConnectionLost(f"{method} {path}: {str(error) or type(error).__name__}")


async def _whole(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.content.iter_any():
            size += len(part)
            if size > limit_bytes:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {limit_bytes} bytes")
            parts.append(part)
    finally:
        response.close()  # a connection whose answer was read to its end has gone back to the pool by now
    return b"".join(parts)
