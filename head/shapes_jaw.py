"""Shape keys of the jaw: skin, lower teeth and tongue turn about the joints before the ears."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .fields import Face, smoothstep, toward
from .shapes_mouth import lip_weight
from .skin import rotate_x

OPEN_RADIANS = 0.36
CORNER_SHARE = 0.40
#: How far the jaw opens with the tongue out, as a share of `jawOpen`.
TONGUE_JAW = 0.16


def jaw_weight(face: Face) -> Floats:
    """How much each skin vertex belongs to the jaw, (V,), in [0, 1]."""
    m = face.m
    p, over = face.p, face.over
    s = np.clip(face.along, 0.0, 1.0) ** 2.5
    beyond = smoothstep(1.0, 2.4, face.along)
    share = CORNER_SHARE * (1.0 - 0.35 * beyond)
    high = share * s * np.exp(-((over / (1.5 + 0.8 * beyond)) ** 2))
    low = 1.0 - (1.0 - share) * s * np.exp(-((over / (1.6 + 1.4 * beyond)) ** 2))
    weight = np.where(face.upper > 0, high, low)
    back = smoothstep(-6.8, -2.2, p[:, 2])
    below = 1.0 - smoothstep(0.0, 4.0, m.chin_y - 0.2 - p[:, 1])
    weight = weight * back * below
    slit = face.skin.grid.slits["mouth"]
    depth = len(slit.upper) - 1
    for step in range(1, depth + 1):
        inward = step / depth
        weight[slit.upper[step]] = weight[slit.upper[0]] * (1.0 - inward) + 0.3 * inward**3
        weight[slit.lower[step]] = weight[slit.lower[0]] * (1.0 - inward**3) + 0.3 * inward**3
    return np.asarray(weight)


def turn_jaw(pivot: tuple[float, float, float], points: Floats, angle: Floats | float) -> Floats:
    """Movement (N, 3) of points that open with the jaw by `angle` radians."""
    offset = points - np.array(pivot)
    return np.asarray(rotate_x(offset, -np.asarray(angle)) - offset)


def jaw_shapes(face: Face) -> dict[str, Floats]:
    """Movements (V, 3) of `jawOpen`, `jawForward`, `jawLeft` and `mouthClose`."""
    weight = jaw_weight(face)
    opened = turn_jaw(face.m.jaw_pivot, face.p, weight * OPEN_RADIANS)
    forward = weight[:, None] * np.array([0.0, -0.15, 1.0])
    aside = weight[:, None] * np.array([1.15, 0.0, 0.0])
    aside[:, 2] -= weight * 0.06 * face.p[:, 0]
    return {
        "tongueOut": _part_for_tongue(face, opened),
        "jawOpen": opened,
        "jawForward": forward,
        "jawLeft": aside,
        "mouthClose": _close(face, opened),
    }


def _part_for_tongue(face: Face, opened: Floats) -> Floats:
    """Room for the tongue: the lower lip gives way and the upper lifts a little."""
    part = lip_weight(face, 2.2) * smoothstep(1.0, 0.5, face.along)
    move = toward(part * face.upper, 0.0, 0.16, 0.06) + toward(part * face.lower, 0.0, -0.42, 0.10)
    return face.carry_pocket(move) + TONGUE_JAW * opened


def _close(face: Face, opened: Floats) -> Floats:
    """The movement that makes the lips of the open jaw meet again."""
    slit = face.skin.grid.slits["mouth"]
    move = np.zeros_like(face.p)
    up, low = slit.upper[0], slit.lower[0]
    place = face.p + opened
    meet = 0.5 * place[up] + 0.5 * place[low]
    order = np.argsort(face.p[up, 0])
    xs = face.p[up, 0][order]
    reach = smoothstep(1.25, 0.95, face.along)
    for rim, half, far in ((up, face.upper, 2.0), (low, face.lower, 3.0)):
        need = (meet - place[rim])[order]
        fade = np.clip(1.0 - np.abs(face.over) / far, 0.0, 1.0)
        fade = np.asarray(fade * fade * (3.0 - 2.0 * fade)) * half * reach
        fade *= smoothstep(-1.5, 0.0, face.p[:, 2])
        for axis in range(3):
            move[:, axis] += fade * np.interp(face.p[:, 0], xs, need[:, axis])
        move[rim] = meet - place[rim]
    return face.carry_pocket(move)
