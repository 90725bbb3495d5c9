"""Plots of a bake as SVG text: weight curves and the motion profile over time."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Array = npt.NDArray[np.float32] | npt.NDArray[np.float64]

MARK_COLOURS = {"onset": "#3b8f5a", "apex": "#c0392b", "offset": "#7d5ba6"}
MOST_CURVES = 10


@dataclass(frozen=True)
class Curve:
    """One shape key's weight over the clip: `values` (T,), and `truth` (T,) where it is known."""

    name: str
    values: Array
    truth: Array | None = None

    @property
    def peak(self) -> float:
        """The largest absolute weight, of the values or of the truth."""
        both = [self.values] if self.truth is None else [self.values, self.truth]
        return max(float(np.abs(curve).max(initial=0.0)) for curve in both)


def plot_curves(times: Array, curves: Sequence[Curve], marks: Mapping[str, float]) -> str:
    """Return an SVG of the strongest weight curves; truth is dashed in the same colour.

    `times` (T,) and `marks` (onset, apex, offset) are in seconds from the clip's start.
    """
    figure, axes = _axes("weight")
    strongest = sorted(curves, key=lambda curve: -curve.peak)[:MOST_CURVES]
    for number, curve in enumerate(curve for curve in strongest if curve.peak > 0):
        colour = f"C{number}"
        axes.plot(times, curve.values, color=colour, label=curve.name)
        if curve.truth is not None:
            axes.plot(times, curve.truth, color=colour, linestyle="--", linewidth=1.0)
    if any(curve.truth is not None for curve in strongest):
        axes.plot([], [], color="#666", linestyle="--", linewidth=1.0, label="truth (dashed)")
    _mark(axes, marks)
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return as_svg(figure)


def plot_profile(times: Array, profile: Array, marks: Mapping[str, float]) -> str:
    """Return an SVG of the motion profile: (T,) mean pixels moved where the face moves."""
    figure, axes = _axes("motion (pixels)")
    axes.fill_between(times, profile, color="#4a7fb5", alpha=0.25, linewidth=0)
    axes.plot(times, profile, color="#4a7fb5")
    _mark(axes, marks)
    return as_svg(figure)


def _axes(label: str) -> tuple[Figure, Axes]:
    """Return a wide, plain figure whose x axis is time."""
    figure = Figure(figsize=(9.2, 2.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel("seconds from the clip's start", fontsize=9)
    axes.set_ylabel(label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _mark(axes: Axes, marks: Mapping[str, float]) -> None:
    """Draw onset, apex and offset as labelled vertical lines."""
    top = axes.get_ylim()[1]
    for name, seconds in marks.items():
        colour = MARK_COLOURS.get(name, "#666")
        axes.axvline(seconds, color=colour, linewidth=1.0, alpha=0.8)
        axes.text(seconds, top, f" {name}", color=colour, fontsize=8, va="top")


def as_svg(figure: Figure) -> str:
    """Return the figure as an <svg> element, the same bytes for the same figure."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "microface", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
