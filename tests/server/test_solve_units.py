"""The solve goes by which action units the source shows."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.clips.basis import CELLS, basis
from microface.server.clips.crop import Crop
from microface.server.engine.solve_moves import by_motion
from microface.server.engine.solve_rig import read_rig
from microface.server.engine.solve_units import (
    BY_MOTION,
    BY_NAME,
    MAY_COME_ALONG,
    MISSING,
    STANDING_IN,
)

from .solve_faces import error, event, face, made, motion_of, solve


def test_units_that_the_source_shows_are_expected_and_others_are_dearer() -> None:
    names = ["mouthSmileLeft", "browDownLeft", "eyeSquintLeft", "eyeBlinkLeft", "smile", "nose"]
    hessian, bounds = np.eye(6), np.tile([0.0, 1.0], (6, 1))
    plain = read_rig(names, hessian, bounds)

    def told(*units: tuple[int, float]) -> tuple[list[float], dict[frozenset[int], float]]:
        rig = read_rig(names, hessian, bounds, units=np.reshape(units, (-1, 2)))
        return (rig.cost - plain.cost).tolist(), dict(rig.expected)

    # A blink may come in any clip, and of an unknown name nothing is told.
    # Narrowed eyes often come with a smile, frowns with a pushed chin.
    dear, along = BY_MOTION, MAY_COME_ALONG
    assert told((12, 1.0)) == ([0, dear, along, 0, 0, 0], {frozenset({0, 4}): MISSING})
    # Cheeks narrow the eye too; what is half sure tells half as much.
    half = along / 2
    assert told((6, 0.5)) == ([half, dear / 2, 0, 0, half, 0], {frozenset({2}): MISSING / 2})
    assert told((17, 1.0)) == ([dear, dear, dear, 0, dear, 0], {})
    # What the source may show after all is neither dear nor expected.
    may = ([0, dear / 2, 0, 0, 0, 0], {frozenset({0, 4}): MISSING / 2})
    assert told((12, 0.5), (6, 0.0)) == may
    assert told() == ([0] * 6, {}) and plain.expected == ()


def test_a_key_stands_in_for_a_unit_at_a_cost_where_another_makes_it() -> None:
    def told(names: list[str], unit: int) -> tuple[list[float], dict[frozenset[int], float]]:
        count = len(names)
        hessian, bounds = np.eye(count), np.tile([0.0, 1.0], (count, 1))
        plain = read_rig(names, hessian, bounds)
        rig = read_rig(names, hessian, bounds, units=np.array([[unit, 1.0]]))
        return (rig.cost - plain.cost).tolist(), dict(rig.expected)

    lips = ["mouthPressLeft", "mouthRollUpper", "mouthDimpleLeft"]
    assert told(lips, 24) == ([0, STANDING_IN, STANDING_IN], {frozenset({0, 1, 2}): MISSING})
    # What nothing makes is as well made by what stands in.
    assert told(lips[1:], 24) == ([0, 0], {frozenset({0, 1}): MISSING})
    assert told(lips, 14) == ([STANDING_IN, BY_MOTION, 0], {frozenset({0, 2}): MISSING})


def test_names_of_a_whole_rig_are_believed_more_than_motion() -> None:
    names = [f"{key}{side}" for key in (
        "mouthSmile", "browDown", "eyeSquint", "eyeBlink", "noseSneer", "mouthFrown"
    ) for side in ("Left", "Right")]  # fmt: skip
    hessian, bounds = np.eye(12), np.tile([0.0, 1.0], (12, 1))
    rig = read_rig(names, hessian, bounds, units=np.array([[12, 1.0]]))
    cost = dict(zip(names, rig.cost - read_rig(names, hessian, bounds).cost, strict=True))
    assert cost["browDownLeft"] == BY_NAME and cost["mouthFrownLeft"] == MAY_COME_ALONG
    assert cost["mouthSmileLeft"] == cost["eyeBlinkRight"] == 0
    assert rig.expected == ((frozenset({0, 1}), MISSING),)


def test_of_keys_that_look_alike_that_of_the_sources_unit_moves() -> None:
    """A motion between a smile's and a dimple's, as a network may show it on another face."""
    positions, jacobian, names = face()
    smile = [names.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    dimple = jacobian[..., smile] * np.array([[1.0], [0.7]])
    keys = [*names, "mouthDimpleLeft", "mouthDimpleRight"]
    both = np.concatenate([jacobian, dimple], -1)
    motion = (jacobian[..., smile] + dimple).sum(-1) / 2 * event(0.3)[:, None, None]
    motion += np.random.default_rng(7).normal(0, 0.03, motion.shape)
    frown = {"mouthFrownLeft", "mouthFrownRight"}
    # A frown often comes with a smile, and costs little there: a trace of it is fitted.
    for unit, named, trace in ((12, "mouthSmile", frown), (14, "mouthDimple", set[str]())):
        result = solve(
            positions, both, motion, names=keys, units=np.array([[unit, 1.0]], np.float64)
        )
        peaks = dict(zip(keys, result.weights.max(0), strict=True))
        moving = {key for key, peak in peaks.items() if peak}
        assert moving - trace == {f"{named}Left", f"{named}Right"}, unit
        assert max((peaks[key] for key in trace), default=0) < 0.04


@pytest.mark.parametrize("brow", [0.0, 0.03])
def test_a_unit_that_is_told_moves_as_far_as_it_is_seen_to(brow: float) -> None:
    """The source lowers its brows: on the face they were muted, or come through faintly."""
    positions, jacobian, names = face()
    true = made(
        names, mouthSmileLeft=0.3, mouthSmileRight=0.3, browDownLeft=brow, browDownRight=brow
    )
    told = np.array([[12, 1.0], [4, 1.0]])
    result = solve(positions, jacobian, motion_of(jacobian, true), names=names, units=told)
    assert (result.weights.any(0) == true.any(0)).all()
    assert error(result.weights, true) < 0.002


def test_keys_are_told_by_what_they_move() -> None:
    """The fields of the units themselves as keys, in a face that lies small and turned."""
    known = basis()
    keys = [k for k, unit in enumerate(known.units) if unit not in (0, 45)]
    crop = Crop((300.0, 200.0), 120.0, 0.4)
    rows, columns = np.mgrid[4:60:2, 4:60:2].reshape(2, -1)
    affine = crop.affine(CELLS)
    turn = affine[:, :2]
    positions = np.stack([columns, rows], -1) @ turn.T + affine[:, 2]
    jacobian = np.einsum("ij,kvj->vik", turn, known.fields[keys][:, rows, columns])
    still = np.zeros((*jacobian.shape[:2], 1))
    moves = by_motion(np.concatenate([jacobian, still], -1), positions, crop)
    assert all(known.units[k] in one.makes for k, one in zip(keys, moves, strict=False))
    assert sum(len(one.makes) == 1 for one in moves) > 0.6 * len(keys)
    assert moves[-1].makes == frozenset()


@pytest.mark.parametrize("count", [1, 3, 40])
def test_places_that_span_no_face_are_told_by_likeness_alone(count: int) -> None:
    line = np.linspace(100, 150, count)[:, None] * [1.0, 1.0]
    moves = by_motion(np.ones((count, 2, 3)), line, Crop((128.0, 128.0), 256.0))
    assert len(moves) == 3 and len(set(moves)) == 1


def test_unnamed_keys_of_units_that_the_source_does_not_show_are_dearer() -> None:
    known = basis()
    smile, brows = (known.names.index(f"{unit} left") for unit in ("AU12", "AU4"))
    crop = Crop((128.0, 128.0), 256.0)
    rows, columns = np.mgrid[0:64:2, 0:64:2].reshape(2, -1)
    positions = np.stack([columns, rows], -1) * 4 + 1.5
    jacobian = known.fields[[smile, brows]][:, rows, columns].transpose(1, 2, 0)
    bounds, units = np.tile([0.0, 1.0], (2, 1)), np.array([[12, 1.0]])
    rig = read_rig(["k0", "k1"], np.eye(2), bounds, jacobian, positions, units, crop)
    assert rig.cost.tolist() == [0, BY_MOTION] and rig.expected == ((frozenset({0}), MISSING),)
    plain = read_rig(["k0", "k1"], np.eye(2), bounds, jacobian, positions, units)
    assert not plain.cost.any() and plain.expected == ()
