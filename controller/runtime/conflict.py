"""Trying again after an optimistic-concurrency conflict."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from controller.ports import ApiError

T = TypeVar("T")


async def retry_on_conflict(
    attempt: Callable[[], Awaitable[T]],
    stream: Random,
    *,
    steps: int = 5,
    delay_s: float = 0.010,
    jitter: float = 0.1,
) -> T:
    """Call ``attempt``, which reads afresh and writes, until it meets no 409 Conflict; at most ``steps`` times.

    Waits ``delay_s`` in between, stretched by up to ``jitter``: client-go's DefaultRetry. Raises the last conflict,
    and at once whatever else ``attempt`` raises, AlreadyExists included.
    """
    for _ in range(steps - 1):
        try:
            return await attempt()
        except ApiError as error:
            if error.code != 409 or error.reason != "Conflict":
                raise
        await asyncio.sleep(delay_s * (1.0 + jitter * stream.random()))
    return await attempt()
