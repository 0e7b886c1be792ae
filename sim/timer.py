"""Callbacks of the virtual loop.

They offer what asyncio's handles offer, without being any: asyncio's classes carry slots that nothing here reads, and
their constructors would cost more than everything else a callback costs. The loop fills the slots itself.
"""

import contextvars
from typing import Any


class Handle:
    """A callback in the ready queue. ``call`` is the callable and its arguments, in one tuple, as ``Context.run`` takes
    them; None when it is cancelled."""

    __slots__ = ("call", "context")

    call: tuple[Any, ...] | None
    context: contextvars.Context | None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.call[0]!r}>" if self.call else f"<{type(self).__name__} cancelled>"

    def cancel(self) -> None:
        self.call = None

    def cancelled(self) -> bool:
        return self.call is None


class Timer(Handle):
    """A callback at an instant: in a context it takes its turn in the ready queue, without one it is called at once."""

    __slots__ = ("at_us",)

    at_us: int

    def when(self) -> float:
        """The instant in seconds of the loop."""
        return self.at_us / 1_000_000
