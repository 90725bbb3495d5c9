"""A head is followed while its picture is seen, is lost without it, and is found anew."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.crop import NETWORK_PIXELS, Crop
from microface.server.clips.follow import SEARCHED_EVERY, Find, Followed, Follower
from microface.server.clips.measure import measure
from microface.server.clips.sampling import grey_levels
from microface.server.clips.template import template
from microface.server.clips.upright import CELLS, POOLED, Upright
from microface.server.engine.runtime import OnnxRuntime

from .test_clips_steady import surface, textured

SIZE = 512
#: Where a head is at first, and where it jumps to.
HOME = Crop((180.0, 200.0), 256.0)
AWAY = Crop((330.0, 290.0), 280.0, 0.2)


def shown(crop: Crop | None, seed: int = 3) -> np.ndarray:
    """Return a picture of a scene, and of the head of a seed in a crop."""
    scene = textured(40, SIZE)
    if crop is None:
        return scene
    size, onto = (SIZE, SIZE), crop.affine()
    there = cv2.warpAffine(np.full((256, 256), 255, np.uint8), onto, size) > 127
    return np.where(there[..., None], cv2.warpAffine(textured(seed), onto, size), scene)


def follower(find: Find | None = None) -> Follower:
    """Return what follows the head that is at home in the neutral."""
    face = template(CELLS // POOLED).face.ravel()
    some = np.flatnonzero(face > 0.5)
    neutral = grey_levels(shown(HOME))
    return Follower(Upright(HOME, surface()), neutral, some, face[some].astype(float), find)


def all_followed(made: Follower, frames: Iterable[np.ndarray]) -> list[Followed]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [made.followed(frame, grey_levels(frame)) for frame in frames]


def test_a_head_that_jumps_is_lost_unless_faces_are_found() -> None:
    frames = [shown(HOME), *[shown(AWAY)] * 3]
    lost = all_followed(follower(), frames)
    assert [one.found for one in lost] == [True, False, False, False]
    assert all(np.array_equal(one.pose, lost[0].pose) for one in lost)
    # What finds faces is off by some pixels.
    near = replace(AWAY, centre=(326.0, 293.0), side=274.0)
    found = all_followed(follower(lambda frame, crop: [near]), frames)
    assert [one.surely for one in found] == [True] * 4
    shift = found[-1].pose[4:] * HOME.side / NETWORK_PIXELS
    assert shift == pytest.approx((150, 90), abs=1.0)
    assert found[-1].pose[2:4] == pytest.approx((0.2, np.log(280 / 256)), abs=0.01)


def test_other_pictures_are_not_taken_for_the_head() -> None:
    """Neither another head in its place nor a scene without one; it is known when it is back."""
    find: Find = lambda frame, crop: [HOME]  # noqa: E731
    others = [shown(HOME, seed=5), shown(None), np.full((SIZE, SIZE, 3), 90, np.uint8)]
    rng = np.random.default_rng(1)
    others += [rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(4)]
    found = all_followed(follower(find), [shown(HOME), *others, shown(HOME)])
    assert [one.found for one in found] == [True, *[False] * len(others), True]


def test_the_whole_picture_is_searched_now_and_then() -> None:
    asked: list[Crop | None] = []

    def find(frame: np.ndarray, near: Crop | None) -> list[Crop]:
        asked.append(near)
        return []

    all_followed(follower(find), [shown(HOME), shown(HOME)])
    assert asked == []
    all_followed(follower(find), [shown(HOME), *[shown(None)] * (2 * SEARCHED_EVERY)])
    assert sum(near is None for near in asked) == 2
    near = [crop for crop in asked if crop is not None]
    assert len(near) == 2 * SEARCHED_EVERY
    assert all(crop.centre == pytest.approx(HOME.centre, abs=0.5) for crop in near)


def test_a_head_that_leaves_is_lost() -> None:
    frames = [shown(replace(HOME, centre=(180.0 - 12 * k, 200.0))) for k in range(24)]
    found = [one.found for one in all_followed(follower(), frames)]
    leaves = found.index(False)
    # Half of the face, whose middle lies at the crop's, is outside at the 15th.
    assert 13 <= leaves <= 17
    assert not any(found[leaves:])


def test_no_motion_is_told_while_the_face_is_away() -> None:
    """A cut to something else, and a head that is elsewhere afterwards."""
    clip = builtin_clip("lip-corner-left")
    frames = [np.pad(frame, ((0, 0), (0, 160), (0, 0)), mode="edge") for frame in clip.frames[:16]]
    for index in (5, 6, 7):
        frames[index] = np.ascontiguousarray(frames[index][::-1])
    for index in range(8, 16):
        frames[index] = np.roll(frames[index], 130, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen = measure(
            replace(clip, frames=frames, times=clip.times[:16]), OnnxRuntime(threads=1).encode
        )
    (gone,) = (warning for warning in seen.warnings if warning.kind == "gone")
    # The face is looked for in all of the picture in the 6th frame and in the 10th.
    assert gone.frames == tuple(range(3, 11))
    assert gone.what.startswith("8 frames do not show the whole face")
    assert not seen.confidence[3:11].any()
    assert seen.confidence[[0, 1, 2, *range(11, 16)]].min() > 0.7
    shift = seen.poses[11:, 4:] * seen.start.face.crop.side / NETWORK_PIXELS
    assert np.abs(shift - (130, 0)).max() < 1.5
