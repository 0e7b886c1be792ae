"""One representative execution, lane by lane: what waited for what."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from reports.figures import canvas
from reports.figures.canvas import Drawing
from reports.figures.timescale import spoken
from reports.lines import Execution, Span
from reports.record import ScenarioRecord
from reports.statistics import quantile
from reports.text import clean

_TITLE = "One execution, lane by lane"
_US = 1_000_000
_LANES = 30
_LANE_PX = 25
_WIDTH_PX = 1040
_RIGHT_PX = 24
_TAIL = 2.5  # a lock that outlasts everything else by this factor is cut, or it would squeeze the rest
_MEANINGS = {
    "ok": ("went well", canvas.BLUE, "white"),
    "failed": ("failed", canvas.VERMILLION, "white"),
    "waiting": ("waiting", "#CBD0D6", canvas.INK),
    "lock": ("lock held, cooling down", canvas.ORANGE, canvas.INK),
    "open": ("still open when the run ended", "white", canvas.INK),
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """A span in seconds since the execution was created."""

    lane: int
    start_s: float
    end_s: float
    name: str
    status: str
    is_lock: bool


def gantt(scenario: ScenarioRecord) -> Drawing:
    """The spans of the recorded execution whose time from creation to terminal is nearest to the median."""
    chosen = _representative(scenario)
    if chosen is None:
        return Drawing("gantt", _TITLE, "No spans were recorded for this scenario.")
    execution, spans, why = chosen
    lanes = list(dict.fromkeys(span.lane for span in spans))
    note = f"{clean(f'{execution.namespace}/{execution.name}')}: {why}."
    if len(lanes) > _LANES:
        note += f" The first {_LANES} of {len(lanes)} lanes are shown; the trace file has all."
        lanes = lanes[:_LANES]
    world_end_us = scenario.end.virtual_us
    bars = [_bar(span, lanes.index(span.lane), execution, world_end_us) for span in spans if span.lane in lanes]
    edge_s = _edge(bars)
    labels = [_label(lane, execution.pipeline_run) for lane in lanes]
    left = max(max(map(len, labels)) * canvas.CHARACTER_PX + 16, 80)
    figure, axes = canvas.axes(_WIDTH_PX, 84 + _LANE_PX * len(lanes), left=left, right=_RIGHT_PX, top=30, bottom=42)
    per_px = edge_s / (_WIDTH_PX - left - _RIGHT_PX)
    for bar in bars:
        _draw(axes, bar, edge_s, per_px)
    _name_bars(axes, bars, edge_s, per_px)
    axes.set_yticks(range(len(lanes)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_xlim(min(0, *(bar.start_s for bar in bars)), edge_s)
    axes.set_xlabel("virtual time since the execution was created (s)")
    axes.grid(visible=True, axis="x")
    _legend(axes, bars)
    svg = canvas.to_svg(figure, "Timeline of one representative execution", f"s{scenario.head.id}g-")
    return Drawing("gantt", _TITLE, note, svg, wide=True)


def _representative(scenario: ScenarioRecord) -> tuple[Execution, list[Span], str] | None:
    spans: dict[str, list[Span]] = {}
    for span in scenario.spans:
        spans.setdefault(span.execution, []).append(span)
    recorded = [each for each in scenario.executions if f"{each.namespace}/{each.name}" in spans]
    if not recorded:
        return None
    ended = [(each, each.terminal_us - each.created_us) for each in recorded if each.terminal_us is not None]
    times = sorted(each.terminal_us - each.created_us for each in scenario.executions if each.terminal_us is not None)
    if not ended:
        chosen, why = recorded[0], "it had not ended when the run did"
    else:
        median_us = quantile(times, 0.5)
        chosen, took_us = min(ended, key=lambda pair: abs(pair[1] - median_us))
        why = f"created to terminal in {spoken(took_us / _US)}"
        if len(times) > 1:
            why += (
                f", the nearest to the median ({spoken(median_us / _US)}, n = {len(times)})"
                f" among the {len(recorded)} recorded in detail"
            )
    return chosen, spans[f"{chosen.namespace}/{chosen.name}"], why


def _bar(span: Span, lane: int, execution: Execution, world_end_us: int) -> _Bar:
    end_us = max(world_end_us, span.start_us) if span.end_us is None else span.end_us
    status = "open" if span.end_us is None else span.status
    zero = execution.created_us
    return _Bar(
        lane, (span.start_us - zero) / _US, (end_us - zero) / _US, clean(span.name, 60), status, span.status == "lock"
    )


def _edge(bars: list[_Bar]) -> float:
    """Where the time axis ends, in seconds."""
    last = max(bar.end_s for bar in bars)
    work = max((bar.end_s for bar in bars if not bar.is_lock), default=last)
    busy = max(work, *(bar.start_s for bar in bars))
    if busy > 0 and last > _TAIL * busy:
        return busy * 1.3
    return last * 1.02 if last > 0 else 1.0


def _draw(axes: Axes, bar: _Bar, edge_s: float, per_px: float) -> None:
    _, colour, _ = _MEANINGS[bar.status]
    width = max(min(bar.end_s, edge_s) - bar.start_s, 2 * per_px)  # what took no time is still seen
    edge = {"edgecolor": canvas.INK, "hatch": "////", "linewidth": 0.6} if bar.status == "open" else {"linewidth": 0}
    axes.broken_barh([(bar.start_s, width)], (bar.lane - 0.34, 0.68), facecolors=colour, **edge)


def _name_bars(axes: Axes, bars: list[_Bar], edge_s: float, per_px: float) -> None:
    """Write each bar's name inside it where it fits; a bar that runs off the axis says until when."""
    for bar in bars:
        cut = bar.end_s > edge_s
        text = f"{bar.name}, until {spoken(bar.end_s)} ▸" if cut else bar.name
        room_px = (min(bar.end_s, edge_s) - bar.start_s) / per_px
        if len(text) * canvas.CHARACTER_PX + 10 > room_px and cut:
            text = f"▸ {spoken(bar.end_s)}"
        if len(text) * canvas.CHARACTER_PX + 10 > room_px:
            continue
        ink = _MEANINGS[bar.status][2]
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if bar.status == "open" else None
        axes.text(bar.start_s + 5 * per_px, bar.lane, text, va="center_baseline", color=ink, fontsize=10.5, bbox=behind)


def _legend(axes: Axes, bars: list[_Bar]) -> None:
    seen = {bar.status for bar in bars}
    handles = [
        Patch(facecolor=colour, label=label, edgecolor=canvas.INK, linewidth=0.6, hatch="////" if key == "open" else "")
        for key, (label, colour, _) in _MEANINGS.items()
        if key in seen
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, borderaxespad=0.2, columnspacing=1.6
    )


def _label(lane: str, pipeline_run: str | None) -> str:
    """The lane's name; the run's own name, which every child repeats, is written once and elided below."""
    lane = clean(lane)
    if pipeline_run and lane != f"PipelineRun {pipeline_run}":
        lane = lane.replace(pipeline_run, "…")
    return lane if len(lane) <= 40 else f"{lane[:24]}…{lane[-15:]}"
