"""The page that shows what is in a source clip: one HTML file with everything in it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .page import STYLE, Row
from .plots import MARK_COLOURS

Array = npt.NDArray[np.float64]

_STYLE = """
.strip img { width: 100%; image-rendering: auto; }
.stamps { display: flex; justify-content: space-around; font-size: .8rem; opacity: .75; }
.warning { border-left: 4px solid #c8891a; padding: .15rem .8rem; margin: .4rem 0; }
.fine { border-left: 4px solid #3b8f5a; padding: .15rem .8rem; }
.scroll { overflow-x: auto; }
"""


@dataclass(frozen=True)
class ClipPage:
    """What the page shows.

    `strip` is a WebP of thumbnails and `stamps` what stands below each. `times` (T,) are seconds;
    `marks` (onset, apex, offset) and `spans` (begin, end, name) lie on the same axis. `curves` (T,)
    by region are in pixels.
    """

    title: str
    lead: str
    strip: bytes
    stamps: Sequence[str]
    rows: Sequence[Row]
    warnings: Sequence[str]
    times: Array
    whole: Array
    curves: Mapping[str, Array]
    marks: Mapping[str, float]
    spans: Sequence[tuple[float, float, str]] = ()


def render_clip_page(page: ClipPage) -> str:
    """Return the page as one self-contained HTML document."""
    picture = base64.b64encode(page.strip).decode("ascii")
    stamps = "".join(f"<span>{html.escape(stamp)}</span>" for stamp in page.stamps)
    title = html.escape(page.title)
    warnings = "".join(f"<p class='warning'>{html.escape(w)}</p>" for w in page.warnings)
    table = "".join(
        f"<tr><th>{html.escape(r.name)}</th><td>{html.escape(r.value)}</td>"
        f"<td>{html.escape(r.meaning)}</td></tr>"
        for r in page.rows
    )
    return "".join(
        [
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{title}</title><style>{STYLE}{_STYLE}</style></head><body>",
            f"<h1>{title}</h1><p class='lead'>{html.escape(page.lead)}</p>",
            "<figure class='strip'><img alt='Thumbnails from onset to offset' ",
            f"src='data:image/webp;base64,{picture}'><div class='stamps'>{stamps}</div></figure>",
            "<h2>Warnings</h2>",
            warnings or "<p class='fine'>None: nothing stands against using this clip.</p>",
            f"<h2>The clip</h2><div class='scroll'><table>{table}</table></div>",
            "<h2>Motion of the face</h2>",
            f"<div class='plot'>{plot_motion(page)}</div>",
            "<h2>Motion by region</h2>",
            "<p class='lead'>Sides are the subject's own: the subject's left is on the right of ",
            "the picture.</p>",
            f"<div class='plot'>{plot_regions(page)}</div></body></html>\n",
        ]
    )


def plot_motion(page: ClipPage) -> str:
    """Return an SVG of the whole face's motion with its phases."""
    figure = Figure(figsize=(9.2, 2.6), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(page.times, page.whole, color="#4a7fb5", alpha=0.25, linewidth=0)
    axes.plot(page.times, page.whole, color="#4a7fb5")
    axes.set_xlabel("seconds from the clip's start", fontsize=9)
    axes.set_ylabel("pixels", fontsize=9)
    for begin, end, name in page.spans:
        axes.axvspan(begin, end, color="#c8891a", alpha=0.15, linewidth=0)
        axes.text(begin, 0.02, f" {name}", fontsize=7, transform=axes.get_xaxis_transform())
    _finish(axes, page)
    for name, seconds in page.marks.items():
        axes.text(
            seconds, 0.98, f" {name}", color=MARK_COLOURS.get(name, "#666"), fontsize=8, va="top",
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    return _svg(figure)


def plot_regions(page: ClipPage) -> str:
    """Return an SVG with a small plot a region, left and right in one, all on one scale."""
    names = list(dict.fromkeys(name.rpartition(" ")[0] for name in page.curves))
    figure = Figure(figsize=(9.2, 1.9 * ((len(names) + 2) // 3)), layout="constrained")
    grid = figure.subplots((len(names) + 2) // 3, 3, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        for side, colour in (("left", "#c0533a"), ("right", "#3a6fc0")):
            curve = page.curves.get(f"{name} {side}")
            if curve is not None:
                axes.plot(page.times, curve, color=colour, linewidth=1.4, label=side)
        axes.set_title(name, fontsize=9, loc="left")
        _finish(axes, page)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    grid.flat[0].legend(fontsize=8, frameon=False)
    figure.supylabel("pixels", fontsize=9)
    return _svg(figure)


def _finish(axes: matplotlib.axes.Axes, page: ClipPage) -> None:
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    for name, seconds in page.marks.items():
        axes.axvline(seconds, color=MARK_COLOURS.get(name, "#666"), linewidth=1.0, alpha=0.8)


def _svg(figure: Figure) -> str:
    """Return the figure as an <svg> element, the same bytes for the same figure."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "microface", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
