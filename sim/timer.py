"""Callbacks of the virtual loop.

asyncio's own constructors would cost more than everything else a callback costs, so none is called.
"""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any


class Handle(asyncio.Handle):
    """A callback in the ready queue."""

    __slots__ = ()

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context) -> None:
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def __repr__(self) -> str:
        return f"<Handle {self._callback!r}{' cancelled' if self._cancelled else ''}>"

    def cancel(self) -> None:
        self._cancelled = True


class Timer(asyncio.TimerHandle):
    """A callback at an instant: in a context it takes its turn in the ready queue, without one it is called at once."""

    __slots__ = ("at_us",)

    def __init__(
        self,
        at_us: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> None:
        self.at_us = at_us
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def __repr__(self) -> str:
        return f"<Timer at {self.at_us} us {self._callback!r}>"

    def when(self) -> float:
        return self.at_us / 1_000_000

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = _nothing
        self._args = ()


def _nothing() -> None:
    return None
