"""Training pairs measured as clips are: a head that moves and smiles comes apart again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.models.training.data import Shards, served_path
from microface.models.training.served import as_served
from microface.models.training.stages import as_tensors
from microface.server.clips import pairs
from microface.server.clips.crop import NETWORK_PIXELS, Crop
from microface.server.clips.template import CROP_UNITS, template_points

from .test_clips_steady import moved_head, textured

#: The keypoints of an average face, as large as a crop shows it, in pixels.
POINTS = np.asarray(template_points())[:, :2] * NETWORK_PIXELS / CROP_UNITS + 127.5


def test_a_crop_s_flow_comes_back_to_its_picture() -> None:
    right = np.zeros((64, 64, 2), np.float32)
    right[..., 0] = 1.0
    same = pairs.on_picture(right, Crop((128, 128), 256), cv2.BORDER_CONSTANT)
    assert np.allclose(same, right, atol=1e-5)
    half = pairs.on_picture(right, Crop((128, 128), 128), cv2.BORDER_CONSTANT)
    assert np.allclose(half[20:44, 20:44], [0.5, 0], atol=1e-5)
    assert not half[:14].any()
    turned = pairs.on_picture(right, Crop((128, 128), 256, np.pi / 2), cv2.BORDER_REPLICATE)
    assert np.allclose(turned[20:44, 20:44], [0, 1], atol=1e-5)


def test_a_head_that_turns_and_smiles_comes_apart() -> None:
    neutral = textured()
    smile = np.zeros((256, 256, 2))
    smile[150:190, 90:130] = cv2.GaussianBlur(np.ones((40, 40)), (0, 0), 6)[..., None] * [
        -2.0,
        -1.0,
    ]
    smile = cv2.GaussianBlur(smile, (0, 0), 4)
    pose = np.array([0.02, -0.03, 0.0, 0.0, 2.0, -1.0])
    flow, head = pairs.measured_pair(neutral, moved_head(neutral, pose, smile), POINTS)
    true = smile.reshape(64, 4, 64, 4, 2).mean((1, 3))
    strong = np.hypot(*true.T).T > 0.5
    assert np.median(np.hypot(*(flow - true)[strong].T)) < 0.35
    assert np.allclose(np.median(head[20:44, 20:44], (0, 1)), [2.0, -1.0], atol=1.2)


def write_pair(folder: Path) -> Path:
    """A shard of one pair whose source does not move."""
    picture = textured()[None]
    path = folder / "pairs-00000.npz"
    np.savez(path, source_neutral=picture, source_frame=picture, source_points=POINTS[None])
    return path


def test_a_folder_without_pairs_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pairs"):
        pairs.measure_folder(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        pairs.measure_folder(tmp_path / "absent")


def test_several_processes_measure_what_one_does(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write_pair(folder).rename(folder / "pairs-00001.npz")
        write_pair(folder)
    assert pairs.measure_folder(tmp_path / "one") == 2
    assert pairs.measure_folder(tmp_path / "two", processes=2) == 2
    for path in sorted((tmp_path / "one").glob("pairs-*.npz")):
        with (
            np.load(served_path(path)) as ours,
            np.load(served_path(tmp_path / "two" / path.name)) as theirs,
        ):
            assert all(np.array_equal(ours[name], theirs[name]) for name in ours.files)


def test_a_folder_is_measured_once(tmp_path: Path) -> None:
    path = write_pair(tmp_path)
    with pytest.raises(InputError, match="has not been measured"):
        Shards(tmp_path).batch(np.array([0]), ("served_flow",))
    assert pairs.measure_folder(tmp_path) == 1 and served_path(path).exists()
    assert pairs.measure_folder(tmp_path) == 0
    batch = Shards(tmp_path).batch(
        np.array([0]), ("source_neutral", "source_frame", "served_flow", "served_head")
    )
    served = as_served(as_tensors(batch))
    assert float(served["measured_flow"].abs().max()) < 0.02
    assert float((served["source_frame"] - served["source_neutral"]).abs().max()) < 0.01
    assert not any(name.startswith("served") for name in served)
    assert not list(tmp_path.glob("*.part"))
