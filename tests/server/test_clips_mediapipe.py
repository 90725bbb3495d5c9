"""With MediaPipe installed, faces are found that are tilted further, or unlike any known."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.models.heads.keypoints import face_unit
from microface.server.clips import face as finding
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.face import find_face
from microface.server.clips.mediapipe_face import mesh_keypoints
from microface.server.engine.runtime import OnnxRuntime

pytest.importorskip("mediapipe")


@pytest.fixture(scope="module")
def runtime() -> OnnxRuntime:
    return OnnxRuntime(threads=1)


def tilted(degrees: float) -> np.ndarray:
    head = np.asarray(builtin_clip("brow-lower").frames[0])
    affine = cv2.getRotationMatrix2D((160, 160), degrees, 0.7) + np.array([[0, 0, 80], [0, 0, 60]])
    return np.asarray(cv2.warpAffine(head, affine, (480, 440), borderMode=cv2.BORDER_REPLICATE))


def test_its_points_lie_where_the_networks_do(runtime: OnnxRuntime) -> None:
    (points,) = mesh_keypoints(tilted(0))
    known = find_face(tilted(0), runtime.encode, "the picture")
    assert known.found_by == "keypoints" and known.others == 0
    away = np.sqrt(((points - known.points) ** 2).sum(1).mean())
    assert away < 0.2 * face_unit(known.points)


@pytest.mark.parametrize("degrees", [60, 90])
def test_a_face_that_is_tilted_far(
    runtime: OnnxRuntime, degrees: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = find_face(tilted(degrees), runtime.encode, "the picture")
    assert np.degrees(face.crop.roll) == pytest.approx(-degrees, abs=4)
    assert face.crop.centre == pytest.approx((240, 221), abs=8)
    monkeypatch.setattr(finding, "is_installed", lambda: False)
    with pytest.raises(InputError, match="no face"):
        find_face(tilted(degrees), runtime.encode, "the picture")


def test_it_stands_in_for_keypoints_that_know_no_face() -> None:
    def knows_nothing(crop: np.ndarray) -> Mapping[str, np.ndarray]:
        return {"points": np.zeros((1, 30, 2), np.float32), "confidence": np.zeros((1, 30))}

    face = find_face(tilted(20), knows_nothing, "the picture")
    assert face.found_by == "MediaPipe"
    assert np.degrees(face.crop.roll) == pytest.approx(-20, abs=4)
    assert face.crop.centre == pytest.approx((240, 221), abs=10)


def test_nothing_is_no_face() -> None:
    assert mesh_keypoints(np.full((240, 320, 3), 90, np.uint8)) == []
