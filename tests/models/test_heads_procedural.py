"""The built-in head as a family, and what varies on faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from microface.head.head import Head, build_head
from microface.head.identity import IDENTITIES
from microface.models.heads import spectacles
from microface.models.heads.families import TEST_IDENTITIES_FROM
from microface.models.heads.makeup import face_tint, laid_over
from microface.models.heads.procedural import (
    TEST_MEMBERS,
    TRAINING_MEMBERS,
    ProceduralFamily,
    left_share,
    read_head,
    render_head,
    with_sides,
    write_head,
)
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(IDENTITIES["lars"], 64)


def test_sides_of_a_shape_add_up_to_it(head: Head) -> None:
    names, shapes = with_sides(head.shape_names, head.shapes, head.vertices)
    for name in ("browInnerUp", "cheekPuff"):
        whole = head.shapes[head.shape_names.index(name)]
        left = shapes[names.index(name + "Left")]
        right = shapes[names.index(name + "Right")]
        assert np.abs(left + right - whole).max() < 1e-6
        far_right = head.vertices[:, 0] < -1.2
        assert np.abs(left[far_right]).max() == 0
    assert left_share(np.zeros(1, np.float32))[0] == pytest.approx(0.5)


def test_render_head_is_one_mesh_with_canonical_amplitudes(head: Head) -> None:
    ready = render_head(head)
    assert ready.triangles.max() < len(ready.rest)
    assert ready.uv_triangles.max() < len(ready.uv)
    assert len(ready.triangles) == len(ready.uv_triangles) == len(ready.surface)
    assert np.all((ready.openness > 0) & (ready.openness <= 1))
    assert np.all((ready.gains >= 0.5) & (ready.gains <= 2))
    # The inside of the mouth sees less of the surroundings than the tip of the nose.
    mouth = np.unique(ready.triangles[ready.surface == head.material_names.index("mouth")])
    assert ready.openness[mouth].mean() < 0.6 * ready.openness[ready.landmarks[30]]


def test_kept_head_comes_back_bit_by_bit(head: Head, tmp_path: Path) -> None:
    write_head(tmp_path / "h.npz", head)
    again = read_head(tmp_path / "h.npz")
    for name, value in vars(head).items():
        other = getattr(again, name)
        same = np.array_equal(value, other) if isinstance(value, np.ndarray) else value == other
        assert same, name
    assert [p.name for p in tmp_path.iterdir()] == ["h.npz"]


def test_pool_is_split_between_training_and_tests(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = ProceduralFamily()
    ready = render_head(head)
    asked: list[int] = []

    def member(number: int) -> object:
        asked.append(number)
        return ready

    monkeypatch.setattr(family, "_member", member)
    for number in range(40):
        one = family.sample(number)
        assert np.array_equal(one.rest, family.sample(number).rest)
    assert set(asked) <= set(range(TRAINING_MEMBERS))
    asked.clear()
    for number in range(20):
        family.sample(TEST_IDENTITIES_FROM + number)
    assert set(asked) <= set(range(TRAINING_MEMBERS, TRAINING_MEMBERS + TEST_MEMBERS))


def _landmarks(head: Head) -> NDArray[np.float32]:
    return head.vertices[head.landmarks]


def test_tint_keeps_to_the_face_and_to_positive_factors(head: Head) -> None:
    bearded = 0
    for seed in range(40):
        tint = face_tint(np.random.default_rng(seed), head.vertices, _landmarks(head))
        assert tint.shape == head.vertices.shape
        assert tint.min() > 0 and tint.max() < 1.15
        # The top of the head stays as it is.
        assert np.abs(tint[head.vertices[:, 1] > 8] - 1).max() < 0.02
        bearded += bool(tint[head.landmarks[8]].max() < 0.85)
    assert 2 <= bearded <= 20


def test_spectacles_lie_over_the_eyes(head: Head) -> None:
    side = 512
    marks = _landmarks(head)[:, :2] * [24, -24] + side / 2
    cover = spectacles.oval(np.random.default_rng(0), marks.astype(np.float32), side)
    assert cover.shape == (side, side, 4)
    assert np.all(cover[..., :3] <= cover[..., 3:] + 1e-6)
    rows, columns = np.nonzero(cover[..., 3] > 0.8)
    assert len(rows) > 20
    eyes = marks[36:48]
    assert columns.min() < eyes[:, 0].min() and columns.max() > eyes[:, 0].max()
    assert abs(rows.mean() - eyes[:, 1].mean()) < 48
    light = np.ones((side, side, 4), np.float32)
    worn = laid_over(light, cover)
    assert worn[..., 3] == pytest.approx(np.ones((side, side)))
    assert laid_over(light, None) is light
