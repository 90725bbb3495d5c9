"""With the weights that ship: faces are found where there are any, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.models.heads.keypoints import NAMES
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.face import FaceBox, completed, find_face
from microface.server.clips.read import read_clip
from microface.server.clips.template import template_points
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


def test_a_small_face_in_a_films_frame(runtime: OnnxRuntime) -> None:
    frame = np.full((1080, 1920, 3), (70, 74, 84), np.uint8)
    small = cv2.resize(rendered(), (96, 96), interpolation=cv2.INTER_AREA)
    frame[500:596, 1200:1296] = small // 2
    face = find_face(frame, runtime.encode, "the picture")
    assert face.crop.centre == pytest.approx((1248, 548), abs=5)
    assert 0.75 < face.crop.side / 96 < 1.0


def test_one_of_several_faces_is_chosen(runtime: OnnxRuntime) -> None:
    head = rendered()
    both = np.full((360, 620, 3), 90, np.uint8)
    both[20:340, :320] = head
    both[70:310, 350:590] = cv2.resize(head, (240, 240), interpolation=cv2.INTER_AREA)
    largest = find_face(both, runtime.encode, "the picture")
    assert largest.crop.centre[0] < 320
    assert (largest.others, largest.found_by) == (1, "keypoints")
    smaller = find_face(both, runtime.encode, "the picture", near=(470, 190))
    assert smaller.crop.centre == pytest.approx((470, 190), abs=14)
    assert smaller.crop.side == pytest.approx(0.75 * largest.crop.side, rel=0.08)


@pytest.mark.parametrize(
    "kind",
    ["grey", "tilted", "mask"]
    + [pytest.param(kind, marks=pytest.mark.slow) for kind in ("dark", "glasses", "hand")],
)
def test_face_is_found_in_spite_of(runtime: OnnxRuntime, kind: str) -> None:
    head = rendered().copy()
    straight = find_face(head, runtime.encode, "the picture").crop
    right, left = eyes(find_face(head, runtime.encode, "the picture"))
    span = float(left[0] - right[0])
    if kind == "grey":
        head = np.repeat(cv2.cvtColor(head, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    elif kind == "dark":
        head = (head * 0.25).astype(np.uint8)
    elif kind == "glasses":
        for eye in (right, left):
            at = (round(eye[0]), round(eye[1]))
            cv2.circle(head, at, round(0.36 * span), (25, 25, 25), 4)
    elif kind == "mask":
        low = round(right[1] + 0.75 * span)
        cv2.ellipse(
            head, (round((right[0] + left[0]) / 2), low + round(0.35 * span)),
            (round(0.85 * span), round(0.6 * span)), 0, 0, 360, (170, 200, 215), -1,
        )  # fmt: skip
    elif kind == "hand":
        at = (round(left[0] + 0.35 * span), round(left[1] + 1.1 * span))
        cv2.ellipse(
            head, at, (round(0.5 * span), round(0.8 * span)), 25, 0, 360, (200, 150, 120), -1
        )
    else:
        affine = cv2.getRotationMatrix2D((160, 160), 30, 0.8)
        head = cv2.warpAffine(head, affine, (320, 320), borderMode=cv2.BORDER_REPLICATE)
    face = find_face(np.asarray(head, np.uint8), runtime.encode, "the picture")
    assert face.crop.centre == pytest.approx(straight.centre, abs=0.12 * straight.side)
    scale = 0.8 if kind == "tilted" else 1.0
    assert face.crop.side == pytest.approx(scale * straight.side, rel=0.15)
    if kind == "tilted":
        assert np.degrees(face.crop.roll) == pytest.approx(-30, abs=5)


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


def test_hidden_keypoints_lie_where_the_average_face_has_them() -> None:
    turn = np.array([[0.35, -0.1], [0.1, 0.35]])
    face = template_points()[:, :2].astype(float) @ turn.T + (0.05, -0.1)
    confidence = np.full(30, 0.8)
    hidden = slice(15, 30)
    confidence[hidden] = 0.1
    guessed = face.copy()
    guessed[hidden] += 0.4
    assert completed(guessed, confidence) == pytest.approx(face, abs=1e-5)
    assert np.array_equal(completed(guessed, np.full(30, 0.8)), guessed)
    assert np.array_equal(completed(guessed, np.full(30, 0.1)), guessed)
