"""One controller: workers that take keys from a queue and reconcile them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from controller.ports import ApiError
from controller.runtime.queue import WorkQueue

K = TypeVar("K", bound=Hashable)

Outcome = Literal["success", "requeue_after", "error", "permanent"]


class Result(NamedTuple):
    """What a reconcile that succeeded asks for: to be called again after ``requeue_after_s``, or nothing."""

    requeue_after_s: float | None = None


class PermanentError(Exception):
    """Trying again cannot help: the key is left alone until something changes."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What onlookers are told; they must not raise.

    ``on_start(controller, key)``; ``on_end(controller, key, outcome, duration_s, error)``; ``on_error(error)``, before
    it, when a reconcile raised.
    """

    on_start: Callable[[str, Any], None] | None = None
    on_end: Callable[[str, Any, Outcome, float, Exception | None], None] | None = None
    on_error: Callable[[Exception], None] | None = None


_SILENT = Hooks()


class Controller(Generic[K]):
    """Calls ``reconcile(key)`` for every key of its queue, one key never twice at a time, ``workers`` keys at once.

    Reconciling is level-triggered: the key says what to look at, never what happened. What comes of a call:

    ====================================  ======================  ===============================================
    ``reconcile``                         back-off of the key     next call
    ====================================  ======================  ===============================================
    returns None or ``Result()``          forgotten               when somebody adds the key
    returns ``Result(requeue_after_s)``   forgotten               after that time, or sooner when somebody adds it
    raises ``PermanentError``             forgotten               when somebody adds the key
    raises ``ApiError`` with Retry-After  doubled                 after the back-off, never before Retry-After
    raises any other ``Exception``        doubled                 after the back-off
    ====================================  ======================  ===============================================
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[Result | None]],
        *,
        workers: int = 1,
        queue: WorkQueue[K] | None = None,
        hooks: Hooks = _SILENT,
    ) -> None:
        if workers < 1:
            raise ValueError(f"controller {name}: workers must be 1 or more, not {workers}")
        self.name = name
        self.workers = workers
        self.queue: WorkQueue[K] = WorkQueue() if queue is None else queue
        self._reconcile = reconcile
        self._hooks = hooks

    async def work(self) -> None:
        """One worker, until the queue is shut down."""
        queue, reconcile, on_start, on_end = self.queue, self._reconcile, self._hooks.on_start, self._hooks.on_end
        get, forget, done = queue.get, queue.forget, queue.done
        time = asyncio.get_running_loop().time
        while (key := await get()) is not None:
            started_s = time() if on_end is not None else 0.0
            if on_start is not None:
                on_start(self.name, key)
            outcome: Outcome
            failure: Exception | None = None
            try:
                result = await reconcile(key)
            except Exception as error:
                failure = error
                outcome = self._failed(key, error)
            else:
                forget(key)
                if result is not None and result.requeue_after_s is not None:
                    queue.add_after(key, result.requeue_after_s)
                    outcome = "requeue_after"
                else:
                    outcome = "success"
            done(key)
            if on_end is not None:
                on_end(self.name, key, outcome, time() - started_s, failure)

    def _failed(self, key: K, error: Exception) -> Outcome:
        if self._hooks.on_error is not None:
            self._hooks.on_error(error)
        if isinstance(error, PermanentError):
            self.queue.forget(key)
            return "permanent"
        at_least_s = error.retry_after_s if isinstance(error, ApiError) else None
        self.queue.add_rate_limited(key, at_least_s=at_least_s or 0.0)
        return "error"
