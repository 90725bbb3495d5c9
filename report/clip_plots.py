"""Plots of a source clip as SVG text: motion of the face, of its regions, and action units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.axes
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .plots import MARK_COLOURS, as_svg

Array = npt.NDArray[np.float64]

#: Colours of what a face does; anything else is grey.
SPAN_COLOURS = {
    "micro": "#3b8f5a",
    "macro": "#4a7fb5",
    "blink": "#c8891a",
    "gaze": "#b9a13a",
    "head": "#888888",
    "speech": "#a05a9c",
}
SIDE_COLOURS = {"left": "#c0533a", "right": "#3a6fc0"}
_LANE = 0.085


@dataclass(frozen=True)
class Span:
    """Something that lasts from `begin` to `end` (seconds), of a `kind`."""

    begin: float
    end: float
    kind: str


@dataclass(frozen=True)
class UnitPlot:
    """An action unit's `name`, and its strength (T,) on either side, 0..1."""

    name: str
    left: Array
    right: Array


def plot_motion(
    times: Array, whole: Array, marks: Mapping[str, float], spans: Sequence[Span]
) -> str:
    """Return an SVG of the whole face's motion (T,) with its phases; events lie below it."""
    kinds = [kind for kind in SPAN_COLOURS if any(span.kind == kind for span in spans)]
    figure = Figure(figsize=(9.2, 2.6 + 0.16 * len(kinds)), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(times, whole, color="#4a7fb5", alpha=0.25, linewidth=0)
    axes.plot(times, whole, color="#4a7fb5")
    axes.set_xlabel("seconds from the clip's start", fontsize=9)
    axes.set_ylabel("pixels", fontsize=9)
    # Room for the phases' names above the curve, and for a lane a kind below it.
    bottom, top = 0.0, 1.15 * max(float(whole.max()), 1e-3)
    room = _LANE * top
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= top])
    for lane, kind in enumerate(kinds):
        level = bottom - (lane + 0.6) * room
        for span in spans:
            if span.kind == kind:
                axes.plot(
                    [span.begin, span.end], [level, level], color=SPAN_COLOURS[kind],
                    linewidth=5, solid_capstyle="butt",
                )  # fmt: skip
        axes.annotate(
            kind, (1.005, level), xycoords=("axes fraction", "data"), fontsize=8, va="center",
            color=SPAN_COLOURS[kind],
        )  # fmt: skip
    axes.set_ylim(bottom - (len(kinds) + 0.2) * room, top)
    axes.axhline(0, color="#888", linewidth=0.8)
    _finish(axes, times, marks)
    for name, seconds in marks.items():
        # A name beside the right edge would stand outside the plot.
        late = seconds > times[0] + 0.9 * (times[-1] - times[0])
        axes.text(
            seconds, 0.98, f" {name} ", color=MARK_COLOURS.get(name, "#666"), fontsize=8, va="top",
            ha="right" if late else "left", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    return as_svg(figure)


def plot_regions(times: Array, curves: Mapping[str, Array], marks: Mapping[str, float]) -> str:
    """Return an SVG with a small plot a region, left and right in one, all on one scale.

    `curves` (T,) are by names like `brows left`.
    """
    names = list(dict.fromkeys(name.rpartition(" ")[0] for name in curves))
    pairs = {
        name: {
            side: curves[f"{name} {side}"] for side in SIDE_COLOURS if f"{name} {side}" in curves
        }
        for name in names
    }
    return _grid(times, pairs, marks, "pixels")


def plot_units(times: Array, units: Sequence[UnitPlot], marks: Mapping[str, float]) -> str:
    """Return an SVG with a small plot an action unit, left and right in one, all on one scale."""
    pairs = {unit.name: {"left": unit.left, "right": unit.right} for unit in units}
    return _grid(times, pairs, marks, "of a full contraction")


def _grid(
    times: Array, pairs: Mapping[str, Mapping[str, Array]], marks: Mapping[str, float], label: str
) -> str:
    rows = (len(pairs) + 2) // 3
    figure = Figure(figsize=(9.2, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False)
    for axes, (name, sides) in zip(grid.flat, pairs.items(), strict=False):
        for side, curve in sides.items():
            # The right side is dashed: where both are alike, both are seen.
            style = "-" if side == "left" else (0, (4, 2))
            axes.plot(
                times, curve, color=SIDE_COLOURS[side], linestyle=style, linewidth=1.4, label=side
            )
        axes.set_title(name, fontsize=9, loc="left")
        axes.tick_params(labelbottom=True)
        _finish(axes, times, marks)
    for axes in list(grid.flat)[len(pairs) :]:
        axes.set_visible(False)
    grid.flat[0].legend(fontsize=8, frameon=False)
    # Below the middle of what is there.
    figure.supxlabel("seconds from the clip's start", fontsize=9, x=min(len(pairs), 3) / 6)
    figure.supylabel(label, fontsize=9)
    return as_svg(figure)


def _finish(axes: matplotlib.axes.Axes, times: Array, marks: Mapping[str, float]) -> None:
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_xlim(float(times[0]), float(times[-1]))
    for name, seconds in marks.items():
        axes.axvline(seconds, color=MARK_COLOURS.get(name, "#666"), linewidth=1.0, alpha=0.8)
