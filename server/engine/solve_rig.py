"""What a rig's keys are to each other: sides of one expression, copies, sums of others.

Read from the names where they tell, and from the motion itself where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clips.crop import Crop
from ..clips.sampling import Reals
from .priors import COMPANIONS, OCCURRENCES, Known, known
from .solve_moves import by_motion
from .solve_units import BY_MOTION, BY_NAME, by_name, expected, not_shown

Floats = NDArray[np.float64]

#: In a rig of which so many keys are called after expressions, one that is not is likelier to shape
#: the character (a wider nose) or to correct others, and costs this much.
NAMED_RIG, UNNAMED = 12, 2.0
#: Two keys move the same way from this cosine on.
SAME = 0.995
#: A key is the sum of two sides when they explain this share of its motion.
SUM = 0.97
#: Two keys are the sides of one expression when one, mirrored, has this cosine with the other,
MIRRORED = 0.8
#: and lie on it: the shares of their motion on one half of the face differ by this much.
ONE_SIDED = 0.3
#: Cells across the face on which mirrored motions are compared, and the Gaussian's sigma in cells.
_CELLS, _SIGMA = 24, 1.0


@dataclass(frozen=True)
class Rig:
    """`cost` (S,) of believing in each key, in natural units of log probability; `partner` (S,)
    the key on the other side or -1, `side` (S,) which one a key itself is on, 1 left, -1 right, 0
    none; `usable` (S,) False for keys that others stand in for; `companions` pairs of keys that
    often come together; `expected` the keys that make each action unit which the source shows, and
    what it costs that none of them moves."""

    cost: Floats
    partner: NDArray[np.int64]
    side: NDArray[np.int64]
    usable: NDArray[np.bool_]
    companions: frozenset[frozenset[int]]
    expected: tuple[tuple[frozenset[int], float], ...] = ()


def read_rig(
    names: Sequence[str],
    hessian: Floats,
    bounds: Reals,
    jacobian: Reals | None = None,
    positions: Reals | None = None,
    units: Reals | None = None,
    crop: Crop | None = None,
) -> Rig:
    """Return what the keys (S) are to each other.

    `hessian` (S, S) their motions' inner products, `bounds` (S, 2); `jacobian` (V, 2, S) and
    `positions` (V, 2) of one view, to find sides that the names do not tell. `units` (U, 2) are the
    action units that the source shows, FACS's number and how sure that is, 0 to 1; with the face's
    `crop` in that view, keys are seen to move in them in a rig whose names tell little.
    """
    entries = [known(name) for name in names]
    cost = np.array([entry.cost for entry in entries], np.float64)
    told = np.array([bool(entry.kind) for entry in entries], np.bool_)
    named = told.sum() >= NAMED_RIG
    if named:
        cost[~told] += UNNAMED
    sure = {int(unit): float(np.clip(c, 0, 1)) for unit, c in (() if units is None else units)}
    moves = by_name([entry.kind for entry in entries])
    if sure and not named and crop is not None and jacobian is not None and positions is not None:
        seen = by_motion(jacobian, positions, crop)
        moves = [moves[key] if told[key] else seen[key] for key in range(len(names))]
    size = np.sqrt(np.maximum(np.diag(hessian), 0))
    moving = size > 1e-4 * max(float(size.max(initial=0)), 1e-30)
    alike = hessian / np.maximum(np.outer(size, size), 1e-30)
    usable = moving & (np.asarray(bounds[:, 1]) > np.asarray(bounds[:, 0]))
    cost += not_shown(moves, usable, sure, BY_NAME if named else BY_MOTION)
    often = [OCCURRENCES.get(entry.kind, 0) for entry in entries]
    usable &= ~_copies(names, cost, often, alike, size, np.asarray(bounds, np.float64), usable)
    partner = _partners(entries, usable)
    side = np.array([entry.side for entry in entries], np.int64)
    if jacobian is not None and positions is not None and len(positions):
        partner, side = _mirrored(partner, side, usable & (partner < 0), jacobian, positions)
    usable &= ~_sums(hessian, partner, usable)
    companions = frozenset(
        frozenset((i, j))
        for i, one in enumerate(entries)
        for j, other in enumerate(entries[:i])
        if frozenset((one.kind, other.kind)) in COMPANIONS and one.side * other.side >= 0
    )
    side = np.where(partner < 0, 0, side)
    return Rig(cost, partner, side, usable, companions, tuple(expected(moves, usable, sure)))


def _copies(
    names: Sequence[str],
    cost: Floats,
    often: Sequence[int],
    alike: Floats,
    size: Floats,
    bounds: Floats,
    usable: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which keys do what another does that is to be preferred: the likelier, the farther
    reaching, that of the action unit which is seen more `often`, the first by name."""
    ranges = bounds * size[:, None]
    reach = np.round(np.log(np.maximum(ranges[:, 1] - ranges[:, 0], 1e-12)), 2)
    order = sorted(np.flatnonzero(usable), key=lambda k: (cost[k], -reach[k], -often[k], names[k]))
    copied = np.zeros(len(names), np.bool_)
    for place, key in enumerate(order):
        for other in order[:place]:
            if copied[other] or alike[key, other] < SAME:
                continue
            slack = 0.02 * (ranges[other, 1] - ranges[other, 0])
            if ranges[key, 0] >= ranges[other, 0] - slack and (
                ranges[key, 1] <= ranges[other, 1] + slack
            ):
                copied[key] = True
                break
    return copied


