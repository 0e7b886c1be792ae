"""The axis on which lengths of time stand: linear, or logarithmic where they differ too much for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reports.figures.timescale import spoken, unit

_LOG_SPREAD = 50  # beyond this ratio, a linear axis would squeeze the short timings into its first pixels


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """``floor_s`` is the smallest time that can be drawn, ``per_unit`` the seconds per unit of the axis."""

    floor_s: float
    per_unit: float
    low: float
    high: float
    is_log: bool

    def edges(self, bars: int) -> list[float]:
        """Of so many bars, equally wide on the axis."""
        if self.is_log:
            low, high = log10(self.low), log10(self.high)
            return [10 ** (low + (high - low) * number / bars) for number in range(bars + 1)]
        return [self.low + (self.high - self.low) * number / bars for number in range(bars + 1)]


def time_axis(axes: Axes, samples: Mapping[str, Sequence[float]]) -> TimeAxis:
    """Set up the x axis for samples of seconds, each sorted."""
    longest = max(values[-1] for values in samples.values())
    positive = [next((value for value in values if value > 0), longest) for values in samples.values()]
    shortest = min(positive)
    if shortest > 0 and longest / shortest > _LOG_SPREAD:
        low, high = shortest / 1.4, longest * 1.4
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(FixedLocator(_marks(low, high)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: spoken(value)))
        axes.set_xlabel("virtual time (logarithmic; unit at each mark)")
        return TimeAxis(shortest, 1.0, low, high, True)
    per_unit, name = unit(longest)
    lowest = min(0, *(values[0] for values in samples.values()))  # a live cluster's clocks may disagree
    low, high = lowest / per_unit, (longest + (longest - lowest) * 0.04) / per_unit
    axes.set_xlim(low, high)
    axes.set_xlabel(f"virtual time ({name})")
    return TimeAxis(-float("inf"), per_unit, low, high, False)


def _marks(low: float, high: float) -> list[float]:
    """Powers of ten within the axis; on a short axis, three times them as well."""
    powers = [10.0**power for power in range(-6, 8)]
    marks = [mark for mark in powers if low <= mark <= high]
    return marks if len(marks) > 3 else [m for power in powers for m in (power, 3 * power) if low <= m <= high]
