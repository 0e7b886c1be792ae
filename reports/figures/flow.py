"""The way of remediations: from the signal through analysis and execution to what became of them."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.fatescale import FateScale, Shade
from reports.lines import Remediation
from reports.record import ScenarioRecord

_TITLE = "The way from the signal to the end"
_STOPS = ("signals", "analysed", "executed")
_XS = (0.0, 235.0, 470.0)
_END_X, _NODE_PX, _WIDTH_PX, _LEFT_PX, _TOP_PX = 705.0, 12.0, 1040, 16, 44
_FLOW_PX = 230.0
_ROW_PX, _GAP_PX = 19.0, 7.0
Way = tuple[bool, bool]


@dataclass(slots=True)
class _Strip:
    """The remediations of one way and one fate: ``tops`` are where they pass each stop, in pixels."""

    way: Way
    shade: int
    px: float
    tops: dict[int, float]
    end_top: float = 0.0


def flow(scenario: ScenarioRecord, scale: FateScale) -> Drawing:
    """Strips as thick as their share, in the colours of their fates; what leaves a stop downwards went no further."""
    remediations = scenario.remediations
    n = len(remediations)
    if n < 2:
        return Drawing(
            "flow", _TITLE, f"The only remediation was {_told(_way(remediations[0]))}.", about="remediations"
        )
    counts = Counter(zip(map(_way, remediations), scale.of, strict=True))
    if len(counts) == 1:
        note = f"All {n:,} remediations were {_told(_way(remediations[0]))}; {scale.shades[0].label}."
        return Drawing("flow", _TITLE, note, about="remediations")
    ends = _end_rows(counts, scale.shades)
    strips = _strips(counts, ends, n)
    bottoms = _end_tops(strips, ends, scale.shades, n)
    height = max(_FLOW_PX, bottoms[-1]) + _TOP_PX + 14
    figure, axes = canvas.axes(_WIDTH_PX, round(height), left=_LEFT_PX, right=8, top=_TOP_PX, bottom=14)
    axes.set_axis_off()
    axes.set_xlim(0, _WIDTH_PX - _LEFT_PX - 8)
    axes.set_ylim(height - _TOP_PX - 14, 0)
    for strip in strips:
        _draw(axes, strip, scale.shades[strip.shade])
    for stop, name in enumerate(_STOPS):
        count = sum(found for (way, _), found in counts.items() if _passes(way, stop))
        _stop(axes, _XS[stop], name, count, n)
    for place, shade in enumerate(ends):
        _end(axes, scale.shades[shade], bottoms[place], n)
    svg = canvas.to_svg(figure, "The way of remediations from the signal to the end", f"s{scenario.head.id}rw-")
    return Drawing("flow", _TITLE, _note(remediations), svg, wide=True, about="remediations")


def _way(remediation: Remediation) -> Way:
    """Whether it was analysed, and whether it was executed."""
    return remediation.analyses > 0, bool(remediation.executions)


def _passes(way: Way, stop: int) -> bool:
    return stop == 0 or way[stop - 1]


def _end_rows(counts: Counter[tuple[Way, int]], shades: list[Shade]) -> list[int]:
    """The shades from top to bottom: those that come furthest first, so that few strips cross."""
    reach = dict.fromkeys(range(len(shades)), 0)
    for (way, shade), count in counts.items():
        reach[shade] += count * sum(way)
    return sorted(reach, key=lambda shade: (-reach[shade] / shades[shade].count, shade))


def _strips(counts: Counter[tuple[Way, int]], ends: list[int], n: int) -> list[_Strip]:
    """In the order in which they lie at every stop; whoever goes on lies above whoever leaves."""
    strips = [_Strip(way, shade, count * _FLOW_PX / n, {}) for (way, shade), count in counts.items()]
    strips.sort(key=lambda strip: (not strip.way[1], not strip.way[0], ends.index(strip.shade)))
    for stop in range(len(_STOPS)):
        top = 0.0
        for strip in strips:
            if _passes(strip.way, stop):
                strip.tops[stop] = top
                top += strip.px
    return strips


def _end_tops(strips: list[_Strip], ends: list[int], shades: list[Shade], n: int) -> list[float]:
    """Set where every strip ends; answers the top of each row, and the bottom of the last."""
    tops, top = [], 0.0
    for shade in ends:
        tops.append(top)
        px = shades[shade].count * _FLOW_PX / n
        at = top + max(_ROW_PX - px, 0) / 2
        for strip in strips:
            if strip.shade == shade:
                strip.end_top = at
                at += strip.px
        top += max(px, _ROW_PX) + _GAP_PX
    return [*tops, top]


def _draw(axes: Axes, strip: _Strip, shade: Shade) -> None:
    points = [(_XS[stop], top) for stop, top in strip.tops.items()] + [(_END_X, strip.end_top)]
    px = max(strip.px, 0.8)  # one of a hundred thousand is still seen
    for (from_x, top), (to_x, to_top) in pairwise(points):
        x = from_x + _NODE_PX
        half = (to_x - x) / 2
        corners = [(x, top), (x + half, top), (x + half, to_top), (to_x, to_top)]
        under = [(at_x, at_y + px) for at_x, at_y in reversed(corners)]
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
        path = Path([*corners, *under, corners[0]], codes)
        axes.add_patch(PathPatch(path, facecolor=shade.colour, alpha=0.62, linewidth=0))


def _stop(axes: Axes, x: float, name: str, count: int, n: int) -> None:
    px = max(count * _FLOW_PX / n, 0.8)
    axes.add_patch(Rectangle((x, 0), _NODE_PX, px, facecolor=canvas.INK, linewidth=0))
    axes.text(x, -24, name, fontweight="bold", va="center")
    axes.text(x, -10, f"{count:,}" if count == n else f"{count:,} ({count / n:.1%})", va="center", fontsize=10.5)


def _end(axes: Axes, shade: Shade, top: float, n: int) -> None:
    px = shade.count * _FLOW_PX / n
    at = top + max(_ROW_PX - px, 0) / 2
    edge = {"edgecolor": canvas.INK, "linewidth": 0.6} if shade.hatch else {"linewidth": 0}
    box = Rectangle((_END_X, at), _NODE_PX, max(px, 0.8), facecolor=shade.colour, hatch=shade.hatch, **edge)
    axes.add_patch(box)
    axes.text(_END_X + _NODE_PX + 8, at + px / 2, shade.told(n), va="center_baseline", fontsize=10.5)


def _told(way: Way) -> str:
    analysed, executed = way
    if analysed:
        return "analysed and executed" if executed else "analysed, but not executed"
    return "executed without an analysis" if executed else "neither analysed nor executed"


def _note(remediations: list[Remediation]) -> str:
    note = (
        "What goes down after “signals” was ended by routing; after “analysed”, by the analyst, by people, or by "
        "routing, which is asked again before an execution."
    )
    recoveries = sum(each.recoveries for each in remediations)
    if recoveries:
        note += (
            f" {recoveries:,} times an execution that had changed nothing led back to an analysis; that is not drawn."
        )
    return note
