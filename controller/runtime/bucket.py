"""The token bucket of client-go's flow control and of its retry limiter, by reservation."""


class TokenBucket:
    """``qps`` tokens a second, at most ``burst`` saved up; full at first. Told the time, it keeps no clock.

    A reservation is final: who gives up waiting has still spent the token.
    """

    __slots__ = ("_interval_s", "_next_s", "_saved_s")

    def __init__(self, qps: float, burst: int) -> None:
        if not (qps > 0 and burst >= 1):
            raise ValueError(f"a token bucket needs qps > 0 and burst >= 1, not qps={qps} burst={burst}")
        self._interval_s = 1.0 / qps
        self._saved_s = (burst - 1) / qps
        self._next_s = float("-inf")

    def reserve_s(self, now_s: float) -> float:
        """Take the next token; answers in how many seconds it becomes valid, 0.0 at once. First come, first served."""
        next_s = self._next_s if self._next_s > now_s else now_s
        self._next_s = next_s + self._interval_s
        wait_s = next_s - self._saved_s - now_s
        return wait_s if wait_s > _ROUNDING_S else 0.0

    def take(self, now_s: float) -> bool:
        """Take a token if one is there now."""
        next_s = self._next_s if self._next_s > now_s else now_s
        if next_s - self._saved_s - now_s > _ROUNDING_S:
            return False
        self._next_s = next_s + self._interval_s
        return True


_ROUNDING_S = 1e-9  # what adding binary fractions of a second may be off by
