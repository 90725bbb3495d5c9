"""Head motion goes out, expression stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from microface.server.clips.bundle import USUAL_NEARNESS
from microface.server.clips.crop import NETWORK_PIXELS, Crop, crop_about, shrink_for, take_crop
from microface.server.clips.depth import depths
from microface.server.clips.outline import outline_of
from microface.server.clips.pose import Surface, fit_pose, project
from microface.server.clips.sampling import grey_levels, own_places, sample
from microface.server.clips.steady import Steadier
from microface.server.clips.template import CROP_UNITS, beyond, template, template_points
from microface.server.clips.upright import CELLS
from microface.server.engine.canvas import invert

UNIT = NETWORK_PIXELS / CROP_UNITS


def textured(seed: int = 0, side: int = NETWORK_PIXELS) -> np.ndarray:
    """Return a picture with detail at several scales."""
    rng = np.random.default_rng(seed)
    picture = np.full((side, side), 128.0)
    for sigma, height in ((1.5, 9.0), (4.0, 18.0), (12.0, 25.0)):
        layer = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), sigma)
        picture += layer / layer.std() * height
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, 2)


def surface(cells: int = CELLS) -> Surface:
    maps = template(cells)
    depth = cv2.resize(depths().average.reshape(CELLS, CELLS), (cells, cells)).ravel()
    return Surface(*(a.astype(float).ravel() * UNIT for a in (maps.x, maps.y)), depth)


def moved_head(
    picture: np.ndarray,
    pose: np.ndarray,
    extra: np.ndarray | None = None,
    deeper: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return the picture as it looks with the head in a pose, moved by `extra` before.

    The head is the average one, `deeper` (64, 64) by so many pixels.
    """
    own = own_places(NETWORK_PIXELS, NETWORK_PIXELS)
    middle = (NETWORK_PIXELS - 1) / 2
    average = depths().average.reshape(CELLS, CELLS)
    depth = cv2.resize(average + deeper, own.shape[:2])
    start = own + (0 if extra is None else extra) - middle
    points = Surface(start[..., 0].ravel(), start[..., 1].ravel(), depth.ravel(), USUAL_NEARNESS)
    forward = (project(pose, points) + middle).reshape(own.shape) - own
    backward = invert(forward.astype(np.float32))
    return sample(picture, own + backward, cv2.INTER_CUBIC)


def test_pose_is_found_among_outliers() -> None:
    rng = np.random.default_rng(1)
    points = surface(32)
    true = np.array([0.05, -0.08, 0.03, 0.02, 4.0, -3.0])
    seen = project(true, points) + rng.normal(0, 0.05, (32 * 32, 2))
    outliers = rng.random(32 * 32) < 0.3
    seen[outliers] += [3.0, 2.0]
    found, _ = fit_pose(points, seen, np.ones(32 * 32), np.zeros(6), rounds=30)
    assert np.abs(found[:4] - true[:4]).max() < 2e-3
    assert np.abs(found[4:] - true[4:]).max() < 0.05


def test_pose_without_evidence_stays() -> None:
    points = surface(8)
    start = np.array([0.01, 0, 0, 0, 1.0, 0])
    assert np.array_equal(fit_pose(points, np.zeros((64, 2)), np.zeros(64), start)[0], start)


def test_still_frame_has_no_motion_at_all() -> None:
    picture = textured()
    steadied = Steadier(picture, Crop((128, 128), 256)).steady(picture)
    assert np.abs(steadied.flow).max() < 1e-3
    assert np.abs(steadied.pose).max() < 1e-3
    assert steadied.confidence > 0.95


@pytest.mark.parametrize(
    "pose",
    [
        (0, 0, 0, 0, 3.0, -2.0),
        (0, 0, 0.06, 0.03, 0, 0),
        (0.06, 0.0, 0, 0, 0, 0),
        (0.03, -0.08, 0.05, -0.02, 12.0, 6.0),
    ],
)
def test_head_motion_goes_out(pose: tuple[float, ...]) -> None:
    picture = textured()
    moved = moved_head(picture, np.asarray(pose, float))
    steadied = Steadier(picture, Crop((128, 128), 256)).steady(moved)
    face = template(CELLS).face > 0.99
    left = np.hypot(*steadied.flow[face].T)
    assert np.percentile(left, 90) < 0.15
    assert np.median(left) < 0.06


