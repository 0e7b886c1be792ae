"""How long a target rests after failures in a row."""

from controller.orchestrator.settings import Backoff

_DOUBLINGS_MAX = 32


def delay_s(failures: int, rules: Backoff, draw: float) -> float:
    """Seconds of rest after the last of ``failures`` in a row, within base and cap; jitter by ``draw`` of [0, 1)."""
    if failures <= 0:
        return 0.0
    plain = min(rules.base_s * 2.0 ** min(failures - 1, _DOUBLINGS_MAX), rules.cap_s)
    jittered = plain * (1.0 + rules.jitter * (2.0 * draw - 1.0))
    return min(max(jittered, rules.base_s), rules.cap_s)
