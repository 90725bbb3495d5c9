"""A real person's smile and frown, with the weights that ship: what must rise rises, what must
come down comes down, and the head's own motion does not come along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from microface.models.heads.keypoints import NAMES
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.clip import Clip
from microface.server.clips.read import read_clip
from microface.server.engine.pipeline import retarget
from microface.server.engine.runtime import OnnxRuntime


def motion_at(shared: Path, name: str, picked: list[int]) -> dict[str, np.ndarray]:
    """Return each keypoint's motion on the character in the last of the picked frames, in shares
    of the face unit."""
    whole = read_clip(shared / "clips" / f"{name}.mp4")
    clip = Clip([whole.frames[i] for i in picked], whole.times[picked], whole.fps, name, "0" * 64)
    neutral = np.asarray(builtin_clip("brow-lower").frames[0])
    work = retarget(neutral, clip, 1.0, OnnxRuntime(threads=1))
    flow = list(work)[-1].flow.astype(float)
    unit = work.face.crop.side / 4.2
    found = {}
    for point, (x, y) in zip(NAMES, work.face.points, strict=True):
        near = flow[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        found[point] = near.mean((0, 1)) / unit
    return found


@pytest.mark.slow
def test_smile_raises_the_lip_corners(shared: Path) -> None:
    moved = motion_at(shared, "smile", [0, 3, 6, 9, 12, 15])
    for side in ("left", "right"):
        assert moved[f"lip_corner_{side}"][1] < -0.02
    outwards = moved["lip_corner_left"][0] - moved["lip_corner_right"][0]
    assert outwards > 0.02
    strongest = max(np.hypot(*m) for m in moved.values())
    assert np.hypot(*moved["nose_bridge"]) < 0.25 * strongest


@pytest.mark.slow
def test_frown_draws_the_brows_down(shared: Path) -> None:
    moved = motion_at(shared, "frown", [0, 4, 8, 12, 16, 20, 25])
    for side in ("left", "right"):
        assert moved[f"brow_middle_{side}"][1] > 0.01
    together = moved["brow_inner_right"][0] - moved["brow_inner_left"][0]
    assert together > 0.0