def test_grey_levels_are_not_rounded_where_skin_has_little_texture() -> None:
    rng = np.random.default_rng(0)
    skin = cv2.GaussianBlur(rng.normal(size=(NETWORK_PIXELS, NETWORK_PIXELS, 3)), (0, 0), 1.5)
    faint = (120 + 2 * skin / skin.std() + textured(1) / 20).astype(np.float32)
    own = own_places(NETWORK_PIXELS, NETWORK_PIXELS)
    shifted = sample(faint, own - np.float32((1.4, -0.7)), cv2.INTER_CUBIC)
    neutral, frame = (np.round(p).astype(np.uint8) for p in (faint, shifted))
    flow = Steadier(neutral, Crop((128, 128), 256)).steady(frame).flow
    assert np.sqrt((flow[template(CELLS).face > 0.99] ** 2).sum(-1).mean()) < 0.035


def test_background_that_stays_does_not_drag_the_outline() -> None:
    maps = template(NETWORK_PIXELS)
    head = (maps.face > 0) | ((maps.y > 1) & (np.abs(maps.x) < 0.8))
    skin, background = textured(), textured(9)
    pose = np.array([0, 0, 0, 0, 4.0, -3.0])
    there = moved_head(255 * np.repeat(head[..., None], 3, 2).astype(np.uint8), pose) > 127
    steadier = Steadier(np.where(head[..., None], skin, background), Crop((128, 128), 256))
    steadied = steadier.steady(np.where(there, moved_head(skin, pose), background))
    outline = (template(CELLS).face > 0.9) & (template(CELLS).face < 1)
    assert np.sqrt((steadied.flow[outline] ** 2).sum(-1).mean()) < 0.06


