"""What became of the remediations: one stacked bar for the signals of each stretch of time."""

import math
from collections.abc import Sequence

from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.fatescale import FateScale
from reports.figures.timescale import spoken, unit
from reports.record import ScenarioRecord

_TITLE = "What became of the remediations, by the time of their signal"
_BARS = 60
_US = 1_000_000
_STEPS_S = (
    *(step * 10.0**power for power in range(-6, 1) for step in (1, 2, 5)),
    *(10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0, 43200.0, 86400.0),
)
_INSTANT = 0.002  # of the scenario's time: signals closer together than this came at once


def fates_over_time(scenario: ScenarioRecord, scale: FateScale) -> Drawing:
    """Every remediation is in one bar and in one colour, however it ended; a sentence where all came at once."""
    remediations = scenario.remediations
    n = len(remediations)
    if n < 2:
        return Drawing("fates", _TITLE, f"The only remediation: {scale.shades[0].label}.", about="remediations")
    first_us = min(each.created_us for each in remediations)
    last_us = max(each.created_us for each in remediations)
    if last_us - first_us <= _INSTANT * scenario.end.virtual_us:
        when = spoken((last_us - first_us) / _US)
        note = f"All {n:,} signals came within {when}: there is nothing to tell apart over time."
        return Drawing("fates", _TITLE, note, about="remediations")
    step_s = _step_s((last_us - first_us) / _US)
    begin = math.floor(first_us / _US / step_s)
    heights = _heights([each.created_us for each in remediations], scale, round(step_s * _US), begin)
    per_unit, name = unit(last_us / _US)
    edges = [(begin + number) * step_s / per_unit for number in range(len(heights[0]) + 1)]
    figure, axes = canvas.axes(1040, max(280, 60 + 21 * len(heights)), left=58, right=340, top=12, bottom=42)
    floor = [0] * len(heights[0])
    for shade, counts in zip(scale.shades, heights, strict=True):
        roof = [low + count for low, count in zip(floor, counts, strict=True)]
        edge = {"edgecolor": canvas.INK, "linewidth": 0.5} if shade.hatch else {"linewidth": 0}
        axes.stairs(roof, edges, baseline=floor, fill=True, facecolor=shade.colour, hatch=shade.hatch, **edge)
        floor = roof
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(floor) * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_xlabel(f"virtual time since the scenario began ({name})")
    axes.set_ylabel(f"signals in {_whole(step_s)} (n = {n:,})")
    axes.grid(visible=True, axis="y")
    handles = [shade.patch(n) for shade in reversed(scale.shades)]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.02), borderaxespad=0, handlelength=1.3)
    svg = canvas.to_svg(figure, "What became of the remediations over time", f"s{scenario.head.id}rf-")
    note = "Each remediation stands where its signal came, in the colour of what became of it by the end of the run."
    return Drawing("fates", _TITLE, note, svg, wide=True, about="remediations")


def _step_s(span_s: float) -> float:
    """The width of a bar in seconds: a number people use, so that there are at most sixty of them, or a few more."""
    return next((step for step in _STEPS_S if span_s / step <= _BARS), math.ceil(span_s / _BARS / 86400) * 86400.0)


def _whole(step_s: float) -> str:
    """A step in the largest unit that it is a whole number of."""
    for size, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if step_s >= size and step_s % size == 0:
            return f"{step_s / size:,.0f} {name}"
    return spoken(step_s)


def _heights(created_us: Sequence[int], scale: FateScale, step_us: int, begin: int) -> list[list[int]]:
    """How many of each shade came in each stretch."""
    bars = max(created_us) // step_us - begin + 1
    heights = [[0] * bars for _ in scale.shades]
    for at_us, number in zip(created_us, scale.of, strict=True):
        heights[number][at_us // step_us - begin] += 1
    return heights
