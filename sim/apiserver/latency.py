"""How long one API call takes, by verb."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from sim.workload.distributions import Constant, Lognormal


class Draw(Protocol):
    """Any distribution of ``sim.workload``."""

    def sample_us(self, stream: Random) -> int: ...


COLLECTOR_LAG: Draw = Lognormal(median_us=10_000, sigma=0.5)
_CALL: Draw = Constant(5_000)


@dataclass(frozen=True, slots=True)
class Latency:
    """``verbs`` overrides ``default`` per verb: get, list, create, update, patch, delete, watch.

    ``request_share`` is the part of a call's time before the server acts; the rest is the way back.
    """

    default: Draw = _CALL
    verbs: Mapping[str, Draw] = field(default_factory=dict)
    request_share: float = 1.0

    def of(self, verb: str) -> Draw:
        return self.verbs.get(verb, self.default)
