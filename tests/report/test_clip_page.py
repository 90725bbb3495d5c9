"""The page of a source clip: whole in one file, and nothing in it is taken for markup."""

from __future__ import annotations

import re

import numpy as np
import pytest
from microface.report.clip_page import ClipPage, render_clip_page
from microface.report.clip_plots import Span, UnitPlot, plot_motion
from microface.report.library_page import ShownClip, profile_svg, render_library_page

TIMES = np.arange(20) / 100


def page(**more: object) -> ClipPage:
    values: dict[str, object] = {
        "title": "Clip <b>", "lead": "20 frames", "strip": b"RIFF", "stamps": ["0.000 s onset"],
        "facts": {"sha256": "a" * 64}, "warnings": ["dark & noisy"], "times": TIMES,
        "whole": np.sin(TIMES * 10), "curves": {"lips left": TIMES, "lips right": TIMES * 2},
        "marks": {"apex": 0.1}, "events": (("kind",), [("micro",)]),
        "spans": [Span(0.05, 0.15, "micro")], "units": (("unit",), [("AU12",)]),
        "unit_curves": [UnitPlot("AU12 lip corner puller", TIMES, TIMES)], "hint": "not told 50%",
    }  # fmt: skip
    return ClipPage(**(values | more))  # type: ignore[arg-type]


def test_all_is_on_the_page() -> None:
    text = render_clip_page(page())
    for told in ("dark &amp; noisy", "micro", "AU12", "not told 50%", f"<code>{'a' * 64}</code>"):
        assert told in text
    assert "<b>" not in text and text.count("<svg") == 3
    assert text == render_clip_page(page())  # equal pages, equal bytes
    assert not re.search(r"(?:src|href)=['\"]https?:", text)


def test_a_clip_in_which_nothing_happens() -> None:
    text = render_clip_page(
        page(warnings=[], events=(("kind",), []), spans=[], units=((), []), unit_curves=[],
             marks={}, whole=np.zeros(20))
    )  # fmt: skip
    assert "nothing stands against using this clip" in text and "None is seen" in text
    assert text.count("<svg") == 2


@pytest.mark.parametrize("kind", ["micro", "blink", "head"])
def test_events_lie_in_lanes_below_the_curve(kind: str) -> None:
    bare = plot_motion(TIMES, TIMES, {}, [])
    assert kind not in bare
    assert f">{kind}<" in plot_motion(TIMES, TIMES, {}, [Span(0.0, 0.1, kind)])


def test_a_librarys_page() -> None:
    measured = ShownClip("<one>", {"units": "4+L12"}, b"RIFF", TIMES, TIMES * 3, {"apex": 0.1})
    text = render_library_page("2 clips", [measured, ShownClip("two", {}, b"RIFF")])
    assert "&lt;one&gt;" in text and "units 4+L12" in text and "0.57 px, 0.19 s" in text
    assert text.count("<svg") == 1 and text.count("data:image/webp") == 2
    assert "nan" not in profile_svg([0.0, 0.0], [0.0, 0.0], {})
