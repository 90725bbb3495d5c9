"""A page that shows a library's clips: thumbnails, what was coded, and how the face moves."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .page import STYLE
from .plots import MARK_COLOURS

_STYLE = """
.clip { border-top: 1px solid var(--line); padding: .6rem 0; }
.clip h2 { font-size: 1rem; margin: 0 0 .3rem; }
.clip .row { display: flex; gap: 1rem; align-items: flex-start; flex-wrap: wrap; }
.clip .strip { flex: 3 1 420px; min-width: 0; }
.clip .strip img { width: 100%; display: block; }
.clip svg { flex: 1 1 260px; height: 96px; background: #fff; border-radius: 6px; }
.clip p { margin: .3rem 0 0; opacity: .8; font-size: .85rem; }
"""
#: Width and height of a plot, in its own units, and the room about it.
_WIDTH, _HEIGHT, _ROOM = 320.0, 96.0, 8.0


@dataclass(frozen=True)
class ShownClip:
    """One clip: its `title`, `facts` by name, `strip` (a WebP), and its motion's `seconds` and
    `pixels` (T,) with `marks` in seconds; empty where it was not measured."""

    title: str
    facts: Mapping[str, str]
    strip: bytes
    seconds: Sequence[float] = ()
    pixels: Sequence[float] = ()
    marks: Mapping[str, float] = field(default_factory=dict)


def render_library_page(title: str, clips: Sequence[ShownClip]) -> str:
    """Return the page as one self-contained HTML document."""
    shown = html.escape(title)
    lead = "Thumbnails run from onset to offset, where these are known."
    if any(len(clip.seconds) > 1 for clip in clips):
        lead += " Plots show how far expressions move the face, each on a scale of its own."
    return "".join(
        [
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{shown}</title><style>{STYLE}{_STYLE}</style></head><body><h1>{shown}</h1>",
            f"<p class='lead'>{lead}</p>",
            *map(_clip, clips),
            "</body></html>\n",
        ]
    )


def profile_svg(
    seconds: Sequence[float], pixels: Sequence[float], marks: Mapping[str, float]
) -> str:
    """Return a small SVG of a motion profile, its peak in pixels beside it."""
    peak, span = max(max(pixels), 1e-6), max(seconds[-1] - seconds[0], 1e-6)

    def x(second: float) -> float:
        return _ROOM + (second - seconds[0]) / span * (_WIDTH - 2 * _ROOM)

    def y(value: float) -> float:
        return _HEIGHT - _ROOM - max(value, 0) / peak * (_HEIGHT - 3 * _ROOM)

    points = " ".join(f"{x(s):.1f},{y(p):.1f}" for s, p in zip(seconds, pixels, strict=True))
    lines = "".join(
        f"<line x1='{x(s):.1f}' x2='{x(s):.1f}' y1='{_ROOM}' y2='{_HEIGHT - _ROOM}' "
        f"stroke='{MARK_COLOURS.get(name, '#666')}'><title>{html.escape(name)}</title></line>"
        for name, s in marks.items()
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH:g} {_HEIGHT:g}' role='img' aria-label='motion over time'>"
        f"{lines}<polyline points='{points}' fill='none' stroke='#4a7fb5' stroke-width='1.6'/>"
        f"<text x='{_ROOM}' y='{2 * _ROOM}' font-size='11' "
        f"fill='#444'>{peak:.2f} px, {span:.2f} s</text></svg>"
    )


def _clip(clip: ShownClip) -> str:
    picture = base64.b64encode(clip.strip).decode("ascii")
    told = "; ".join(f"{html.escape(k)} {html.escape(v)}" for k, v in clip.facts.items())
    plot = profile_svg(clip.seconds, clip.pixels, clip.marks) if len(clip.seconds) > 1 else ""
    return (
        f"<section class='clip'><h2>{html.escape(clip.title)}</h2><div class='row'>"
        f"<div class='strip'><img loading='lazy' alt='Thumbnails' "
        f"src='data:image/webp;base64,{picture}'></div>{plot}</div><p>{told}</p></section>"
    )
