"""The solve on rigs that nobody prepared: any size, scale, sign, order, copies, sums, sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.engine.solve_rig import read_rig
from microface.server.engine.solve_select import Selection, inexpressible
from microface.server.engine.solve_space import likely_errors

from .solve_faces import FRAMES, TIMES, error, event, face, made, motion_of, solve


@pytest.mark.parametrize("named", [True, False])
def test_a_face_is_solved_with_names_known_and_unknown(named: bool) -> None:
    positions, jacobian, names = face()
    true = made(names, mouthSmileLeft=0.3, mouthSmileRight=0.25, cheekSquintLeft=0.15)
    told = {"names": names} if named else {}
    result = solve(positions, jacobian, motion_of(jacobian, true), **told)
    assert error(result.weights, true) < 0.01
    assert not result.weights[:, ~true.any(0)].any()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_keys_does_not_matter(seed: int) -> None:
    positions, jacobian, names = face(300)
    true = made(names, mouthSmileLeft=0.3, browDownLeft=0.2, browDownRight=0.2)
    motion = motion_of(jacobian, true)
    order = np.random.default_rng(seed).permutation(len(names))
    one = solve(positions, jacobian, motion, names=names).weights
    other = solve(positions, jacobian[..., order], motion, names=[names[i] for i in order]).weights
    np.testing.assert_allclose(other, one[:, order], atol=2e-3)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.01, 100), st.floats(0.25, 8))
def test_units_do_not_matter(unit: float, pixels: float) -> None:
    positions, jacobian, names = face(300)
    true = made(names, noseSneerLeft=0.3, noseSneerRight=0.3)
    motion = motion_of(jacobian, true)
    one = solve(positions, jacobian, motion).weights
    # Keys in other units, and a picture of another resolution.
    bounds = np.tile([0.0, unit], (len(names), 1))
    other = solve(
        positions * pixels, jacobian * (pixels / unit), motion * pixels, bounds=bounds
    ).weights
    np.testing.assert_allclose(other / unit, one, atol=6e-3)


@pytest.mark.parametrize("fps", [30, 60, 200])
def test_frame_rates_do_not_matter(fps: int) -> None:
    positions, jacobian, names = face(300)
    times = np.arange(round(0.4 * fps)) / fps
    weights = np.zeros((len(times), len(names)))
    for name in ("mouthFrownLeft", "mouthFrownRight"):
        weights[:, names.index(name)] = 0.3 * np.exp(-(((times - 0.2) / 0.06) ** 2))
    result = solve(positions, jacobian, motion_of(jacobian, weights), times=times)
    assert error(result.weights, weights) < 0.01
    assert result.weights.max() == pytest.approx(weights.max(), rel=0.06)


def test_a_key_for_both_sides_stands_back_for_its_sides() -> None:
    positions, jacobian, names = face()
    left, right = names.index("mouthSmileLeft"), names.index("mouthSmileRight")
    both = jacobian[..., left] + jacobian[..., right]
    jacobian = np.concatenate([both[..., None], jacobian], -1)
    names = ["smile", *names]
    true = made(names, mouthSmileLeft=0.3, mouthSmileRight=0.3)
    for told in (names, [f"key_{k}" for k in range(len(names))]):
        found = solve(positions, jacobian, motion_of(jacobian, true), names=told).weights
        assert not found[:, 0].any()
        assert error(found, true) < 0.01
    # Alone it is used.
    kept = [0, *(k for k in range(len(names)) if k not in (left + 1, right + 1))]
    found = solve(positions, jacobian[..., kept], motion_of(jacobian, true)).weights
    assert found[:, 0].max() == pytest.approx(0.3, abs=0.02)


def test_of_copies_always_the_same_one_moves() -> None:
    positions, jacobian, names = face(300)
    half = 0.5 * jacobian[..., names.index("mouthSmileLeft")]
    jacobian = np.concatenate([half[..., None], jacobian, half[..., None]], -1)
    names = ["smile_half_L", *names, "smile_half_again_L"]
    true = made(names, mouthSmileLeft=0.3)
    for seed in range(4):
        noise = np.random.default_rng(seed).normal(0, 0.03, (FRAMES, len(positions), 2))
        motion = motion_of(jacobian, true, 0) + noise
        found = solve(positions, jacobian, motion, names=names).weights
        assert set(np.flatnonzero(found.any(0))) == {names.index("mouthSmileLeft")}


def test_of_copies_the_expression_that_is_seen_more_often_moves() -> None:
    """Rigs that are made for fewer expressions than they have names for repeat them: a smile under
    the name of the dimple, too."""
    positions, jacobian, names = face(300)
    sides = [names.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    jacobian = np.concatenate([jacobian[..., sides], jacobian], -1)
    names = ["mouthDimpleLeft", "mouthDimpleRight", *names]
    true = made(names, mouthSmileLeft=0.3)
    found = solve(positions, jacobian, motion_of(jacobian, true), names=names).weights
    assert set(np.flatnonzero(found.any(0))) == {names.index("mouthSmileLeft")}
    assert error(found, true) < 0.01


def test_negative_ranges_are_used() -> None:
    positions, jacobian, names = face(300)
    bounds = np.tile([-1.0, 1.0], (len(names), 1))
    bounds[names.index("browDownRight")] = (-1.0, 0.0)
    true = made(names, browDownLeft=-0.3, browDownRight=-0.3)
    found = solve(positions, jacobian, motion_of(jacobian, true), bounds=bounds).weights
    assert error(found, true) < 0.01


def test_a_small_disturbance_changes_little() -> None:
    positions, jacobian, names = face()
    true = made(names, mouthSmileLeft=0.25, mouthSmileRight=0.25)
    # Motion that no key makes, as a network's is: smooth, and a tenth of the expression.
    motion = motion_of(jacobian, true)
    motion += (0.15 * event(1))[:, None, None] * np.sin(positions[:, ::-1] / 20)
    one = solve(positions, jacobian, motion, names=names).weights
    for seed in range(5):
        ways = np.random.default_rng(seed).normal(0, 0.03, (2, 2))
        ripple = np.sin(positions / 17) @ ways
        shaken = motion + np.sin(TIMES * 15 + seed)[:, None, None] * ripple
        other = solve(positions, jacobian, shaken, names=names).weights
        assert np.abs(other - one).max() < 0.02


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 300), st.integers(1, 12), st.integers(0, 99))
def test_any_rig_is_answered_within_bounds(keys: int, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0, 200, (60, 2))
    jacobian = rng.normal(0, 3, (60, 2, keys)) * (rng.random((60, 1, keys)) < 0.3)
    jacobian[..., rng.random(keys) < 0.2] = 0
    low, high = -rng.random(keys) * (rng.random(keys) < 0.3), rng.random(keys)
    motion = rng.normal(0, 1, (frames, 60, 2)) * np.hanning(frames + 2)[1:-1, None, None]
    result = solve(
        positions, jacobian, motion, bounds=np.stack([low, high], 1), times=TIMES[:frames]
    )
    assert np.isfinite(result.weights).all()
    assert (result.weights >= low - 1e-6).all() and (result.weights <= high + 1e-6).all()
    still = ~jacobian.any((0, 1))
    assert not result.weights[:, still].any()
    assert ((result.explained >= 0) & (result.explained <= 1)).all()


def test_faint_company_that_is_unusual_takes_clean_motion_to_be_believed() -> None:
    positions, jacobian, names = face()
    true = made(
        names, browDownLeft=0.3, browDownRight=0.3, mouthUpperUpLeft=0.1, mouthUpperUpRight=0.1
    )
    clean = motion_of(jacobian, true)
    assert error(solve(positions, jacobian, clean, names=names).weights, true) < 0.01
    wrong = clean + (0.25 * event(1))[:, None, None] * np.sin(positions[:, ::-1] / 14)
    found = solve(positions, jacobian, wrong, names=names).weights
    assert {names[k] for k in np.flatnonzero(found.any(0))} == {"browDownLeft", "browDownRight"}


def test_a_trace_on_the_other_side_is_none() -> None:
    positions, jacobian, names = face()
    true = made(names, mouthSmileLeft=0.3)
    trace = made(names, mouthSmileLeft=0.3, mouthSmileRight=0.02)
    wave = (0.1 * event(1))[:, None, None] * np.sin(positions[:, ::-1] / 14)
    found = solve(positions, jacobian, motion_of(jacobian, trace) + wave, names=names).weights
    assert not found[:, ~true.any(0)].any()


def test_what_no_key_can_say_is_told_by_frame_and_place() -> None:
    positions, jacobian, names = face()
    true = made(names, browDownLeft=0.3, browDownRight=0.3)
    odd = np.linalg.norm(positions - (128, 190), axis=1) < 12  # below every key's reach
    motion = motion_of(jacobian, true, 0)
    motion[:, odd] += (0.8 * event(1))[:, None, None] * (1, 0)
    result = solve(positions, jacobian, motion, names=names)
    assert error(result.weights, true) < 0.01
    expected = 0.8 * np.sqrt((event(1) ** 2).mean())
    np.testing.assert_allclose(result.unexplained[odd], expected, rtol=0.2)
    assert result.unexplained[~odd].max() < 0.2 * expected
    apex = int(np.argmax(event(1)))
    assert 0.5 < result.explained[apex] < 0.99


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """Return what a camera sees (..., 2) of points (..., 3) turned about the vertical."""
    angle = np.radians(degrees)
    across = np.cos(angle) * points[..., 0] + np.sin(angle) * points[..., 2]
    return np.stack([across, points[..., 1]], -1)


def test_a_second_view_tells_depth_from_width() -> None:
    rng = np.random.default_rng(3)
    flat = rng.uniform(-80, 80, (600, 2))
    depth = 60 * np.sqrt(np.clip(1 - (flat**2).sum(1) / 100**2, 0.05, 1))
    points = np.column_stack([flat, depth])
    keys = {}
    for side, sign in (("Left", 1), ("Right", -1)):
        near = np.exp(-(((flat - (sign * 26, 40)) / 14) ** 2).sum(1) / 2)[:, None]
        # The lip corner pulled back, or pushed forward: from the front both just go outwards.
        keys["mouthDimple" + side] = near * (sign * 5.0, 0.6, -6.0)
        keys["mouthStretch" + side] = near * (sign * 5.0, 0.6, 6.0)
    moves = np.stack(list(keys.values()), -1)
    names = list(keys)

    def seen(degrees: float) -> tuple[np.ndarray, np.ndarray]:
        jacobian = np.stack([turned(moves[..., k], degrees) for k in range(len(names))], -1)
        return turned(points, degrees) + 128, jacobian

    front, side = seen(0), seen(35)
    places, jacobian = (np.concatenate([a, b]) for a, b in zip(front, side, strict=True))
    wrong = 0
    for true in (
        made(names, mouthDimpleLeft=0.3, mouthDimpleRight=0.3),
        made(names, mouthStretchLeft=0.3, mouthStretchRight=0.3),
        made(names, mouthStretchLeft=0.3),
    ):
        motion = motion_of(jacobian, true, 0.1)
        both = solve(places, jacobian, motion, names=names, views=(600, 600)).weights
        assert error(both, true) < 0.01
        assert not both[:, ~true.any(0)].any()
        wrong += error(solve(*front, motion[:, :600], names=names).weights, true) > 0.05
    assert wrong == 2  # one view cannot but say the same of both


def test_each_view_has_a_head_motion_of_its_own() -> None:
    positions, jacobian, names = face(300)
    true = made(names, mouthSmileLeft=0.3)
    motion = motion_of(jacobian, true)
    count = len(positions)
    sway = np.sin(TIMES * 9)[:, None, None]
    motion = np.concatenate([motion + sway * (0.5, 0), motion - sway * (0.5, 0.3)], 1)
    result = solve(
        np.concatenate([positions] * 2), np.concatenate([jacobian] * 2), motion, views=(count,) * 2
    )
    assert error(result.weights, true) < 0.01
    assert result.rigid.shape == (FRAMES, 8)
    assert result.rigid[:, 0] @ result.rigid[:, 4] < 0


def test_sides_are_found_without_names() -> None:
    positions, jacobian, names = face()
    order = np.random.default_rng(5).permutation(len(names))
    mixed = jacobian[..., order]
    flat = mixed.reshape(-1, len(names))
    bounds = np.tile([0.0, 1.0], (len(names), 1))
    rig = read_rig([f"k{i}" for i in order], flat.T @ flat, bounds, mixed, positions)
    for index, other in enumerate(rig.partner):
        one, two = names[order[index]], names[order[other]]
        assert one != two
        assert one.removesuffix("Left").removesuffix("Right") == two.removesuffix(
            "Left"
        ).removesuffix("Right")
        assert rig.side[index] == (1 if one.endswith("Left") else -1)


def test_keys_not_called_after_expressions_are_dearer_among_those_that_are() -> None:
    names = [*face()[2], "nose-width-incr"]
    hessian, bounds = np.eye(21), np.tile([0.0, 1.0], (21, 1))
    costs = read_rig(names, hessian, bounds).cost
    assert costs[-1] == 2 > 4 * costs[:-1].max()
    unknown = [f"key_{k:03d}" for k in range(21)]
    assert not read_rig(unknown, hessian, bounds).cost.any()


def test_opposite_ways_are_no_sides() -> None:
    positions, jacobian, names = face()
    mouth = np.exp(-(((positions - (128, 168)) / 25) ** 2).sum(1) / 2)[:, None]
    ways = np.stack([mouth * (sign * 8, 0.5) for sign in (1, -1)], -1)
    mixed = np.concatenate([jacobian, ways], -1)
    flat = mixed.reshape(-1, mixed.shape[2])
    bounds = np.tile([0.0, 1.0], (mixed.shape[2], 1))
    for told in ([*names, "mouthLeft", "mouthRight"], [f"k{i}" for i in range(mixed.shape[2])]):
        rig = read_rig(told, flat.T @ flat, bounds, mixed, positions)
        assert (rig.partner[:-2] >= 0).all()
        assert (rig.partner[-2:] < 0).all()


def test_what_else_moves_on_an_events_one_side_takes_less_to_be_believed() -> None:
    names = ["mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"]
    bounds = np.tile([0.0, 100.0], (4, 1))
    rig = read_rig(names, np.eye(4), bounds)

    def chosen(left: float, right: float) -> list[str]:
        linear = np.array([[10.0, 0.0, left, right]])
        energy = float((linear**2).sum()) + 2.0  # and 2 that no key explains
        keys = Selection(np.eye(4), linear, energy, bounds, 1.0, 3.0, rig, lambda: False).run()
        return [names[key] for key in keys]

    assert chosen(0.95, 0) == ["mouthSmileLeft", "mouthFrownLeft"]
    assert chosen(0, 0.95) == ["mouthSmileLeft"]
    assert chosen(0.5, 0) == ["mouthSmileLeft"]


def test_keys_take_more_of_the_motions_errors_where_they_crowd() -> None:
    positions, jacobian, names = face()
    smile = jacobian[..., names.index("mouthSmileLeft")]
    errors = likely_errors(smile.astype(np.float32), positions, (len(positions),))
    lengths = np.linalg.norm(errors, axis=1)
    assert (lengths <= np.linalg.norm(smile, axis=1)[:, None] + 1e-5).all()
    flat = errors.reshape(-1, errors.shape[2])

    def left(keys: np.ndarray) -> float:
        columns = keys.reshape(len(flat), -1)
        energy = float((flat**2).sum())
        return inexpressible(columns.T @ columns, flat.T @ columns, energy) / energy

    mouth = [k for k, name in enumerate(names) if name.startswith("mouth")]
    brows = [k for k, name in enumerate(names) if name.startswith("brow")]
    assert left(jacobian[..., brows]) > 0.99
    assert left(jacobian[..., mouth]) < 0.7
