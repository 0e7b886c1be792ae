"""How executions end: named outcomes drawn by weight."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from math import isfinite
from random import Random


class Mix:
    """Draws outcome names in proportion to their weights. A weight of 0 is never drawn; the sum need not be 1.

    Raises ValueError, one line, for an empty mix and for weights that are negative or no numbers.
    """

    __slots__ = ("_bounds", "_names", "_total")

    def __init__(self, weights: Mapping[str, float]) -> None:
        for name, weight in weights.items():
            if (
                isinstance(weight, bool)
                or not isinstance(weight, int | float)
                or not (isfinite(weight) and weight >= 0)
            ):
                raise ValueError(f"outcome {name!r:.60}: expected a weight of 0 or more, not {weight!r:.60}")
        drawn = {name: float(weight) for name, weight in weights.items() if weight > 0}
        self._names = tuple(drawn)
        self._bounds = tuple(accumulate(drawn.values()))
        self._total = self._bounds[-1] if drawn else 0.0
        if not (self._total > 0 and isfinite(self._total)):
            raise ValueError("a mix of outcomes needs at least one weight above 0, and a finite sum of weights")

    def draw(self, stream: Random) -> str:
        """One name; takes exactly one ``stream.random()``."""
        position = bisect_right(self._bounds, stream.random() * self._total)
        # The product may round up to the total itself.
        return self._names[position if position < len(self._names) else -1]

    def shares(self) -> dict[str, float]:
        """The probability of each outcome that can be drawn."""
        lower = (0.0, *self._bounds)
        return {
            name: (upper - lower[position]) / self._total
            for position, (name, upper) in enumerate(zip(self._names, self._bounds, strict=True))
        }
