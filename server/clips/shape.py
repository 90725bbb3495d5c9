"""Learn an actor's own face from how the clip's head turns.

An average face's depth is off by a few millimetres at any actor, which shows as a quarter of a
pixel when the head turns by three degrees. Where the turned head leaves motion that its pose does
not explain, in one direction of the picture and as strong as the turn, it is depth that is wrong.
Depth and poses are refined by turns (a small bundle adjustment: Triggs et al. 1999). What is left
and still grows with the turn is the light's doing: it stays while the head turns below it, and the
flow takes a shade that slides for skin that moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .pose import Floats, Surface, fit_pose, project, rotation

#: Depth of actors about the average face's, and noise of the flow at a cell, in crop pixels.
DEPTH_SPREAD_PIXELS = 8.0
NOISE_PIXELS = 0.15
#: Depth never leaves the average face's by more.
MOST_PIXELS = 24.0
#: One over the distance of the camera, in crop pixels: usual (about a metre), and its spread.
USUAL_NEARNESS = 1 / 1600
NEARNESS_SPREAD = 1 / 1600
#: Seeming motion by the light: its spread, and the most it can be, in pixels for a radian of turn.
SEEMING_SPREAD, SEEMING_MOST = 3.0, 6.0
#: An action unit's amount below this may be wrong depth as well, and is not taken off.
SLIGHT_AMOUNT = 0.1
#: Width over which all this is smooth, in cells.
SMOOTH_CELLS = 1.0
ROUNDS = 4


@dataclass(frozen=True)
class Seen:
    """A frame that a face is learned from: `places` (N, 2) where the surface's points are seen,
    in crop pixels from the middle, `trust` (N,) 0..1 and the `pose` (6,) found so far."""

    places: Floats
    trust: Floats
    pose: Floats


@dataclass(frozen=True)
class Learned:
    """A face: its `surface` (N points), and the `seeming` motion (N, 2, 2) in pixels, (dx, dy) for
    a turn of one radian about x and about y, that comes on top of the true one."""

    surface: Surface
    seeming: Floats


def learn(
    surface: Surface, cells: int, seen: Sequence[Seen], weights: Floats, expressions: Floats
) -> Learned:
    """Return the face (cells * cells points) that explains the frames best.

    `weights` (N,) are what each point is worth for the pose, `expressions` (N, 2, K) what action
    units do; that is taken off first, so that a smile in a turned face does not become depth.
    """
    learned = Surface(surface.x, surface.y, surface.z, USUAL_NEARNESS)
    poses = [frame.pose for frame in seen]
    still: list[Floats] = []
    some = np.arange(len(weights)).reshape(cells, cells)[::2, ::2].ravel()
    for _ in range(ROUNDS):
        still.clear()
        part = Surface(learned.x[some], learned.y[some], learned.z[some], learned.nearness)
        for index, frame in enumerate(seen):
            worth = (weights * frame.trust)[some]
            poses[index], amounts = fit_pose(
                part, frame.places[some], worth, poses[index], expressions=expressions[some]
            )
            sure = np.clip(amounts - SLIGHT_AMOUNT, 0, None)
            still.append(frame.places - expressions @ sure)
        learned = _nearer(learned, seen, poses, still, weights)
        learned = _deeper(learned, surface.z, cells, seen, poses, still)
    return Learned(learned, _seeming(learned, cells, seen, poses, still))


def _nearer(
    surface: Surface,
    seen: Sequence[Seen],
    poses: Sequence[Floats],
    still: Sequence[Floats],
    weights: Floats,
) -> Surface:
    """Return the surface with the nearness that the frames ask for."""
    step = 1e-5
    other = Surface(surface.x, surface.y, surface.z, surface.nearness + step)
    variance = NOISE_PIXELS**2 * 16  # neighbouring cells err alike
    weight = variance / NEARNESS_SPREAD**2
    evidence = weight * (USUAL_NEARNESS - surface.nearness)
    for frame, pose, places in zip(seen, poses, still, strict=True):
        shown = project(pose, surface)
        derivative = (project(pose, other) - shown) / step
        rest = places - shown
        worth = (weights * frame.trust * _bounded(rest))[:, None]
        evidence += float((worth * derivative * rest).sum())
        weight += float((worth * derivative**2).sum())
    nearness = float(np.clip(surface.nearness + evidence / weight, 0, 1 / 400))
    return Surface(surface.x, surface.y, surface.z, nearness)


def _deeper(
    surface: Surface,
    usual: Floats,
    cells: int,
    seen: Sequence[Seen],
    poses: Sequence[Floats],
    still: Sequence[Floats],
) -> Surface:
    """Return the surface with the depth that the frames ask for, smooth over the face."""
    evidence, weight = np.zeros(len(usual)), np.zeros(len(usual))
    for frame, pose, places in zip(seen, poses, still, strict=True):
        towards = rotation(pose[:3])[:2, 2] * np.exp(pose[3])
        rest = places - project(pose, surface)
        worth = frame.trust * _bounded(rest)
        evidence += worth * (rest @ towards)
        weight += worth * float(towards @ towards)
    evidence = _smooth(evidence + weight * (surface.z - usual), cells)
    change = evidence / (_smooth(weight, cells) + (NOISE_PIXELS / DEPTH_SPREAD_PIXELS) ** 2)
    change = np.clip(change, -MOST_PIXELS, MOST_PIXELS)
    return Surface(surface.x, surface.y, usual + change, surface.nearness)


def _seeming(
    surface: Surface,
    cells: int,
    seen: Sequence[Seen],
    poses: Sequence[Floats],
    still: Sequence[Floats],
) -> Floats:
    """Return (N, 2, 2) what is left of the motion for a turn of one radian about x and y."""
    moment = np.zeros((len(surface.x), 2, 2))
    mixed = np.zeros((len(surface.x), 2, 2))
    for frame, pose, places in zip(seen, poses, still, strict=True):
        rest = places - project(pose, surface)
        worth = (frame.trust * _bounded(rest))[:, None, None]
        moment += worth * np.outer(pose[:2], pose[:2])
        mixed += worth * rest[:, :, None] * pose[:2]
    moment, mixed = (
        np.stack([_smooth(a[:, i, j], cells) for i in (0, 1) for j in (0, 1)], 1).reshape(a.shape)
        for a in (moment, mixed)
    )
    moment += np.eye(2) * (NOISE_PIXELS / SEEMING_SPREAD) ** 2
    found = np.linalg.solve(moment, mixed.transpose(0, 2, 1)).transpose(0, 2, 1)
    return np.clip(found, -SEEMING_MOST, SEEMING_MOST)


def _smooth(values: Floats, cells: int) -> Floats:
    soft = cv2.GaussianBlur(values.reshape(cells, cells), (0, 0), SMOOTH_CELLS)
    return np.asarray(soft.ravel(), dtype=np.float64)


def _bounded(rest: Floats) -> Floats:
    """Return (N,) 0..1: what is left of a point's say when it is this far off, for expression."""
    length = np.hypot(rest[:, 0], rest[:, 1])
    spread = max(NOISE_PIXELS, 1.5 * float(np.median(length)))
    return np.asarray(1 / (1 + (length / (2.5 * spread)) ** 4))
