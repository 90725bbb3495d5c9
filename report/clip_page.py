"""The page that shows what is in a source clip: one HTML file with everything in it."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .clip_plots import Array, Span, UnitPlot, plot_motion, plot_regions, plot_units
from .page import STYLE

_STYLE = """
.strip img { width: 100%; display: block; }
.stamps { display: flex; gap: .3rem; font-size: .8rem; opacity: .75; }
.stamps span { flex: 1; text-align: center; }
.warning { border-left: 4px solid #c8891a; padding: .15rem .8rem; margin: .4rem 0; }
.fine { border-left: 4px solid #3b8f5a; padding: .15rem .8rem; }
.scroll { overflow-x: auto; }
td:not(:last-child) { white-space: nowrap; }
"""
#: A table: its heads, and its rows of as many cells.
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class ClipPage:
    """What the page shows.

    `strip` is a WebP of thumbnails and `stamps` what stands below each. `facts` are names and
    values. `times` (T,) are seconds; `marks` (onset, apex, offset) and `spans` lie on the same
    axis. `whole` (T,) and `curves` (T,) by region and side are in pixels. `hint` is what the units
    may stand for.
    """

    title: str
    lead: str
    strip: bytes
    stamps: Sequence[str]
    facts: Mapping[str, str]
    warnings: Sequence[str]
    times: Array
    whole: Array
    curves: Mapping[str, Array]
    marks: Mapping[str, float]
    events: Table
    spans: Sequence[Span]
    units: Table
    unit_curves: Sequence[UnitPlot]
    hint: str


def render_clip_page(page: ClipPage) -> str:
    """Return the page as one self-contained HTML document."""
    picture = base64.b64encode(page.strip).decode("ascii")
    stamps = "".join(f"<span>{html.escape(stamp)}</span>" for stamp in page.stamps)
    title = html.escape(page.title)
    warnings = "".join(f"<p class='warning'>{html.escape(w)}</p>" for w in page.warnings)
    facts: Table = ((), [(name, value) for name, value in page.facts.items()])
    units = "<p class='lead'>None is seen.</p>"
    if page.unit_curves:
        units = (
            f"<div class='plot'>{plot_units(page.times, page.unit_curves, page.marks)}</div>"
            f"{_table(page.units)}<p>As a hint only, for a face tells little of what is felt: "
            f"{html.escape(page.hint)}.</p>"
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
            "<h2>What the face does</h2>",
            "<p class='lead'>How far expressions move the face, in pixels (RMS) of a crop 256 ",
            "wide, the head's own motion taken out; below it, what was spotted.</p>",
            "<div class='plot'>",
            plot_motion(page.times, page.whole, page.marks, page.spans),
            f"</div>{_table(page.events) if page.events[1] else ''}",
            "<h2>Motion by region</h2>",
            "<p class='lead'>How far the skin moves, in the same pixels. Sides are the subject's ",
            "own: the subject's left is on the right of the picture.</p>",
            f"<div class='plot'>{plot_regions(page.times, page.curves, page.marks)}</div>",
            f"<h2>Action units</h2>{units}",
            f"<h2>The clip</h2>{_table(facts)}</body></html>\n",
        ]
    )


def _table(table: Table) -> str:
    heads, rows = table
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    lines = ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    head = f"<tr>{top}</tr>" if heads else ""
    return f"<div class='scroll'><table>{head}{''.join(lines)}</table></div>"


def _cell(text: str) -> str:
    """Return one cell; long hexadecimal values are set as code."""
    shown = html.escape(text)
    return f"<td>{f'<code>{shown}</code>' if len(text) >= 40 and ' ' not in text else shown}</td>"
