"""Real clips with the weights that ship: what must rise rises, what must come down comes down, the
head's own motion does not come along, and nothing tears; mixtures of all of one are that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from microface.models.heads.keypoints import NAMES
from microface.server.client import Client, Performance
from microface.server.clips.builtin import builtin_clip, is_builtin
from microface.server.clips.clip import Clip
from microface.server.clips.read import read_clip
from microface.server.embedded import EmbeddedServer
from microface.server.engine.pipeline import retarget
from microface.server.engine.runtime import OnnxRuntime
from microface.server.engine.unfold import areas


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frames"), [("builtin:lip-corner-left", [0, 25]), ("smile.mp4", [0, 15, 30])]
)
def test_nothing_tears_at_four_times_the_strength(
    shared: Path, name: str, frames: list[int]
) -> None:
    whole = builtin_clip(name) if is_builtin(name) else read_clip(shared / "clips" / name)
    clip = Clip([whole.frames[i] for i in frames], whole.times[frames], whole.fps, name, "0" * 64)
    neutral = np.asarray(builtin_clip("brow-lower").frames[0])
    *_, strongest = retarget(neutral, clip, 4.0, OnnxRuntime(threads=1))
    area = areas(strongest.flow.astype(np.float32))
    assert np.abs(strongest.flow).max() > 5
    assert area.min() > 0.1 and area.max() < 10


@pytest.mark.slow
def test_all_of_one_clip_is_that_clip(tmp_path: Path) -> None:
    neutral = np.asarray(builtin_clip("brow-lower").frames[0])
    folders = []
    for name in ("lip-corner-left", "inner-brow-raise"):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        for index in (0, 18, 25):
            picture = np.asarray(builtin_clip(name).frames[index])
            cv2.imwrite(str(folders[-1] / f"{index}.png"), picture[..., ::-1])
    first, second = folders
    with EmbeddedServer(threads=1) as server, Client(server.address) as client:

        def made(clip: Path, **more: Any) -> Any:
            return client.perform(neutral, Performance(clip, 20, **more)).pump().result["manifest"]

        both = {"second": second, "second_fps": 20}
        alone = made(first), made(second)
        assert made(first, timing="factor=1") == alone[0]
        assert made(first, **both, mix="0", align="start") == alone[0]
        assert made(first, **both, mix="1", align="start") == alone[1]
        assert made(first, **both, mix="brows=1", align="start") not in alone
