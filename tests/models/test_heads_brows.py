"""Brows: where their hair belongs, and how it hangs on the skin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from microface.models.heads.brows import bound_to, brow_heights
from microface.models.heads.keypoints import NAMES, keypoints_from_landmarks
from microface.models.heads.packs import load_makehuman


@given(st.floats(0, 2.5), st.floats(0.5, 1.5))
def test_hair_goes_up_to_where_the_skin_moves(rise: float, width: float) -> None:
    x, y = np.meshgrid(np.arange(-6, 6, 0.1), np.arange(-1, 6, 0.1))
    places = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3).astype(np.float32)
    marks = np.array([(side * a, 0.2, 0) for side in (-1, 1) for a in range(1, 6)], np.float32)
    # Motion that rises along `width` up to its full size at `rise` above the hair, and stays.
    motion = np.clip((places[:, 1] - 0.2 - rise) / width + 1, 0, 1)
    found = brow_heights(marks, places, motion)
    assert np.abs(found - max(rise - 0.1 * width, 0)).max() < 0.2


@given(st.integers(0, 10_000))
def test_what_is_bound_is_where_it_was_and_goes_along(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.normal(0, 3, (30, 3)).astype(np.float32)
    triangles = rng.permuted(np.tile(np.arange(30), (12, 1)), axis=1)[:, :3].astype(np.int32)
    places = rng.normal(0, 3, (7, 3)).astype(np.float32)
    index, weight, offset = bound_to(places, vertices, triangles)
    back = np.einsum("nc,nck->nk", weight, vertices[index]) + offset
    assert np.abs(back - places).max() < 1e-3
    shift = np.float32([0.3, -0.2, 0.1])
    moved = np.einsum("nc,nck->nk", weight, (vertices + shift)[index]) + offset
    assert np.abs(moved - places - shift).max() < 1e-3


def test_brows_of_a_mesh_lie_a_finger_above_the_lids_and_move_with_the_skin(shared: Path) -> None:
    family = load_makehuman(shared / "heads")
    for identity in range(3):
        head = family.sample(identity)
        marks = keypoints_from_landmarks(head.rest[head.landmarks])
        brow, lid = (marks[NAMES.index(name)] for name in ("brow_middle_left", "lid_upper_left"))
        assert 0.9 < brow[1] - lid[1] < 2.2
        down = head.index["browDownLeft"]
        moved = np.linalg.norm(head.deltas[down], axis=1)
        skin = moved[head.soft & (head.rest[:, 2] > 0)].max()
        assert moved[head.landmarks[23]] > 0.6 * skin
