"""Callbacks of the virtual loop.

They offer what asyncio's handles offer, without being any: asyncio's classes carry slots that nothing here reads, and
their constructors would cost more than everything else a callback costs. The loop fills the slots itself.
"""

import contextvars
from collections.abc import Callable
from typing import Any


class Handle:
    """A callback in the ready queue; a cancelled one has no ``callback``."""

    __slots__ = ("args", "callback", "context")

    callback: Callable[..., Any] | None
    args: tuple[Any, ...]
    context: contextvars.Context | None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.callback!r}{' cancelled' if self.cancelled() else ''}>"

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None


class Timer(Handle):
    """A callback at an instant: in a context it takes its turn in the ready queue, without one it is called at once."""

    __slots__ = ("at_us",)

    at_us: int

    def when(self) -> float:
        """The instant in seconds of the loop."""
        return self.at_us / 1_000_000
