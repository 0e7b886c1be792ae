"""How long things took: the cumulative distribution of every named timing."""

from collections.abc import Iterable, Sequence

from matplotlib.ticker import PercentFormatter

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timeaxis import time_axis
from reports.figures.timescale import spoken
from reports.lines import Execution, Remediation
from reports.record import ScenarioRecord
from reports.statistics import quantile
from reports.timing import Measure
from reports.timings import REMEDIATION_TIMINGS, TIMINGS, seconds

_POINTS = 400
_LINES = (
    (canvas.BLUE, "-"),
    (canvas.VERMILLION, "--"),
    (canvas.GREEN, "-."),
    (canvas.PURPLE, ":"),
    (canvas.ORANGE, (0, (6, 1.5, 1, 1.5, 1, 1.5))),
    (canvas.INK, (0, (1, 1))),
    ("#56B4E9", (0, (8, 2))),
    ("#8A3200", (0, (3, 1.2))),
)


def latency(scenario: ScenarioRecord) -> Drawing:
    """Of executions: one line a timing that has at least two values; its n in the legend."""
    prefix = f"s{scenario.head.id}l-"
    return _draw("latency", "How long it took", "executions", TIMINGS, scenario.executions, prefix)


def remediation_latency(scenario: ScenarioRecord) -> Drawing:
    """The same of remediations."""
    title, prefix = "How long remediations took", f"s{scenario.head.id}rl-"
    return _draw("remediation latency", title, "remediations", REMEDIATION_TIMINGS, scenario.remediations, prefix)


def _draw(
    name: str,
    title: str,
    about: str,
    measures: Iterable[Measure],
    subjects: Sequence[Execution] | Sequence[Remediation],
    prefix: str,
) -> Drawing:
    lines = dict(zip((measure.name for measure in measures), _LINES, strict=False))
    samples = {measure.name: sorted(seconds(measure, subjects)) for measure in measures}
    samples = {name: values for name, values in samples.items() if len(values) >= 2}
    if not samples:
        return Drawing(name, title, f"A distribution needs at least two {about} that ended.", about=about)
    if all(values[0] == values[-1] for values in samples.values()):
        equal = "; ".join(f"{name} {spoken(values[0])} (n = {len(values)})" for name, values in samples.items())
        return Drawing(name, title, f"Every one took exactly as long as the others: {equal}.", about=about)
    figure, axes = canvas.axes(1040, max(300, 62 + 40 * len(samples)), left=58, right=330, top=12, bottom=42)
    axis = time_axis(axes, samples)
    for timing, values in samples.items():
        colour, line = lines[timing]
        xs, ys = _curve(values)
        xs = [max(x, axis.floor_s) / axis.per_unit for x in xs]
        label = f"{timing}\n(n = {len(values)}, median {spoken(quantile(values, 0.5))})"
        axes.plot(xs, ys, drawstyle="steps-post", color=colour, linestyle=line, linewidth=2, label=label)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel(f"share of {about} at or below")
    axes.grid(visible=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.02), borderaxespad=0, handlelength=3.2, labelspacing=1.1)
    note = _note(about, subjects)
    if axis.floor_s > min(values[0] for values in samples.values()):
        note += " Times of 0 or less stand at the left edge."
    svg = canvas.to_svg(figure, f"Cumulative distribution of the named timings of {about}", prefix)
    return Drawing(name, title, note, svg, wide=True, about=about)


def _note(about: str, subjects: Sequence[Execution] | Sequence[Remediation]) -> str:
    note = f"Only what ended is drawn. Read a line as: this share of the {about} took at most that long."
    open_ = sum(each.censored for each in subjects)
    if open_:
        note += f" {open_} of {len(subjects)} {about} had not ended: the true times are longer than drawn."
    return note


def _curve(ordered: list[float]) -> tuple[list[float], list[float]]:
    """The steps of the empirical distribution, thinned evenly; the first and the last value are always kept."""
    n = len(ordered)
    stride = max(n / _POINTS, 1)
    indices = sorted({round(i * stride) for i in range(int(n / stride))} | {n - 1})
    indices = [index for index in indices if index < n]
    return [ordered[0]] + [ordered[i] for i in indices], [0.0] + [(i + 1) / n for i in indices]
