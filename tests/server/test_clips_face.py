"""With the weights that ship: faces are found where there are any, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.models.heads.keypoints import NAMES
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.face import FaceBox, find_face
from microface.server.clips.read import read_clip
from microface.server.engine.runtime import OnnxRuntime


@pytest.fixture(scope="module")
def runtime() -> OnnxRuntime:
    return OnnxRuntime(threads=1)


def rendered() -> np.ndarray:
    return np.asarray(builtin_clip("brow-lower").frames[0])


def eyes(face: FaceBox) -> tuple[np.ndarray, np.ndarray]:
    right = face.points[[NAMES.index(f"eye_{part}_right") for part in ("outer", "inner")]].mean(0)
    left = face.points[[NAMES.index(f"eye_{part}_left") for part in ("outer", "inner")]].mean(0)
    return right, left


def test_rendered_head(runtime: OnnxRuntime) -> None:
    face = find_face(rendered(), runtime.encode, "the picture")
    assert face.confidence > 0.3
    right, left = eyes(face)
    assert left[0] > right[0]
    # The clips are drawn with the face's crop covering the picture but for a margin.
    assert face.crop.centre == pytest.approx((160, 160), abs=12)
    assert 0.75 < face.crop.side / 320 < 1.0


@pytest.mark.parametrize("degrees", [-18, 15])
def test_turned_and_small_head(runtime: OnnxRuntime, degrees: float) -> None:
    head = rendered()
    wide = np.full((480, 640, 3), 90, np.uint8)
    middle = (159.5, 159.5)
    affine = cv2.getRotationMatrix2D(middle, degrees, 0.8)
    affine[:, 2] += (160, 90)
    turned = cv2.warpAffine(head, affine, (640, 480), dst=wide, borderMode=cv2.BORDER_TRANSPARENT)
    face = find_face(np.asarray(turned, np.uint8), runtime.encode, "the picture")
    assert np.degrees(face.crop.roll) == pytest.approx(-degrees, abs=4)
    straight = find_face(head, runtime.encode, "the picture")
    assert face.crop.side == pytest.approx(0.8 * straight.crop.side, rel=0.08)
    level = find_face(np.asarray(turned, np.uint8), runtime.encode, "the picture", upright=False)
    assert level.crop.roll == 0


def landscape(rng: np.random.Generator) -> np.ndarray:
    picture = np.zeros((400, 600, 3))
    picture[:220] = (120, 170, 230)
    picture[220:] = (60, 120, 50)
    picture += cv2.GaussianBlur(rng.normal(0, 60, picture.shape), (0, 0), 3)
    for _ in range(6):
        at = (int(rng.uniform(0, 600)), int(rng.uniform(150, 300)))
        cv2.circle(picture, at, int(rng.uniform(10, 60)), rng.uniform(0, 255, 3).tolist(), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["noise", "blank", "clouds", "landscape", "board"])
def test_no_face(runtime: OnnxRuntime, kind: str) -> None:
    rng = np.random.default_rng(3)
    if kind == "noise":
        picture = rng.integers(0, 255, (300, 400, 3), dtype=np.uint8)
    elif kind == "blank":
        picture = np.full((256, 256, 3), 128, np.uint8)
    elif kind == "clouds":
        soft = cv2.GaussianBlur(rng.normal(0, 1, (300, 400, 3)), (0, 0), 8)
        picture = np.clip(soft * 600 + 128, 0, 255).astype(np.uint8)
    elif kind == "landscape":
        picture = landscape(rng)
    else:
        squares = (np.indices((256, 256)).sum(0) // 16 % 2) * 255
        picture = np.repeat(squares.astype(np.uint8)[..., None], 3, 2)
    with pytest.raises(InputError, match="no face"):
        find_face(picture, runtime.encode, "the picture")


@pytest.mark.parametrize("name", ["smile", "frown"])
def test_real_face(runtime: OnnxRuntime, shared: Path, name: str) -> None:
    frame = read_clip(shared / "clips" / f"{name}.mp4").frames[0]
    face = find_face(frame, runtime.encode, "the clip")
    # Where the eyes are, read off the pictures.
    expected = {"smile": ((96, 132), (214, 132)), "frown": ((105, 181), (212, 173))}[name]
    for found, seen in zip(eyes(face), expected, strict=True):
        assert found == pytest.approx(seen, abs=12)
