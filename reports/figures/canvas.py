"""What all figures share: one drawing style, a canvas in pixels, and the way to SVG that fits into a page."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.text import clean

# Okabe and Ito's palette, which stays apart for colour-blind readers.
BLUE, VERMILLION, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7"
GREY, INK, PALE = "#B4BAC2", "#24292F", "#E6E9ED"
CHARACTER_PX = 6.4  # of the 11 px type, generously: DejaVu Sans, the widest of the page's fonts

_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # names are untrusted: a dollar sign is a dollar sign
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "rehearse",
    "path.simplify": True,
}
_LONG_NUMBER = re.compile(r"(\.\d\d)\d+")  # a hundredth of a pixel is enough, and halves the page
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure, or, where ``svg`` is None, the sentence that stands in for it (``note``)."""

    name: str
    title: str
    note: str
    svg: str | None = None
    wide: bool = False
    about: str = "executions"
    """Or ``remediations``: where on the page it stands."""


@contextmanager
def drawing_style() -> Iterator[None]:
    """Matplotlib in the report's style for a while; the caller's settings come back afterwards."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcParams.update(_STYLE)
        # The page's fonts draw the text, so it does not matter what the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def axes(width: int, height: int, *, left: float, right: float, top: float, bottom: float) -> tuple[Figure, Axes]:
    """A canvas of ``width`` by ``height`` pixels with one pair of axes inside the given margins, in pixels."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(figure)
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return figure, figure.add_axes(box)


def to_svg(figure: Figure, label: str, prefix: str) -> str:
    """The figure as an ``<svg>`` element. ``prefix`` keeps its identifiers apart from other figures' on the page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, count=1, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|xlink:href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: f' id="{prefix}{match[1]}"' if match[1] in used else "", svg)
    svg = re.sub(r'(url\(#|xlink:href="#)', rf"\g<1>{prefix}", svg)
    svg = re.sub(r' d="[^"]*"', lambda match: _LONG_NUMBER.sub(r"\1", match[0]), svg)
    svg = svg.replace("'DejaVu Sans', 'Bitstream Vera Sans'", _FONTS + ", 'Bitstream Vera Sans'")
    opening = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg[: svg.index(">")])
    return f'{opening} role="img" aria-label="{_attribute(label)}"{svg[svg.index(">") :]}'


def _attribute(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