def _partners(entries: Sequence[Known], usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return each key's other side by name, or -1."""
    where = {(e.stem, e.side): k for k, e in enumerate(entries) if e.side and usable[k]}
    partner = [
        where.get((e.stem, -e.side), -1) if e.side and usable[k] else -1
        for k, e in enumerate(entries)
    ]
    for key, other in enumerate(partner):
        if other >= 0 and partner[other] != key:
            partner[key] = -1
    return np.array(partner, np.int64)


def _mirrored(
    partner: NDArray[np.int64],
    side: NDArray[np.int64],
    alone: NDArray[np.bool_],
    jacobian: Reals,
    positions: Reals,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return `partner` and `side` with the keys that are `alone` paired by their motion.

    The face's middle is where the motion of all keys together has its centre; a face's left is to
    the right of it.
    """
    keys = np.flatnonzero(alone)
    if len(keys) < 2:
        return partner, side
    flow = np.asarray(jacobian, np.float32)
    power = (flow**2).sum((1, 2)).astype(np.float64)
    middle = np.average(np.asarray(positions, np.float64), axis=0, weights=power + 1e-12)
    away = np.asarray(positions, np.float64) - middle
    cell = float(np.abs(away).max()) * 2 / _CELLS + 1e-9
    centres = (np.arange(_CELLS) - (_CELLS - 1) / 2) * cell
    near = [np.exp(-(((away[:, i] - centres[:, None]) / (_SIGMA * cell)) ** 2) / 2) for i in (0, 1)]
    # (rows, columns, V): mean motion of each cell, on a grid symmetric about the middle.
    kernel = (near[1][:, None] * near[0][None]).reshape(_CELLS * _CELLS, -1).astype(np.float32)
    kernel /= np.sqrt(kernel.sum(1, keepdims=True) + 1e-6)
    fields = (kernel @ flow[:, :, keys].reshape(len(flow), -1)).reshape(
        _CELLS, _CELLS, 2, len(keys)
    )
    turned = fields[:, ::-1] * np.array([-1, 1], np.float32)[:, None]
    one, other = fields.reshape(-1, len(keys)), turned.reshape(-1, len(keys))
    size = np.linalg.norm(one, axis=0) + 1e-12
    likeness = (one.T @ other) / np.outer(size, np.linalg.norm(other, axis=0) + 1e-12)
    likeness = (likeness + likeness.T) / 2
    own = np.diag(likeness).copy()
    np.fill_diagonal(likeness, -1)
    best = likeness.argmax(1)
    # Which share of a key's motion is to the right of the middle: 0 to 1.
    right = (fields[:, _CELLS // 2 :] ** 2).sum((0, 1, 2)) / ((fields**2).sum((0, 1, 2)) + 1e-12)
    found, on = partner.copy(), side.copy()
    for i, j in enumerate(best):
        # A key that is its own mirror image has no side, nor has one that shifts both.
        if (
            best[j] == i
            and likeness[i, j] > max(MIRRORED, own[i], own[j])
            and abs(right[i] - right[j]) > ONE_SIDED
        ):
            found[keys[i]] = keys[j]
            on[keys[i]] = 1 if right[i] > right[j] else -1
    return found, on


def _sums(
    hessian: Floats, partner: NDArray[np.int64], usable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which keys are both sides of a pair at once."""
    found = np.zeros(len(partner), np.bool_)
    pairs = [(i, int(j)) for i, j in enumerate(partner) if j > i and usable[i] and usable[j]]
    for left, right in pairs:
        both = hessian[np.ix_([left, right], [left, right])]
        toward = hessian[[left, right]]
        shares = np.linalg.solve(both + 1e-9 * np.trace(both) * np.eye(2), toward)
        explained = (toward * shares).sum(0) / np.maximum(np.diag(hessian), 1e-30)
        found |= (explained > SUM) & (shares > 0.3 * shares.max(0)).all(0) & (shares > 0).all(0)
        found[[left, right]] = False
    return found
