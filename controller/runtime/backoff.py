"""How long to wait before trying again: client-go's limiters."""

from collections.abc import Hashable
from random import Random
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_DOUBLINGS_MAX = 64  # beyond it every sensible base has met its cap


class ItemBackoff(Generic[K]):
    """Doubles per failure of one item: ``base_s``, 2·``base_s``, … up to ``cap_s``. The defaults are client-go's."""

    def __init__(self, base_s: float = 0.005, cap_s: float = 1000.0) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._failures: dict[K, int] = {}

    def next_s(self, item: K) -> float:
        """Count one more failure of ``item``; answers the seconds to wait."""
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        return min(self._base_s * 2.0 ** min(failures, _DOUBLINGS_MAX), self._cap_s)

    def failures(self, item: K) -> int:
        """How often in a row ``item`` failed."""
        return self._failures.get(item, 0)

    def forget(self, item: K) -> None:
        """``item`` succeeded, or nobody will try it again."""
        self._failures.pop(item, None)


class JitteredBackoff:
    """Doubles per failure and stretches each wait by up to 100 %, as client-go's reflectors do: 0.8 s up to 30 s."""

    def __init__(self, stream: Random, base_s: float = 0.8, cap_s: float = 30.0) -> None:
        self._stream = stream
        self._base_s = base_s
        self._cap_s = cap_s
        self._failures = 0

    def next_s(self) -> float:
        """Count one more failure; answers the seconds to wait."""
        wait_s = min(self._base_s * 2.0 ** min(self._failures, _DOUBLINGS_MAX), self._cap_s)
        self._failures += 1
        return wait_s * (1.0 + self._stream.random())

    def reset(self) -> None:
        self._failures = 0
