"""A watch as it arrives: lines of JSON, each an event."""

import json

import aiohttp

from controller.live.connection import BROKEN, lost
from controller.live.refusal import of_status
from controller.ports import ConnectionLost, WatchEvent

_LINE_MAX_BYTES = 16 << 20  # an API server takes no object of more than three megabytes
_TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")


class LiveStream:
    """Implements ``controller.ports.WatchStream``.

    A real API server accepts a watch from a version that it no longer has, and says so in the first line: that is
    raised as the ApiError it is. A connection that breaks raises ConnectionLost.
    """

    def __init__(self, response: aiohttp.ClientResponse, path: str) -> None:
        self._response = response
        self._path = path
        self._rest = b""
        self._begun = False
        self._closed = False

    def __aiter__(self) -> "LiveStream":
        return self

    async def __anext__(self) -> list[WatchEvent]:
        while not self._closed:
            try:
                part = await self._response.content.readany()
            except BROKEN as error:
                if self._closed:
                    break
                self.close()
                raise lost("WATCH", self._path, error) from None
            if not part:
                self._end()
            batch = self._events(part)
            if batch:
                if batch[0].type == "ERROR" and not self._begun:
                    self.close()
                    raise of_status(batch[0].object)
                self._begun = True
                return batch
        raise StopAsyncIteration

    def close(self) -> None:
        self._closed = True
        self._response.close()

    def _end(self) -> None:
        """The server has ended the stream; in good order only after a whole line."""
        self.close()
        if self._rest:
            raise ConnectionLost(f"WATCH {self._path}: the stream ends within an event")

    def _events(self, part: bytes) -> list[WatchEvent]:
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > _LINE_MAX_BYTES:
            self.close()
            raise ConnectionLost(f"WATCH {self._path}: an event of more than {_LINE_MAX_BYTES} bytes")
        return [self._event(line) for line in lines if line.strip()]

    def _event(self, line: bytes) -> WatchEvent:
        try:
            event = json.loads(line)
            type_, document = event["type"], event["object"]
        except (ValueError, KeyError, TypeError):
            type_, document = "", None
        if type_ not in _TYPES or not isinstance(document, dict):
            self.close()
            raise ConnectionLost(f"WATCH {self._path}: a line that is no event")
        return WatchEvent(type_, document)