def test_expression_stays_and_does_not_turn_the_head() -> None:
    picture = textured(3)
    own = own_places(NETWORK_PIXELS, NETWORK_PIXELS)
    corner = np.exp(-(((own - (160, 190)) / 14) ** 2).sum(-1))
    expression = np.stack([1.0 * corner, -1.5 * corner], -1).astype(np.float32)
    pose = np.array([0.02, 0.03, -0.02, 0.01, 5.0, -4.0])
    steadied = Steadier(picture, Crop((128, 128), 256)).steady(
        moved_head(picture, pose, expression)
    )
    true = cv2.resize(expression, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    strong = np.hypot(*true.transpose(2, 0, 1)) > 0.5
    error = np.hypot(*(steadied.flow - true)[strong].T)
    assert error.mean() < 0.2 * np.hypot(*true[strong].T).mean()
    far = (template(CELLS).face > 0.99) & (np.hypot(*true.transpose(2, 0, 1)) < 0.01)
    assert np.median(np.hypot(*steadied.flow[far].T)) < 0.06


def test_face_is_learned_from_its_turns() -> None:
    """A nose that is a third deeper than the average's leaves motion, until it is learned."""
    picture = textured(7)
    poses = [(0.05 * np.sin(a), 0.06 * np.cos(a), 0, 0, 2.0, 1.0) for a in range(10)]
    bump = 14 * np.exp(-(((own_places(CELLS, CELLS) - (31.5, 36)) / (6, 9)) ** 2).sum(-1))
    frames = [moved_head(picture, np.asarray(p, float), deeper=bump) for p in poses]
    face = template(CELLS).face > 0.99
    left = []
    for learning in (False, True):
        steadier = Steadier(picture, Crop((128, 128), 256))
        if learning:
            assert steadier.learn_face(frames)
        flows = np.stack([steadier.steady(f).flow[face] for f in frames[::3]])
        left.append(float(np.sqrt((flows**2).sum(-1).mean())))
    assert left[0] > 0.12
    assert left[1] < 0.4 * left[0]


def test_background_beside_a_narrow_face_does_not_move() -> None:
    maps = template(NETWORK_PIXELS)
    head = beyond(maps.x, maps.y) < 0.82
    skin, background = textured(11), textured(12)
    poses = [(0.03 * np.sin(a), 0.05 * np.cos(a), 0, 0, 4 * np.sin(a + 1), 2.0) for a in range(8)]
    frames = []
    for pose in np.asarray(poses, float):
        there = moved_head(255 * np.repeat(head[..., None], 3, 2).astype(np.uint8), pose) > 127
        frames.append(np.where(there, moved_head(skin, pose), background))
    steadier = Steadier(np.where(head[..., None], skin, background), Crop((128, 128), 256))
    aside = (template(CELLS).face > 0.9) & (beyond(template(CELLS).x, template(CELLS).y) > 0.9)
    left = []
    for learning in (False, True):
        if learning:
            assert steadier.learn_face(frames)
        flows = np.stack([steadier.steady(f).flow for f in frames[::3]])
        left.append(float(np.sqrt((flows[:, aside] ** 2).sum(-1).mean())))
    assert left[0] > 0.5
    assert left[1] < 0.1


def test_a_usual_face_keeps_its_outline() -> None:
    picture = textured(7)
    poses = [(0.03 * np.sin(a), 0.05 * np.cos(a), 0, 0, 2.0, 1.0) for a in range(6)]
    frames = [moved_head(picture, np.asarray(p, float)) for p in poses]
    still = grey_levels(picture)
    pairs = [(grey_levels(frame), still) for frame in frames]
    assert outline_of(still, pairs).min() > 0.98


def test_threads_change_nothing() -> None:
    picture = textured(9)
    frames = [moved_head(picture, np.array([0.01 * k, 0.02, 0, 0, k, 0.0])) for k in range(7)]
    one, other = (Steadier(picture, Crop((128, 128), 256)) for _ in range(2))
    for a, b in zip(map(one.steady, frames), other.motions(frames), strict=True):
        assert np.array_equal(a.pose, b.pose)
        assert np.array_equal(a.flow, b.flow)


@pytest.mark.parametrize("bands", [False, True])
def test_flicker_is_no_motion(bands: bool) -> None:
    picture = textured(10)
    rows = np.arange(NETWORK_PIXELS)[:, None, None] / NETWORK_PIXELS
    steadier = Steadier(picture, Crop((128, 128), 256))
    face = template(CELLS).face > 0.99
    for phase in (0.5, 2.0, 4.0):
        gain = 1 + 0.05 * np.sin(phase + (6 * rows if bands else 0 * rows))
        lit = np.clip(picture * gain + 0.5, 0, 255).astype(np.uint8)
        flow = steadier.steady(lit).flow[face]
        assert np.sqrt((flow**2).sum(-1).mean()) < 0.05


def test_nothing_is_learned_of_a_head_that_does_not_turn() -> None:
    picture = textured(8)
    steadier = Steadier(picture, Crop((128, 128), 256))
    assert not steadier.learn_face([picture] * 3)


def test_crop_follows_the_convention() -> None:
    points = template_points()[:, :2] * 30 + (200, 150)
    crop = crop_about(points, upright=True)
    assert crop.centre == pytest.approx((200, 150), abs=0.5)
    assert crop.side == pytest.approx(CROP_UNITS * 30, rel=0.01)
    assert crop.roll == pytest.approx(0, abs=1e-6)
    turn = np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    assert crop_about(points @ turn.T, upright=True).roll == pytest.approx(0.2, abs=1e-6)
    assert crop_about(points @ turn.T, upright=False).roll == 0


def test_crop_positions_agree() -> None:
    crop = Crop((101.0, 77.0), 90.0, 0.3)
    local = np.array([[-1.0, -1.0], [0.0, 0.0], [0.5, -0.25]])
    array = (local + 1) * NETWORK_PIXELS / 2 - 0.5
    by_affine = array @ crop.affine()[:, :2].T + crop.affine()[:, 2] + 0.5
    assert crop.to_picture(local) == pytest.approx(by_affine)


def test_whole_picture_crop_is_the_picture() -> None:
    picture = textured(5)
    assert np.array_equal(take_crop(picture, Crop((128, 128), 256)), picture)


def test_large_picture_is_shrunk_without_a_shift() -> None:
    large = cv2.resize(textured(6), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    crop = Crop((512, 512), 1024)
    small, affine = shrink_for(large, crop.affine())
    assert small.shape == (256, 256, 3)
    assert affine == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]), abs=1e-9)
    assert np.array_equal(take_crop(large, crop), small)
