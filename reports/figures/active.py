"""Executions over time: how many were waiting, running and holding the lock on their target."""

from collections.abc import Iterable
from itertools import pairwise

from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timescale import unit
from reports.lines import Execution
from reports.record import ScenarioRecord

_TITLE = "Executions over time"
_BINS = 400
_US = 1_000_000
Stretch = tuple[int, int]


def active(scenario: ScenarioRecord, *, wide: bool = False) -> Drawing:
    """Three step lines over the virtual time of the scenario; ``wide`` takes the whole width of the page."""
    executions, end_us = scenario.executions, scenario.end.virtual_us
    if len(executions) < 2:
        return Drawing("active", _TITLE, "Nothing to compare over time with fewer than two executions.")
    if end_us == 0:
        return Drawing("active", _TITLE, "No virtual time passed in this scenario.")
    lines = (
        ("holding the lock", canvas.ORANGE, "-", (_held(execution, end_us) for execution in executions)),
        ("running", canvas.BLUE, "-", (_running(execution, end_us) for execution in executions)),
        ("pending", canvas.VERMILLION, (0, (4, 1.5)), (_pending(execution, end_us) for execution in executions)),
    )
    per_unit, name = unit(end_us / _US)
    figure, axes = canvas.axes(1040 if wide else 510, 270, left=58, right=14, top=36, bottom=42)
    highest = 0
    for label, colour, line, stretches in lines:
        points = thinned(counted(stretches, end_us), end_us)
        highest = max(highest, *(count for _, count in points))
        xs = [at / _US / per_unit for at, _ in points]
        peak = max(count for _, count in points)
        axes.plot(
            xs,
            [count for _, count in points],
            drawstyle="steps-post",
            color=colour,
            linestyle=line,
            linewidth=1.6,
            label=f"{label} (at most {peak})",
        )
    axes.set_xlim(0, end_us / _US / per_unit)
    axes.set_ylim(0, max(highest * 1.06, 1.06))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_xlabel(f"virtual time since the scenario began ({name})")
    axes.set_ylabel(f"executions (of n = {len(executions)})")
    axes.grid(visible=True)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0 if wide else -0.13, 1.01),
        ncols=3,
        borderaxespad=0,
        columnspacing=1.2,
        handlelength=1.8,
    )
    svg = canvas.to_svg(figure, "Pending, running and lock-holding executions over time", f"s{scenario.head.id}a-")
    note = "The lock is the PipelineRun: held from its creation, through the cooldown, until it is deleted."
    return Drawing("active", _TITLE, note, svg, wide=wide)


def counted(stretches: Iterable[Stretch | None], end_us: int) -> list[tuple[int, int]]:
    """How many stretches cover each instant: ``(instant in microseconds, count from there on)``, from 0 to the end."""
    changes: dict[int, int] = {}
    for stretch in stretches:
        if stretch is not None and stretch[0] < stretch[1]:
            changes[stretch[0]] = changes.get(stretch[0], 0) + 1
            if stretch[1] < end_us:  # what lasts until the end has not ended
                changes[stretch[1]] = changes.get(stretch[1], 0) - 1
    points, count = [(0, 0)], 0
    for at in sorted(changes):
        count += changes[at]
        if at == points[-1][0]:
            points[-1] = (at, count)
        else:
            points.append((at, count))
    return [*points, (end_us, count)] if points[-1][0] < end_us else points


def thinned(points: list[tuple[int, int]], end_us: int) -> list[tuple[int, int]]:
    """At most about four points a bin: the first, the lowest, the highest and the last, so that no peak is lost."""
    if len(points) <= 4 * _BINS:
        return points
    bins: dict[int, list[tuple[int, int]]] = {}
    for point in points:
        bins.setdefault(point[0] * _BINS // (end_us + 1), []).append(point)
    kept: list[tuple[int, int]] = []
    for inside in bins.values():
        low = min(inside, key=lambda point: (point[1], point[0]))
        high = max(inside, key=lambda point: (point[1], -point[0]))
        kept += sorted({inside[0], low, high, inside[-1]})
    return [a for a, b in pairwise(kept) if a != b] + kept[-1:]


def _pending(execution: Execution, end_us: int) -> Stretch:
    return execution.created_us, _first(execution.running_us, execution.terminal_us, execution.deleted_us, end_us)


def _running(execution: Execution, end_us: int) -> Stretch | None:
    if execution.running_us is None:
        return None
    return execution.running_us, _first(execution.terminal_us, execution.deleted_us, end_us)


def _held(execution: Execution, end_us: int) -> Stretch | None:
    if execution.pipeline_run_created_us is None:
        return None
    return execution.pipeline_run_created_us, _first(execution.lock_released_us, execution.deleted_us, end_us)


def _first(*instants: int | None) -> int:
    return next(instant for instant in instants if instant is not None)
