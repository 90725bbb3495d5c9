"""Built-in clips: their truth, their pictures, their cache."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.head.head import build_head
from microface.head.identity import IDENTITIES
from microface.models.heads.keypoints import NAMES
from microface.models.heads.procedural import render_head
from microface.models.heads.scene import Camera, crop_of, rotation
from microface.server.clips import builtin
from microface.server.clips.builtin import RECIPES, builtin_clip, is_builtin
from microface.server.clips.clip import Clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def smile(folder: Path) -> Clip:
    return builtin_clip("builtin:lip-corner-left", cache=folder)


def test_every_wanted_unit_is_there_and_none_is_played_by_the_demos_character() -> None:
    units = {r.unit for r in RECIPES.values()}
    assert units == {"AU4", "AU12", "AU1", "AU7", "AU9", "AU17"}
    assert all(r.identity != "ada" for r in RECIPES.values())


def test_truth_is_a_micro_expression() -> None:
    for recipe in RECIPES.values():
        curve = recipe.curve
        assert 0.17 <= curve.offset - curve.onset <= 0.5
        assert curve.apex - curve.onset <= 0.26
        for course in recipe.weights().values():
            assert course.argmax() == round(curve.apex * 100)
            assert np.all(course[: round(curve.onset * 100) + 1] == 0)
            assert np.all(course[round(curve.offset * 100) + 1 :] == 0)
            assert 0.05 < course.max() <= 0.4


@pytest.mark.slow
def test_motion_is_of_a_micro_expressions_size() -> None:
    from microface.models.heads.keypoints import keypoints_from_landmarks

    for recipe in RECIPES.values():
        head = render_head(build_head(IDENTITIES[recipe.identity], 64))
        plain = Camera(rotation(0, 0), 120.0, np.eye(2, 3, dtype=np.float32))
        marks = plain.plane(head.rest[head.landmarks])[:, :2]
        camera = Camera(plain.rotation, 120.0, crop_of(keypoints_from_landmarks(marks)))
        acted = head.rest.copy()
        for name, weight in recipe.apex_weights.items():
            acted += np.float32(weight) * head.deltas[head.index[name]]
        step = camera.project(acted, 256) - camera.project(head.rest, 256)
        assert 0.7 < np.linalg.norm(step[:, :2], axis=1).max() < 2.7, recipe.unit


def test_clip_is_what_it_says(smile: Clip) -> None:
    assert smile.name == "builtin:lip-corner-left"
    assert len(smile) == 50 and smile.size == (320, 320)
    assert smile.fps == 100
    assert np.allclose(np.diff(smile.times), 0.01)
    assert set(smile.truth) == {"mouthSmileLeft"}
    assert smile.truth["mouthSmileLeft"].shape == (50,)
    assert len(smile.sha256) == 64


def test_pictures_differ_from_the_first_most_at_the_apex(smile: Clip) -> None:
    first = cv2.GaussianBlur(smile.frames[0], (0, 0), 2).astype(float)
    change = [np.abs(cv2.GaussianBlur(f, (0, 0), 2) - first).mean() for f in smile.frames]
    apex = int(np.argmax(smile.truth["mouthSmileLeft"]))
    assert abs(int(np.argmax(change)) - apex) <= 2
    assert change[apex] > 1.25 * max(change[:8])
    # Before the onset and after the offset there is nothing but noise.
    assert max(change[45:]) < 1.1 * max(change[1:8])


def test_only_the_subjects_left_moves(smile: Clip) -> None:
    first = cv2.GaussianBlur(smile.frames[0], (0, 0), 2).astype(float)
    apex = cv2.GaussianBlur(smile.frames[25], (0, 0), 2)
    change = np.abs(apex - first).sum(2)[150:280]
    left, right = change[:, 175:].max(), change[:, :140].max()
    assert left > 4 * right
    assert NAMES.index("lip_corner_left") != NAMES.index("lip_corner_right")


def test_kept_clip_is_the_same_and_made_once(
    smile: Clip, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(recipe: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(builtin, "render", refuse)
    again = builtin_clip("lip-corner-left", cache=folder)
    assert again.sha256 == smile.sha256
    assert [p.suffix for p in folder.iterdir()] == [".npz"]


def test_damaged_and_unwritable_caches_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    frames = np.zeros((50, 320, 320, 3), np.uint8)

    def draw(recipe: builtin.Recipe) -> np.ndarray[object, np.dtype[np.uint8]]:
        made.append(recipe.unit)
        return frames

    monkeypatch.setattr(builtin, "render", draw)
    builtin_clip("brow-lower", cache=tmp_path)
    kept = next(tmp_path.iterdir())
    kept.write_bytes(kept.read_bytes()[:100])
    builtin_clip("brow-lower", cache=tmp_path)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    builtin_clip("brow-lower", cache=blocked / "folder")
    assert made == ["AU4"] * 3


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert builtin.cache_folder() == Path("/somewhere/microface/clips")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert builtin.cache_folder() == Path("/local/microface/clips")


def test_unknown_name_is_refused_with_the_choice() -> None:
    assert is_builtin("builtin:frown") and not is_builtin("frown.mp4")
    with pytest.raises(InputError, match="brow-lower"):
        builtin_clip("builtin:frown")
