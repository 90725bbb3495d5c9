"""The chart of the face: what means the same lies at the same place, and nothing folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from microface.models.heads.chart import REFERENCE, to_chart
from microface.models.heads.expressions import expression_weights
from microface.models.heads.families import HeadModel, RenderHead
from microface.models.heads.packs import load_ict, load_makehuman
from microface.models.heads.pairs import Pair, sample_pair
from microface.models.heads.procedural import ProceduralFamily
from numpy.typing import NDArray


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


#: Heights, centimetres, at which the motion of brows is compared.
HEIGHTS = np.arange(1.0, 4.01, 0.5)


def _motion_by_height(head: RenderHead, unit: str) -> NDArray[np.float64]:
    """Mean displacement of the left brow's skin at `HEIGHTS` of the chart, of its largest."""
    moved = np.linalg.norm(head.posed(expression_weights(unit, 1, 0)) - head.rest, axis=1)
    x, y, z = head.chart.T
    band = head.soft & (z > -1) & (x > 1) & (x < 3)
    means = [moved[band & (np.abs(y - height) < 0.25)].mean() for height in HEIGHTS]
    return np.array(means) / max(means)


@pytest.fixture(scope="module")
def families(shared: Path) -> tuple[HeadModel, ...]:
    """The packs' families and the built-in head's."""
    packs = shared / "heads"
    return load_ict(packs), load_makehuman(packs), ProceduralFamily()


@pytest.mark.parametrize("unit", ["AU1", "AU4"])
def test_brows_of_all_families_move_at_the_same_height_of_the_chart(
    unit: str, families: tuple[HeadModel, ...]
) -> None:
    profiles = [
        np.mean([_motion_by_height(f.sample(1000 + 37 * i), unit) for i in range(3)], axis=0)
        for f in families
    ]
    for profile in profiles:
        on_hair = profile[HEIGHTS == 2.5][0]
        assert on_hair > 0.9 and profile[0] < 0.4
    assert np.abs(profiles[0] - profiles[1])[HEIGHTS < 3.2].max() < 0.25
    assert np.abs(profiles[0] - profiles[2])[HEIGHTS < 3.2].max() < 0.35


@pytest.mark.parametrize("which", [0, 1])
def test_the_hair_of_a_brow_has_one_height_on_the_chart(
    which: int, families: tuple[HeadModel, ...]
) -> None:
    for identity in range(4):
        head = families[which].sample(identity)
        found = head.chart[head.landmarks[17:27]]
        assert np.abs(found - REFERENCE[17:27])[:, 1].max() < 0.2
