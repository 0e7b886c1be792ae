"""How long signals waited for the orchestrator's first decision."""

from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timeaxis import time_axis
from reports.figures.timescale import spoken
from reports.record import ScenarioRecord
from reports.statistics import ENOUGH, quantile
from reports.timings import seconds, timing

_TITLE = "Decision latency"
_BARS = 40
_MARKS = (("median", 0.5, canvas.INK, "-"), ("p95", 0.95, canvas.VERMILLION, "--"), ("p99", 0.99, canvas.PURPLE, ":"))


def decisions(scenario: ScenarioRecord, *, wide: bool = False) -> Drawing:
    """A histogram of the time from the signal to the first decision, with its percentiles."""
    values = sorted(seconds(timing("signal to decision"), scenario.remediations))
    n = len(values)
    if n < 2:
        said = f"The only decision came after {spoken(values[0])}." if values else "Nothing was decided."
        return Drawing("decisions", _TITLE, said, about="remediations")
    if values[0] == values[-1]:
        return Drawing(
            "decisions", _TITLE, f"All {n:,} decisions came after {spoken(values[0])}.", about="remediations"
        )
    figure, axes = canvas.axes(1040 if wide else 510, 270, left=58, right=14, top=36, bottom=42)
    axis = time_axis(axes, {"": values})
    axes.hist([max(value, axis.floor_s) / axis.per_unit for value in values], bins=axis.edges(_BARS), color="#8FBFDE")
    for name, share, colour, line in _MARKS:
        if n >= ENOUGH.get(name, 0):
            at = quantile(values, share)
            mark = max(at, axis.floor_s) / axis.per_unit
            axes.axvline(mark, color=colour, linestyle=line, linewidth=1.6, label=f"{name} {spoken(at)}")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_ylabel(f"remediations (n = {n:,})")
    axes.grid(visible=True, axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3, borderaxespad=0, columnspacing=1.6)
    open_ = sum(map(timing("signal to decision").is_open, scenario.remediations))
    note = "From the creation of the RemediationRequest to the first decision on it, whatever it was."
    if open_:
        note += f" {open_:,} were still undecided when the run ended."
    svg = canvas.to_svg(figure, "Distribution of the decision latency", f"s{scenario.head.id}rd-")
    return Drawing("decisions", _TITLE, note, svg, wide=wide, about="remediations")
