"""How executions ended: one bar an outcome."""

from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.outcomes import endings
from reports.record import ScenarioRecord

_TITLE = "Outcomes"
_ROWS = 10


def outcomes(scenario: ScenarioRecord) -> Drawing:
    """Bars of counts; a sentence when all ended alike."""
    rows = [(row["outcome"], row["count"]) for row in endings(scenario.executions)]
    n = len(scenario.executions)
    if not rows:
        return Drawing("outcomes", _TITLE, "No execution was created.")
    if len(rows) == 1:
        subject = "The only execution" if n == 1 else f"All {n} executions"
        return Drawing("outcomes", _TITLE, f"{subject}: {rows[0][0].replace(': ', ', ', 1)}.")
    if len(rows) > _ROWS:
        rest = rows[_ROWS - 1 :]
        rows = [*rows[: _ROWS - 1], (f"{len(rest)} other outcomes", sum(count for _, count in rest))]
    labels = [name if len(name) <= 34 else name[:33] + "…" for name, _ in rows]
    left = max(len(label) for label in labels) * canvas.CHARACTER_PX + 16
    figure, axes = canvas.axes(510, 62 + 26 * len(rows), left=left, right=80, top=8, bottom=42)
    counts = [count for _, count in rows]
    bars = axes.barh(range(len(rows)), counts, height=0.62, color=[_colour(name) for name, _ in rows])
    for bar, (name, _) in zip(bars, rows, strict=True):
        if name.startswith("unfinished"):
            bar.set(hatch="////", edgecolor=canvas.INK, linewidth=0.6)
    axes.bar_label(bars, [f"{count}  ({count / n:.1%})" for count in counts], padding=4, fontsize=10.5)
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, max(counts))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.set_xlabel(f"executions (of n = {n})")
    unfinished = any(name.startswith("unfinished") for name, _ in rows)
    note = "Unfinished: not terminal when the run ended." if unfinished else ""
    svg = canvas.to_svg(figure, "Executions by outcome", f"s{scenario.head.id}o-")
    return Drawing("outcomes", _TITLE, note, svg)


def _colour(name: str) -> str:
    if name == "Completed":
        return canvas.BLUE
    if name.startswith("unfinished"):
        return canvas.GREY
    return canvas.VERMILLION if name.startswith("Failed") else "#6E7781"
