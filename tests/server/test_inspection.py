"""Looking a clip over finds its event, where it is, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from microface.errors import InputError
from microface.models.heads.expressions import expression_weights
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.clip import Clip
from microface.server.clips.inspection import Inspection, inspect_clip, sided_cells
from microface.server.engine.runtime import OnnxRuntime

from .filmed_head import pictured


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A smile of the left lip corner: every second frame from just before it to its end."""
    whole = builtin_clip("lip-corner-left")
    kept = slice(6, 46, 2)
    return replace(
        whole, frames=whole.frames[kept], times=whole.times[kept] - whole.times[6], fps=Fraction(50)
    )


@pytest.fixture(scope="module")
def seen(clip: Clip) -> Inspection:
    return inspect_clip(clip, OnnxRuntime(threads=1))


def test_it_finds_the_event(clip: Clip, seen: Inspection) -> None:
    assert seen.apex is not None and seen.onset is not None
    assert seen.apex.seconds == pytest.approx(0.25 - 0.06, abs=0.03)
    assert seen.onset.seconds < seen.apex.seconds
    assert seen.apex.frame == pytest.approx(seen.apex.seconds * 50, abs=0.01)
    assert [(event.kind, event.regions[0]) for event in seen.spotted] == [("micro", "lips")]
    assert [(unit.unit, unit.side) for unit in seen.described] == [(12, "left")]
    assert seen.hints
    assert 150 < seen.face_pixels < 320
    assert seen.confidence.min() > 0.75


def test_it_tells_which_region_and_side(seen: Inspection) -> None:
    peaks = {name: float(curve.max()) for name, curve in seen.regions.items()}
    assert max(peaks, key=peaks.__getitem__) == "lips left"
    assert peaks["lips left"] > 3 * peaks["lips right"]
    assert peaks["lips left"] > 3 * peaks["brows left"]


def test_it_warns(clip: Clip, seen: Inspection) -> None:
    assert (
        "50 frames a second: the shortest micro-expressions have less than 4 frames"
        in seen.warnings
    )
    rng = np.random.default_rng(0)
    flicker = [
        np.clip(frame * (0.22 + 0.03 * rng.standard_normal()), 0, 255).astype(np.uint8)
        for frame in clip.frames[:12]
    ]
    bad = replace(clip, frames=flicker, times=clip.times[:12], notes=("a note of reading",))
    warnings = "; ".join(inspect_clip(bad, OnnxRuntime(threads=1)).warnings)
    for told in ("a note of reading", "dark", "flickers"):
        assert told in warnings, warnings
    third = clip.size[0] // 3
    cut = replace(clip, frames=[f[:, third:] for f in clip.frames[:10]], times=clip.times[:10])
    warnings = "; ".join(inspect_clip(cut, OnnxRuntime(threads=1)).warnings)
    for told in ("the clip ends before the expression does", "lie outside the picture"):
        assert told in warnings, warnings


def test_no_face_is_refused(clip: Clip) -> None:
    grey = [np.full((200, 200, 3), 90, np.uint8)] * 3
    with pytest.raises(InputError, match="face"):
        inspect_clip(replace(clip, frames=grey, times=clip.times[:3]), OnnxRuntime(threads=1))


def test_regions_share_no_cell() -> None:
    cells = sided_cells()
    assert len(cells) == 10
    assert np.stack(list(cells.values())).sum(0).max() == 1
    for mask in cells.values():
        assert mask.sum() > 20


def test_neutral_with_closed_eyes_is_told() -> None:
    shut, opened = pictured(expression_weights("AU45", 1.0, 1.0)), pictured({})
    film = Clip([shut] * 8 + [opened] * 5, np.arange(13) / 50, Fraction(50), "opens", "")
    warnings = inspect_clip(film, OnnxRuntime(threads=1)).warnings
    (told,) = [warning for warning in warnings if "eyes are closed" in warning]
    assert "--neutral" in told
