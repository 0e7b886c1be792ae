"""Keys that wait to be looked at: each once, a little after something changed, again and later where it failed."""

from collections.abc import Callable
from random import Random

from controller.ports import ApiError
from sim.loop import Loop
from sim.timer import Timer
from sim.workload.distributions import Uniform

Key = tuple[str, str]
"""Namespace and name."""

LAG = Uniform(5_000, 60_000, "assumed: informer lag and work queue of kube-controller-manager")
_BACKOFF_FIRST_US = 5_000
_BACKOFF_MAX_US = 1_000_000_000  # client-go's default: 1000 s
_DOUBLINGS_MAX = 18


class Queue:
    """``sync`` may raise ApiError: its key is tried again with client-go's exponential back-off."""

    def __init__(self, loop: Loop, stream: Random, sync: Callable[[Key], None]) -> None:
        self._loop = loop
        self._stream = stream
        self._sync = sync
        self._timers: dict[Key, Timer] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Something changed."""
        self.add_after(key, LAG.sample_us(self._stream))

    def add_after(self, key: Key, delay_us: int) -> None:
        """Look again then, or sooner where that has been asked for already."""
        waiting = self._timers.get(key)
        if waiting is not None:
            if waiting.at_us <= self._loop.now_us + delay_us:
                return
            waiting.cancel()
        self._timers[key] = self._loop.after(delay_us, self._look, key)

    def _look(self, key: Key) -> None:
        del self._timers[key]
        try:
            self._sync(key)
        except ApiError:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self.add_after(key, min(_BACKOFF_FIRST_US << min(failures - 1, _DOUBLINGS_MAX), _BACKOFF_MAX_US))
        else:
            self._failures.pop(key, None)
