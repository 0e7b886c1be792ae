"""How long remediations were blocked, by reason."""

from matplotlib.ticker import MaxNLocator

from reports.blocks import by_reason
from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timescale import spoken, unit
from reports.record import ScenarioRecord
from reports.statistics import quantile
from reports.text import clean

_TITLE = "Time blocked, by reason"
_ROWS = 8
_US = 1_000_000


def blocks(scenario: ScenarioRecord) -> Drawing:
    """One bar a reason: the time of all remediations together."""
    found = list(by_reason(scenario.remediations, scenario.end.virtual_us).items())
    if not found:
        return Drawing("blocks", _TITLE, "No remediation was blocked.", about="remediations")
    note = ""
    if len(found) > _ROWS:
        note = f"The {_ROWS} longest of {len(found)} reasons."
        found = found[:_ROWS]
    totals = [sum(waited) / _US for _, waited in found]
    per_unit, name = unit(max(totals))
    labels = [clean(reason, 24) for reason, _ in found]
    left = max(len(label) for label in labels) * canvas.CHARACTER_PX + 16
    figure, axes = canvas.axes(510, 62 + 42 * len(found), left=left, right=120, top=8, bottom=42)
    bars = axes.barh(range(len(found)), [total / per_unit for total in totals], height=0.5, color=canvas.GREEN)
    told = [
        f"{spoken(total)} in {len(waited):,}\nmedian {spoken(quantile(sorted(waited), 0.5) / _US)}"
        for total, (_, waited) in zip(totals, found, strict=True)
    ]
    axes.bar_label(bars, told, padding=4, fontsize=10.5)
    axes.set_yticks(range(len(found)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(0, max(max(totals) / per_unit, 1e-6))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel(f"virtual time of all together ({name})")
    svg = canvas.to_svg(figure, "Time blocked by reason", f"s{scenario.head.id}rb-")
    note = f"{note} Beside each bar: in how many remediations, and the median of those.".strip()
    return Drawing("blocks", _TITLE, note, svg, about="remediations")
