"""Learn an actor's own face from how the clip's head turns.

An average face's depth is off by a few millimetres at any actor, which shows as a quarter of a
pixel when the head turns by three degrees. First the face is taken for one like those that are
known, by a bundle adjustment (`bundle.py`); then depth is mended place by place, as far as the face
may stray there. What is left and still goes with the turn is mostly the light's doing: it stays
while the head turns below it, and the flow takes a shade or a highlight that slides for skin that
moves. That seeming motion is not depth, since the head's picture does not follow it, but it is
learned as well, so that it can be taken off the flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .bundle import NOISE_PIXELS, Chosen, Face, adjusted, said
from .pose import Floats, Surface, fit_pose, project, rotation

#: Seeming motion by the light: its spread in pixels for a radian of turn, and for a radian squared;
#: what goes beyond by this factor is taken for expression.
SEEMING_SPREAD, BENT_SPREAD, MOST_SPREADS = 6.0, 60.0, 2.0
#: The most that light makes anything seem to move, in pixels: what goes beyond is expression.
MOST_SEEMING_PIXELS = 0.4
#: A place that an expression stirs by this, in pixels, tells half as much of seeming motion; in so
#: many rounds, frames that the others do not bear out lose their say.
STIR_PIXELS, DOUBTS = 0.1, 4
#: A place that an expression stirs by this, in pixels, tells half as much of depth.
SHAPING_STIR_PIXELS = 0.3
#: A frame whose bony parts expressions stir by this, in pixels, tells half as much of depth: what
#: they do at this actor is known in part only, and it is alike in many frames.
EXPRESSIVE_PIXELS = 0.1
#: What the flow that seeming motion is learned from is off by, in pixels, once it is smoothed.
SMOOTHED_NOISE_PIXELS = 0.06
#: How much depth light may feign, in pixels: the seeming motion of a turn for a radian.
FEIGNED_PIXELS = 3.0
#: An action unit's amount below this may be wrong depth as well, and is not taken off.
SLIGHT_AMOUNT = 0.1
#: Width over which all this is smooth, in cells.
SMOOTH_CELLS = 0.8
#: Rounds of fitting poses and face by turns; depth is mended place by place from the second on.
ROUNDS = 3


@dataclass(frozen=True)
class Seen:
    """A frame that a face is learned from: `places` (N, 2) where the surface's points are seen,
    in crop pixels from the middle, `trust` (N,) 0..1 and the `pose` (6,) found so far."""

    places: Floats
    trust: Floats
    pose: Floats


@dataclass(frozen=True)
class Seeming:
    """By what points seem to move: `amounts` (N, 2, 9) for the terms of a turn, learned from turns
    of up to `reach` radians."""

    amounts: Floats
    reach: float

    def at(self, pose: Floats) -> Floats:
        """Return (N, 2) by what points seem to move in a pose; nothing at twice the reach."""
        turn = float(np.linalg.norm(pose[:3]))
        faded = _turn_terms(pose) * np.clip(2 - turn / self.reach, 0, 1)
        # As one matrix: product after product of small ones would take ten times as long.
        motion = (self.amounts.reshape(-1, len(faded)) @ faded).reshape(-1, 2)
        length = np.hypot(motion[:, 0], motion[:, 1])[:, None]
        return np.asarray(motion * np.minimum(1, MOST_SEEMING_PIXELS / np.maximum(length, 1e-9)))


def learn(
    face: Face, stray: Floats, cells: int, seen: Sequence[Seen], weights: Floats,
    expressions: Floats,
) -> Surface:  # fmt: skip
    """Return the surface (cells * cells points) that explains the frames best.

    `stray` (N,) is how far depth may differ from what the face's amounts can say, `weights` (N,)
    what each point is worth for the pose, `expressions` (N, 2, K) what action units do; that is
    taken off first, so that a smile in a turned face does not become depth.
    """
    some = _every_other(cells)
    poses = [frame.pose for frame in seen]
    deeper = np.zeros(len(stray))
    for index in range(ROUNDS):
        surface = face.surface(deeper=deeper)
        poses, amounts = _posed(surface, seen, poses, weights, expressions, some)
        still = [
            frame.places - expressions @ np.clip(amount - SLIGHT_AMOUNT, 0, None)
            for frame, amount in zip(seen, amounts, strict=True)
        ]
        stirs = [_stir(expressions, amount) for amount in amounts]
        worth = [
            frame.trust
            * np.sqrt(weights)
            * _calm(stir, weights)
            / (1 + (stir / SHAPING_STIR_PIXELS) ** 2)
            for frame, stir in zip(seen, stirs, strict=True)
        ]
        own = [places[some] - _by_depth(pose) * deeper[some, None] for places, pose in
               zip(still, poses, strict=True)]  # fmt: skip
        face, poses = adjusted(face, some, own, [telling[some] for telling in worth], poses)
        if index:
            deeper = _deeper(face, deeper, stray, cells, worth, poses, still)
    return face.surface(deeper=deeper)


def seeming_motion(
    surface: Surface, cells: int, seen: Sequence[Seen], weights: Floats, expressions: Floats
) -> Seeming:
    """Return by what the frames' points seem to move on top of what the surface does.

    Arguments as of `learn`.
    """
    poses, amounts = _posed(
        surface, seen, [frame.pose for frame in seen], weights, expressions, _every_other(cells)
    )
    rest = np.stack([f.places - project(p, surface) for f, p in zip(seen, poses, strict=True)])
    # Where a frame may show an expression, it tells less than those that do not.
    stir = np.stack([_stir(expressions, amount) for amount in amounts])
    calm = np.array([_calm(one, weights) for one in stir])[:, None]
    worth = np.stack([frame.trust for frame in seen]) * calm / (1 + (stir / STIR_PIXELS) ** 2)
    terms = np.stack([_turn_terms(pose) for pose in poses])
    spread = np.array([SEEMING_SPREAD] * 3 + [BENT_SPREAD] * 6)
    doubt = np.ones_like(worth)
    for _ in range(DOUBTS):
        say = worth * doubt
        moment = _smooth(np.einsum("tn,ti,tj->nij", say, terms, terms), cells)
        mixed = _smooth(np.einsum("tn,tnc,tj->njc", say, rest, terms), cells)
        moment += np.diag((SMOOTHED_NOISE_PIXELS / spread) ** 2)
        found = np.linalg.solve(moment, mixed).transpose(0, 2, 1)
        found = np.clip(found, -MOST_SPREADS * spread, MOST_SPREADS * spread)
        off = np.linalg.norm(rest - np.einsum("ncj,tj->tnc", found, terms), axis=2)
        usual = np.maximum(np.median(off, 0), STIR_PIXELS)
        doubt = 1 / (1 + (off / (2 * usual)) ** 4)
    reach = max(float(np.linalg.norm(pose[:3])) for pose in poses)
    return Seeming(np.ascontiguousarray(found), reach)


def _turn_terms(pose: Floats) -> Floats:
    """Return (9,) what seeming motion goes with: the turn, and the products of its parts.

    A turn in the picture's plane counts as well: no depth shows in it, but the light stays behind.
    """
    one, other = np.triu_indices(3)
    return np.concatenate([pose[:3], pose[one] * pose[other]])


def _every_other(cells: int) -> Chosen:
    return np.arange(cells * cells).reshape(cells, cells)[::2, ::2].ravel()


def _posed(
    surface: Surface,
    seen: Sequence[Seen],
    poses: Sequence[Floats],
    weights: Floats,
    expressions: Floats,
    some: Chosen,
) -> tuple[list[Floats], list[Floats]]:
    """Return the frames' poses, fitted to `some` points, and the expressions' amounts (K,)."""
    part = Surface(surface.x[some], surface.y[some], surface.z[some], surface.nearness)
    found = []
    for frame, start in zip(seen, poses, strict=True):
        worth = (weights * frame.trust)[some]
        found.append(
            fit_pose(part, frame.places[some], worth, start, expressions=expressions[some])
        )
    return [pose for pose, _ in found], [amounts for _, amounts in found]


def _stir(expressions: Floats, amounts: Floats) -> Floats:
    """Return (N,) how far expressions (N, 2, K) of these amounts (K,) move each point."""
    return np.asarray(np.hypot(*(expressions @ amounts).T), dtype=np.float64)


def _calm(stir: Floats, weights: Floats) -> float:
    """Return 0..1 what a frame tells whose points of these weights (N,) expressions stir (N,)."""
    return float(1 / (1 + np.average(stir**2, weights=weights) / EXPRESSIVE_PIXELS**2))


def _by_depth(pose: Floats) -> Floats:
    """Return (2,) where a pose moves a point that is a pixel deeper."""
    return np.asarray(rotation(pose[:3])[:2, 2] * np.exp(pose[3]))


def _deeper(
    face: Face,
    deeper: Floats,
    stray: Floats,
    cells: int,
    worth: Sequence[Floats],
    poses: Sequence[Floats],
    still: Sequence[Floats],
) -> Floats:
    """Return by what each point is deeper than the face, smooth over the face."""
    evidence, weight = np.zeros(len(stray)), np.zeros(len(stray))
    turns = 0.0
    surface = face.surface(deeper=deeper)
    for told, pose, places in zip(worth, poses, still, strict=True):
        towards = _by_depth(pose)
        rest = places - project(pose, surface)
        say = told * said(rest)
        evidence += say * (rest @ towards)
        weight += say * float(towards @ towards)
        turns += float(towards @ towards)
    evidence += weight * deeper
    # Light errs alike in all frames: they tell no more of it than one does.
    variance = NOISE_PIXELS**2 + FEIGNED_PIXELS**2 * turns / 2
    return _smooth(evidence, cells) / (_smooth(weight, cells) + variance / stray**2)


def _smooth(values: Floats, cells: int) -> Floats:
    """Return values (N, ...) of the cells' points smoothed over the face."""
    flat = values.reshape(cells, cells, -1)
    soft = [cv2.GaussianBlur(flat[..., k], (0, 0), SMOOTH_CELLS) for k in range(flat.shape[2])]
    return np.asarray(np.stack(soft, -1).reshape(values.shape), dtype=np.float64)
