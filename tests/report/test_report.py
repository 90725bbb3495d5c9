"""The report holds what it was given and opens anywhere."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from microface.report.page import Page, Row, render_page
from microface.report.panels import (
    amplified_difference,
    animated_webp,
    side_by_side,
    write_gif,
)
from microface.report.plots import Curve, plot_curves, plot_profile
from PIL import Image


def moving_square(instants: int = 5) -> np.ndarray:
    frames = np.zeros((instants, 40, 60, 3), np.uint8)
    for t in range(instants):
        frames[t, 10:20, 10 + t : 20 + t] = 200
    return frames


def test_side_by_side_keeps_proportions_and_instants() -> None:
    frames = moving_square()
    rows = side_by_side({"source": frames, "edges": frames[..., 0]}, height=80)
    assert len(rows) == 5
    assert rows[0].size == (2 * 120 + 3 * 6, 80 + 22 + 6)


def test_side_by_side_refuses_different_lengths() -> None:
    with pytest.raises(ValueError, match="lengths"):
        side_by_side({"a": moving_square(3), "b": moving_square(4)})


def test_still_pixels_are_grey_in_the_difference() -> None:
    frames = moving_square()
    difference = amplified_difference(frames, frames[0])
    assert (difference[0] == 128).all()
    assert difference[3, 15, 21, 0] == 255


def test_animations_hold_every_instant(tmp_path: Path) -> None:
    rows = side_by_side({"source": moving_square()}, height=40)
    with Image.open(io.BytesIO(animated_webp(rows, 25))) as picture:
        assert picture.n_frames == 5  # type: ignore[attr-defined]
    write_gif(rows, 25, tmp_path / "preview.gif")
    with Image.open(tmp_path / "preview.gif") as picture:
        assert picture.n_frames == 5  # type: ignore[attr-defined]


def test_plots_name_curves_and_marks() -> None:
    times = np.linspace(0, 0.4, 9)
    weights = np.sin(times * 7)
    svg = plot_curves(
        times,
        [Curve("browDownLeft", weights, weights * 0.9), Curve("jawOpen", weights * 0)],
        {"onset": 0.05, "apex": 0.2, "offset": 0.35},
    )
    assert "browDownLeft" in svg and "apex" in svg and "truth" in svg
    assert "jawOpen" not in svg
    assert plot_profile(times, weights, {"apex": 0.2}).startswith("<svg")


def test_page_is_self_contained_and_escapes() -> None:
    rows = side_by_side({"source": moving_square()}, height=40)
    page = Page(
        title="<Ada>",
        lead="brow-lower",
        animation=animated_webp(rows, 25),
        animation_caption="side by side",
        plots={"Weights": plot_profile(np.arange(3.0), np.arange(3.0), {})},
        tables={"Hashes": [Row("clip", "a" * 64)]},
    )
    text = render_page(page)
    assert "&lt;Ada&gt;" in text and "<Ada>" not in text
    assert "<code>" + "a" * 64 in text
    assert "src='http" not in text and "data:image/webp" in text
