"""What is wrong with frames is told, and motion that lies is mended."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from microface.server.clips.calibrate import neutral_of
from microface.server.clips.clean import bridge, gone, mended, quality, unbelievable

from .test_clips_steady import textured


def clip(count: int = 40, noise: float = 1.5, seed: int = 0) -> list[np.ndarray]:
    """Return frames of a picture that strays a little, each with its own noise."""
    rng = np.random.default_rng(seed)
    picture = textured(seed).astype(np.float32)
    frames = []
    for k in range(count):
        warp = np.array([[1, 0, 2 * np.sin(k / 6)], [0, 1, np.cos(k / 5)]])
        moved = cv2.warpAffine(picture, warp, (256, 256), borderMode=cv2.BORDER_REFLECT)
        frames.append(np.clip(moved + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8))
    return frames


TIMES = np.arange(40) / 100


def kinds(frames: list[np.ndarray], times: np.ndarray = TIMES) -> dict[str, tuple[int, ...]]:
    return {w.kind: w.frames for w in quality(frames, times)}


def test_clean_clip_has_no_warnings() -> None:
    assert kinds(clip()) == {}


def woven(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Return interlaced frames: the even rows of one, the odd rows of the next."""
    combed = [frame.copy() for frame in frames[::2]]
    for frame, later in zip(combed, frames[1::2], strict=True):
        frame[1::2] = later[1::2]
    return combed


@pytest.mark.parametrize("noise", [1.5, 4.0])
def test_interlaced_video_is_told(noise: float) -> None:
    (warning,) = quality(woven(clip(80, noise)), TIMES)
    assert warning.kind == "interlaced"
    assert "deinterlace" in warning.what


def test_stripes_are_not_interlaced() -> None:
    stripes = (20 * (np.arange(256) % 2))[:, None, None]
    frames = [np.clip(frame.astype(int) + stripes, 0, 255).astype(np.uint8) for frame in clip()]
    assert "interlaced" not in kinds(frames)
    moving = [np.roll(frame, k % 3, axis=0) for k, frame in enumerate(frames)]
    assert "interlaced" not in kinds(moving)


def test_repeated_and_smeared_frames_are_named() -> None:
    frames = clip()
    frames[12] = frames[11]
    frames[25] = cv2.blur(frames[25], (9, 1))
    found = kinds(frames)
    assert found == {"duplicated": (12,), "blur": (25,)}
    warnings = quality(frames, TIMES)
    assert unbelievable(warnings) == (12, 25)
    assert {w.what for w in warnings} == {
        "1 frame repeats the one before",
        "1 frame is smeared by motion",
    }


def test_frames_about_those_without_the_face_are_named() -> None:
    assert gone([], 40) == []
    (warning,) = gone([0, 7, 20], 22)
    assert (warning.kind, warning.frames) == ("gone", (0, 1, 2, *range(5, 10), *range(18, 22)))
    assert warning.what.startswith("12 frames do not show the whole face")


def test_unknown_frames_lie_between_the_known() -> None:
    values = np.array([[5.0], [9], [9], [2], [7]])
    bridge(values, np.array([0.0, 1, 2, 3, 4]), [1, 2, 4])
    assert values[:, 0] == pytest.approx([5, 4, 3, 2, 2])


def test_missing_frames_are_told_by_their_times() -> None:
    frames = clip()
    left = [k for k in range(40) if k not in (10, 20, 21)]
    (warning,) = quality([frames[k] for k in left], TIMES[left])
    assert (warning.kind, warning.frames) == ("dropped", (10, 19))
    assert warning.what.startswith("3 frames")


def test_flicker_noise_and_compression_are_told() -> None:
    flickering = [
        np.clip(f * (1 + 0.03 * (-1) ** k), 0, 255).astype(np.uint8) for k, f in enumerate(clip())
    ]
    assert "flicker" in kinds(flickering)
    assert "noise" in kinds(clip(noise=12.0))
    blocky = [
        cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 8])[1], cv2.IMREAD_COLOR)
        for f in clip(noise=0)
    ]
    assert "compression" in kinds(blocky)


def test_motion_is_mended_by_time() -> None:
    times = np.array([0.0, 0.01, 0.02, 0.03, 0.05, 0.06, 0.07])
    flows = np.sin(20 * times)[:, None, None, None] * np.ones((1, 2, 2, 2), np.float32)
    broken = flows.astype(np.float32)
    broken[3] = 9
    assert mended(broken, times, [3])[3] == pytest.approx(flows[3], abs=2e-3)
    broken[6] = 9
    assert np.array_equal(mended(broken, times, [3, 6])[6], broken[5])
    assert mended(broken, times, []) is broken


def test_neutral_is_freed_of_noise_and_of_what_moves() -> None:
    quiet = textured(0).astype(float)
    rng = np.random.default_rng(1)
    frames = [
        np.clip(quiet + rng.normal(0, 4, quiet.shape), 0, 255).astype(np.uint8) for _ in range(30)
    ]
    for k in range(8, 30):
        frames[k][150:200, 80:170] = frames[k][140:190, 80:170]
    found = neutral_of(frames, np.arange(30) / 100)
    assert found.frame == 0
    assert set(found.frames_used) <= set(range(8))
    assert len(found.frames_used) >= 6
    off = found.image[20:-20, 20:-20].astype(float) - quiet[20:-20, 20:-20]
    assert off.std() < 0.5 * (frames[0].astype(float) - quiet).std()


def test_neutral_about_a_named_frame() -> None:
    found = neutral_of(clip(60), np.arange(60) / 100, about=30)
    assert found.frame == 30
    assert set(found.frames_used) <= set(range(22, 39))
