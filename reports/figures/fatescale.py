"""One colour for each fate of a remediation, the same in all figures of a scenario."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from matplotlib.patches import Patch

from reports.fates import Fate, fate_of, fates
from reports.figures import canvas
from reports.lines import Remediation
from reports.text import clean

_ROWS = 12
_LABEL = 36
_OTHERS = "other reasons"
# Each state has its own hue of Okabe and Ito's palette; its reasons differ in lightness, the usual ones always alike.
_USUAL = {
    ("completed", "Remediated"): canvas.BLUE,
    ("completed", "NoActionRequired"): "#56B4E9",
    ("failed", "PreviousExecutionFailed"): "#8A3200",
    ("failed", "ExhaustedRetries"): "#5C2A10",
    ("skipped", "ResourceBusy"): canvas.ORANGE,
    ("skipped", "RecentlyRemediated"): "#F6D68B",
    ("skipped", "DuplicateInProgress"): "#9C6A00",
}
_SHADES = {
    "completed": ("#A9D5F0",),
    "failed": (canvas.VERMILLION, "#F2A878", "#FAD4BC", "#B8703F"),
    "skipped": ("#FBECC8", "#C79A3A"),
    "timed out": (canvas.PURPLE, "#8E4B72", "#E8BFD6"),
    "cancelled": ("#6A5ACD",),
    "blocked": (canvas.GREEN, "#8FD3BD", "#00543E"),
    "running": (canvas.GREY, "#DDE1E6", "#8C959F"),
    "deleted": ("#57606A", "#A4ABB3"),
}
_OPEN = ("blocked", "running")


@dataclass(frozen=True, slots=True)
class Shade:
    """How one fate, or several rare ones together, is drawn and called; ``count`` remediations came to it."""

    label: str
    state: str
    colour: str
    count: int

    @property
    def hatch(self) -> str:
        """What had not ended is hatched, as everywhere."""
        return "////" if self.state in _OPEN else ""

    def patch(self, n: int) -> Patch:
        """For a legend; ``n`` is the number of all remediations."""
        edge = {"edgecolor": canvas.INK, "linewidth": 0.6} if self.hatch else {"linewidth": 0}
        return Patch(facecolor=self.colour, label=self.told(n), hatch=self.hatch, **edge)

    def told(self, n: int) -> str:
        """The label with the count and its share of ``n``."""
        return f"{self.label}  {self.count:,} ({self.count / n:.1%})"


@dataclass(frozen=True, slots=True)
class FateScale:
    """``shades`` in the order in which they are stacked; ``of`` the shade's number of each remediation, in order."""

    shades: list[Shade]
    of: list[int]


def fate_scale(remediations: Sequence[Remediation]) -> FateScale:
    """At most a dozen fates of their own; rare ones are drawn as the other reasons of their state."""
    rows = fates(remediations)
    own = {row.fate for row in sorted(rows, key=lambda row: -row.count)[:_ROWS]}
    shown: dict[Fate, Fate] = {row.fate: row.fate if row.fate in own else Fate(row.fate.state, _OTHERS) for row in rows}
    counts: dict[Fate, int] = {}
    for row in rows:
        counts[shown[row.fate]] = counts.get(shown[row.fate], 0) + row.count
    colours = _colours(list(counts))
    shades = [Shade(clean(fate.name, _LABEL), fate.state, colours[fate], count) for fate, count in counts.items()]
    numbers = {fate: number for number, fate in enumerate(counts)}
    return FateScale(shades, [numbers[shown[fate_of(each)]] for each in remediations])


def _colours(shown: Sequence[Fate]) -> dict[Fate, str]:
    unused = {state: cycle(shades) for state, shades in _SHADES.items()}
    return {fate: _USUAL.get((fate.state, fate.reason)) or next(unused[fate.state]) for fate in shown}
