"""Tasks of the virtual loop."""

import asyncio
import contextvars
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class Task(asyncio.Task[T]):
    """A task that hashes to its number, not to its address in memory.

    ``asyncio.TaskGroup`` and ``asyncio.wait`` keep tasks in sets and cancel them in the order of those sets: by address
    that would differ from one run to the next.
    """

    def __init__(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        number: int,
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        context: contextvars.Context | None,
    ) -> None:
        self._number = number  # first of all: asyncio puts the task into a set while it initialises it
        super().__init__(coro, loop=loop, name=name, context=context)

    def __hash__(self) -> int:
        return self._number
