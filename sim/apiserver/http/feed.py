"""What one client reads of one watch: bounded, between the world's instants and the client's pace."""

import asyncio

from controller.ports import WatchEvent
from sim.apiserver.errors import expired
from sim.apiserver.http.outgoing import Lines
from sim.apiserver.watch import Stream

_UNREAD_BYTES = 16 * 1024 * 1024
_UNREAD_LINES = 20_000


class Feed:
    """Takes from the stream whatever arrives when it arrives, so that a slow client never slows the world.

    A client that is too far behind is cut: it gets an ERROR of code 410 instead of what it missed, and the end.
    ``unread_bytes`` and ``unread_lines`` are how far behind it may be.
    """

    __slots__ = ("_lines", "_out", "_size", "_unread", "_waiter", "cut", "ended", "limits", "stream")

    def __init__(
        self, stream: Stream, lines: Lines, *, unread_bytes: int = _UNREAD_BYTES, unread_lines: int = _UNREAD_LINES
    ) -> None:
        self.stream = stream
        self.cut = False
        self.ended = False
        self.limits = (unread_bytes, unread_lines)
        self._lines = lines
        self._out: list[bytes] = []
        self._size = 0
        self._unread = 0
        self._waiter: asyncio.Future[None] | None = None

    def open(self) -> None:
        """Begin to take; called in the world, at the instant the watch begins."""
        self._out += [self._lines.line(event) for event in self.stream.take()]  # however much there is
        self.stream.alert(self._collect)
        self._collect()

    def finish(self) -> None:
        """The server ends the watch; what has been taken is still delivered."""
        self.ended = True
        self._wake()

    async def read(self) -> bytes:
        """Whole lines, as many as there are; nothing at the end."""
        while not self._out:
            if self.ended:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        text = b"".join(self._out)
        self._out.clear()
        self._size = self._unread = 0
        return text

    def _collect(self) -> None:
        for event in self.stream.take():
            if self.cut:
                break
            line = self._lines.line(event)
            self._size += len(line)
            self._unread += 1
            self._out.append(line)
            if self._size > self.limits[0] or self._unread > self.limits[1]:
                self._cut()
        if self.stream.ended:
            self.ended = True
        self._wake()

    def _cut(self) -> None:
        self.cut = self.ended = True
        self._out[:] = [self._lines.line(WatchEvent("ERROR", expired("too many events were left unread").status()))]

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
