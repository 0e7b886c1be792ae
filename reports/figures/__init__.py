"""Figures of one scenario as inline SVG, drawn by matplotlib without a display.

Belongs here: what is drawn from the lines of one scenario: axis labels with units, n stated, a palette that
colour-blind readers can tell apart. Never here: a figure without data; a sentence takes its place.
Output depends on the record alone: no dates, no random identifiers.
"""

from reports.figures.active import active
from reports.figures.blocks import blocks
from reports.figures.canvas import Drawing, drawing_style
from reports.figures.decisions import decisions
from reports.figures.fates import fates_over_time
from reports.figures.fatescale import fate_scale
from reports.figures.flow import flow
from reports.figures.gantt import gantt
from reports.figures.latency import latency, remediation_latency
from reports.figures.outcomes import outcomes
from reports.record import ScenarioRecord

__all__ = ["Drawing", "draw"]


def draw(scenario: ScenarioRecord) -> list[Drawing]:
    """All figures of a scenario, in the order in which they are read."""
    with drawing_style():
        ended = outcomes(scenario)
        drawings = [ended, active(scenario, wide=ended.svg is None), latency(scenario), gantt(scenario)]
        return [*(_of_remediations(scenario) if scenario.remediations else ()), *drawings]


def _of_remediations(scenario: ScenarioRecord) -> list[Drawing]:
    scale, waits = fate_scale(scenario.remediations), blocks(scenario)
    return [
        flow(scenario, scale),
        fates_over_time(scenario, scale),
        waits,
        decisions(scenario, wide=waits.svg is None),
        remediation_latency(scenario),
    ]
