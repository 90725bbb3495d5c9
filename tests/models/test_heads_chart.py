"""The chart of the face: what means the same lies at the same place, and nothing folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from microface.models.heads.chart import REFERENCE, to_chart
from microface.models.heads.packs import load_ict, load_makehuman
from microface.models.heads.pairs import Pair, sample_pair


def test_landmarks_lie_where_the_reference_has_them() -> None:
    rng = np.random.default_rng(3)
    marks = (REFERENCE * [1.1, 0.9, 1.0] + rng.normal(0, 0.2, (68, 3))).astype(np.float32)
    found = to_chart(marks, marks)
    assert np.abs(found - REFERENCE).max() < 0.2


def test_an_affine_change_of_the_head_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(0, 5, (200, 3)).astype(np.float32)
    reference = REFERENCE.astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32) * 2.5
    plain = to_chart(points, reference)
    moved = to_chart(points @ turn + 7, reference @ turn + 7)
    assert np.abs(plain - moved).max() < 2e-3
    assert np.abs(plain - points).max() < 2e-3


def test_the_reference_is_its_own_mirror() -> None:
    mirrored = sorted(map(tuple, REFERENCE * [-1, 1, 1] + 0.0))
    assert np.allclose(mirrored, sorted(map(tuple, REFERENCE + 0.0)))


def _carried(pair: Pair) -> float:
    """Mean distance in cells between the character's keypoints, looked up on the source by chart,
    and the source's own."""
    source, character = (
        np.asarray(getattr(pair, f"{side}_chart"), np.float32) for side in ("source", "character")
    )
    on_head = source[..., 3] > 0.95
    rows = np.argwhere(on_head)
    places = source[on_head][:, :3]
    errors = []
    for index in (14, 15, 17, 19, 20, 23, 24):
        x, y = pair.character_points[index] / 4 - 0.5
        seen = character[round(float(y)), round(float(x))]
        nearest = rows[np.argmin(((places - seen[:3]) ** 2).sum(1))]
        errors.append(np.hypot(*(nearest[::-1] - (pair.source_points[index] / 4 - 0.5))))
    return float(np.median(errors))


@pytest.mark.parametrize("direction", [(0, 1), (1, 0), (0, 0)])
def test_a_keypoint_of_one_head_is_found_on_another(
    direction: tuple[int, int], shared: Path
) -> None:
    families = [load_ict(shared / "heads"), load_makehuman(shared / "heads")]
    pair = sample_pair(np.random.default_rng(8), [families[i] for i in direction], "test")
    assert _carried(pair) < 1.5
