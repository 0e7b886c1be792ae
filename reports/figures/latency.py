"""How long things took: the cumulative distribution of every named timing."""

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timescale import spoken, unit
from reports.record import ScenarioRecord
from reports.statistics import quantile
from reports.timings import TIMINGS, seconds

_TITLE = "How long it took"
_LOG_SPREAD = 50  # beyond this ratio, a linear axis would squeeze the short timings into its first pixels
_POINTS = 400
_STYLES = dict(
    zip(
        (timing.name for timing in TIMINGS),
        (
            (canvas.BLUE, "-"),
            (canvas.VERMILLION, "--"),
            (canvas.GREEN, "-."),
            (canvas.PURPLE, ":"),
            (canvas.ORANGE, (0, (6, 1.5, 1, 1.5, 1, 1.5))),
            (canvas.INK, (0, (1, 1))),
        ),
        strict=True,
    )
)


def latency(scenario: ScenarioRecord) -> Drawing:
    """One line a timing that has at least two values; its n in the legend."""
    samples = {timing.name: sorted(seconds(timing, scenario.executions)) for timing in TIMINGS}
    samples = {name: values for name, values in samples.items() if len(values) >= 2}
    if not samples:
        return Drawing("latency", _TITLE, "A distribution needs at least two executions that ended.")
    if all(values[0] == values[-1] for values in samples.values()):
        equal = "; ".join(f"{name} {spoken(values[0])} (n = {len(values)})" for name, values in samples.items())
        return Drawing("latency", _TITLE, f"Every execution took exactly as long as the others: {equal}.")
    figure, axes = canvas.axes(1040, 300, left=58, right=330, top=12, bottom=42)
    floor_s, per_unit = _time_axis(axes, samples)
    for name, values in samples.items():
        colour, line = _STYLES[name]
        xs, ys = _curve(values)
        xs = [max(x, floor_s) / per_unit for x in xs]
        axes.plot(
            xs, ys, drawstyle="steps-post", color=colour, linestyle=line, linewidth=2, label=_legend(name, values)
        )
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("share of executions at or below")
    axes.grid(visible=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.02), borderaxespad=0, handlelength=3.2, labelspacing=1.1)
    note = "Only what ended is drawn. Read a line as: this share of the executions took at most that long."
    open_ = sum(execution.censored for execution in scenario.executions)
    if open_:
        note += (
            f" {open_} of {len(scenario.executions)} executions had not ended: the true times are longer than drawn."
        )
    if floor_s > min(values[0] for values in samples.values()):
        note += " Times of 0 or less stand at the left edge."
    svg = canvas.to_svg(figure, "Cumulative distribution of the named timings", f"s{scenario.head.id}l-")
    return Drawing("latency", _TITLE, note, svg, wide=True)


def _time_axis(axes: Axes, samples: dict[str, list[float]]) -> tuple[float, float]:
    """Set up the x axis; answers the smallest time that can be drawn and the seconds per unit of the axis."""
    longest = max(values[-1] for values in samples.values())
    positive = [next((value for value in values if value > 0), longest) for values in samples.values()]
    shortest = min(positive)
    if shortest > 0 and longest / shortest > _LOG_SPREAD:
        axes.set_xscale("log")
        axes.set_xlim(shortest / 1.4, longest * 1.4)
        ticks = _marks(shortest / 1.4, longest * 1.4)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: spoken(value)))
        axes.set_xlabel("virtual time (logarithmic; unit at each mark)")
        return shortest, 1.0
    per_unit, name = unit(longest)
    lowest = min(0, *(values[0] for values in samples.values()))  # a live cluster's clocks may disagree
    axes.set_xlim(lowest / per_unit, (longest + (longest - lowest) * 0.04) / per_unit)
    axes.set_xlabel(f"virtual time ({name})")
    return -float("inf"), per_unit


def _marks(low: float, high: float) -> list[float]:
    """Powers of ten within the axis; on a short axis, three times them as well."""
    powers = [10.0**power for power in range(-6, 8)]
    marks = [mark for mark in powers if low <= mark <= high]
    return marks if len(marks) > 3 else [m for power in powers for m in (power, 3 * power) if low <= m <= high]


def _curve(ordered: list[float]) -> tuple[list[float], list[float]]:
    """The steps of the empirical distribution, thinned evenly; the first and the last value are always kept."""
    n = len(ordered)
    stride = max(n / _POINTS, 1)
    indices = sorted({round(i * stride) for i in range(int(n / stride))} | {n - 1})
    indices = [index for index in indices if index < n]
    return [ordered[0]] + [ordered[i] for i in indices], [0.0] + [(i + 1) / n for i in indices]


def _legend(name: str, values: list[float]) -> str:
    return f"{name}\n(n = {len(values)}, median {spoken(quantile(values, 0.5))})"
