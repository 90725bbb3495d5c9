"""The movements that a repertoire begins with are those of the training's expressions."""

from __future__ import annotations

import numpy as np
import torch
from microface.models.eam.repertoire import SIDE
from microface.models.training.movements import halves, mean_face, principal, spread


def test_principal_movements_explain_what_they_were_made_of() -> None:
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, 2 * 10 * 10))
    rows = rng.normal(size=(40, 3)) * [3.0, 1.0, 0.3] @ basis
    found, sizes = principal(rows.reshape(40, 2, 10, 10), 8)
    assert len(found) == len(sizes) == 3
    assert sizes[0] == 1 and (np.diff(sizes) < 0).all()
    np.testing.assert_allclose((found**2).mean((1, 2, 3)), 1, rtol=1e-4)
    flat = found.reshape(3, -1).T
    rest = rows - (flat @ np.linalg.lstsq(flat, rows.T, rcond=None)[0]).T
    assert np.abs(rest).max() < 1e-3 * np.abs(rows).max()


def test_each_side_of_a_movement_stands_by_itself() -> None:
    whole = np.random.default_rng(1).normal(size=(3, 2, SIDE, SIDE))
    parts = halves(whole)
    left, right = parts[:3], parts[3:]
    np.testing.assert_allclose(left + right, whole)
    middle = SIDE // 2
    assert (left[..., middle + 8 :] ** 2).mean() < 0.01
    assert (right[..., : middle - 8] ** 2).mean() < 0.01


def test_displacements_are_laid_at_their_places() -> None:
    middle = np.full((1, 1, 2), SIDE / 2 - 0.5, np.float32)
    laid = spread(np.array([[[3.0, -1.0]]]), np.ones((1, 1)), middle)
    side = len(laid)
    np.testing.assert_allclose(laid[side // 2, side // 2], [3.0, -1.0])
    assert not laid[:4].any()


def test_the_mean_face_has_two_like_halves() -> None:
    from microface.models.heads.keypoints import MIRROR

    points = np.random.default_rng(0).uniform(60, 200, (5, 30, 2)).astype(np.float32)
    face = mean_face(torch.from_numpy(points))
    other = face[list(MIRROR)] * torch.tensor([-1.0, 1.0])
    assert torch.allclose(face, other, atol=1e-6)
