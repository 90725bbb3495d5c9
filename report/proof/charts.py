"""Curves over time as SVG text, drawn without any plotting package."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Colours of curves, told apart by the colour-blind too (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")
MARK_COLOURS = {"onset": "#3b8f5a", "apex": "#c0392b", "offset": "#7d5ba6"}
WIDTH, HEIGHT = 860, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 24, 42


def line_chart(
    times: NDArray[np.floating[Any]],
    curves: Mapping[str, NDArray[np.floating[Any]]],
    marks: Mapping[str, float],
    unit: str,
    *,
    dots: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    lowest: float | None = None,
) -> str:
    """Return an SVG of curves (T,) by name over `times` (T,) in seconds.

    `marks` are instants in seconds, drawn as labelled lines; `dots` points (seconds, values) on
    the curve of that name, such as keys; the axis goes down to `lowest` at least.
    """
    values = np.concatenate(
        [np.asarray(one, np.float64) for one in curves.values()] or [np.zeros(1)]
    )
    values = values[np.isfinite(values)]
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    low = low if lowest is None else min(low, lowest)
    high = high if high > low else low + 1.0
    end = max(float(times[-1]), float(times[0]) + 1e-6)
    across = _Axis(float(times[0]), end, LEFT, WIDTH - RIGHT)
    up = _Axis(low, high + 0.06 * (high - low), HEIGHT - BOTTOM, TOP)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' "
        "font-family='system-ui, sans-serif' font-size='11'>"
    ]
    parts += _grid(across, up, unit)
    for name, seconds in marks.items():
        parts.append(_mark(name, across(seconds)))
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{across(t):.1f},{up(v):.1f}"
            for t, v in zip(times, np.asarray(curve, np.float64), strict=True)
            if np.isfinite(v)
        )
        parts.append(
            f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.8'>"
            f"<title>{html.escape(name)}</title></polyline>"
        )
        for seconds, value in zip(*(dots or {}).get(name, ((), ())), strict=True):
            parts.append(
                f"<circle cx='{across(seconds):.1f}' cy='{up(value):.1f}' r='2.6' fill='{colour}'/>"
            )
    return "".join([*parts, "</svg>"])


def legend(names: Sequence[str]) -> str:
    """Return the colours of curves as HTML."""
    return "".join(
        f"<span class='key'><i style='background:{COLOURS[number % len(COLOURS)]}'></i>"
        f"{html.escape(name)}</span>"
        for number, name in enumerate(names)
    )


class _Axis:
    """From values to places in the picture."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int) -> list[float]:
        """Return round values inside the axis."""
        rough = (self.high - self.low) / about
        power = 10.0 ** np.floor(np.log10(rough))
        step = next(float(power * one) for one in (1, 2, 2.5, 5, 10) if power * one >= rough)
        first = np.ceil(self.low / step - 1e-9)
        count = int(np.floor(self.high / step + 1e-9) - first) + 1
        return [float((first + index) * step) for index in range(count)]


def _grid(across: _Axis, up: _Axis, unit: str) -> list[str]:
    parts = []
    for value in up.ticks(5):
        y = up(value)
        parts.append(
            f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='#8883'/>"
            f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end' fill='currentColor' "
            f"opacity='.7'>{value:g}</text>"
        )
    for value in across.ticks(9):
        x = across(value)
        parts.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{HEIGHT - BOTTOM}' y2='{HEIGHT - BOTTOM + 4}' "
            f"stroke='#888'/><text x='{x:.1f}' y='{HEIGHT - BOTTOM + 17}' text-anchor='middle' "
            f"fill='currentColor' opacity='.7'>{value:g}</text>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f"<text x='{middle}' y='{HEIGHT - 6}' text-anchor='middle' fill='currentColor' "
        f"opacity='.7'>seconds from the clip's start</text>"
        f"<text transform='translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)' "
        f"text-anchor='middle' fill='currentColor' opacity='.7'>{html.escape(unit)}</text>"
    )
    return parts


def _mark(name: str, x: float) -> str:
    colour = MARK_COLOURS.get(name, "#666")
    at_end = x > WIDTH - RIGHT - 60
    place, anchor = (x - 4, "end") if at_end else (x + 4, "start")
    return (
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{TOP - 6}' y2='{HEIGHT - BOTTOM}' stroke='{colour}' "
        f"stroke-dasharray='4 3'/><text x='{place:.1f}' y='{TOP - 9}' "
        f"text-anchor='{anchor}' fill='{colour}'>"
        f"{html.escape(name)}</text>"
    )
