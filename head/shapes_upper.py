"""Shape keys of brows, lids, eyes' surroundings, cheeks and nose, for the subject's left side.

Directions follow the muscles: frontalis lifts, corrugator draws in and down, orbicularis oculi
closes, levator labii and nasalis lift the wing (Waters 1987, "A muscle model for animating
three-dimensional facial expression": pull toward the bone's end, fading with distance).
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .fields import Face, smoothstep, toward
from .skin import neutral_travel, turn_lids


def brow_shapes(face: Face) -> dict[str, Floats]:
    """Left-side movements (V, 3) of the brow, and `browInnerUp`, which moves both."""
    m = face.m
    y = m.brow_y
    soft = face.left(0.7)
    middle = face.patch((m.eye_x, y + 0.2), (3.6, 2.6)) * soft
    inner = face.patch((1.35, y), (2.3, 3.4)) * soft
    outer = face.patch((m.eye_x + 0.9, y + 0.4), (2.6, 3.8)) * soft
    glabella = face.patch((0.0, y - 0.3), (1.5, 1.9))
    # Lids keep to the eyeball; beside the nose's bridge there is no lid to spare.
    off_lid = smoothstep(0.75, 1.75, face.p[:, 1])
    off_lid = np.maximum(off_lid, smoothstep(1.75, 1.0, np.abs(face.p[:, 0])))
    down = toward(np.maximum(middle, inner) * off_lid, -0.10, -0.62, 0.02)
    down += toward(inner * off_lid, -0.12, -0.10, 0.10)
    # The pull fades before the middle line, or the skin between the brows would fold over itself.
    gather = face.patch((1.5, y), (2.4, 2.1)) * off_lid * smoothstep(0.0, 1.25, face.p[:, 0])
    pinch = toward(gather, -0.58, -0.16, 0.10)
    pinch += toward(glabella * face.left(0.5), 0.0, -0.03, 0.12)
    furrow = np.exp(-(((face.p[:, 0] - 0.42 - 0.06 * (face.p[:, 1] - y)) / 0.24) ** 2))
    pinch += toward(face.patch((0.45, y + 0.1), (0.7, 1.3)) * furrow, 0.0, 0.0, -0.13)
    dimple = face.patch((2.6, y + 1.1), (1.1, 0.8)) * soft
    pinch += toward(dimple, -0.05, 0.05, -0.06)
    up_in = toward(inner * off_lid, 0.05, 0.66, 0.0)
    up_in += toward(face.patch((m.eye_x, y), (2.4, 2.6)) * soft * off_lid, 0.0, 0.10, 0.0)
    up_out = toward(outer * off_lid, 0.05, 0.86, 0.0)
    slid = {
        "browDownLeft": face.slide(down, 0.55),
        "browPinchLeft": pinch,
        "browOuterUpLeft": face.slide(up_out, 0.8),
    }
    half = face.slide(up_in, 0.8)
    slid["browInnerUp"] = half + face.mirrored(half)
    return slid


def lid_shapes(face: Face) -> dict[str, Floats]:
    """Left-side movements (V, 3) of the lids; they turn about the eyeball, never through it."""
    m, skin = face.m, face.skin
    top, low = neutral_travel(m, skin.closed)
    only = (face.p[:, 0] > 0.0)[:, None]

    def turned(upper: Floats, lower: Floats) -> Floats:
        points = turn_lids(m, skin.grid, skin.closed, skin.lid, upper, lower)
        return np.asarray((points - face.p) * only)

    cheek = face.patch((m.eye_x + 0.3, -1.9), (2.3, 1.5)) * face.left(0.5)
    raised = toward(cheek, 0.0, 0.22, 0.06)
    return {
        "eyeBlinkLeft": turned(-0.5 * low, 0.5 * low),
        "eyeWideLeft": turned(1.36 * top, 1.08 * low),
        "eyeSquintLeft": turned(0.97 * top, 0.34 * low) + raised,
        "lidTightenLeft": turned(0.72 * top, 0.45 * low) + 0.4 * raised,
        "lidDroopLeft": turned(0.45 * top, 1.0 * low),
        "eyeLookUpLeft": turned(1.16 * top, 0.95 * low),
        "eyeLookDownLeft": turned(0.42 * top, 1.12 * low),
    }


def cheek_and_nose_shapes(face: Face) -> dict[str, Floats]:
    """Left-side movements (V, 3) of cheek and nose; `cheekPuff` and the nostrils move both."""
    m = face.m
    tip = m.nose_tip
    soft = face.left(0.7)
    squint = toward(face.patch((m.eye_x + 0.6, -2.3), (2.8, 2.1)) * soft, 0.05, 0.62, 0.32)
    squint *= smoothstep(-0.3, -1.3, face.p[:, 1])[:, None]
    top, low = neutral_travel(m, face.skin.closed)
    points = turn_lids(m, face.skin.grid, face.skin.closed, face.skin.lid, top, 0.55 * low)
    squint += (points - face.p) * (face.p[:, 0] > 0.0)[:, None]
    away = smoothstep(0.95, 1.5, face.along)
    puff = face.patch((4.3, m.mouth_y + 0.4), (3.4, 3.6)) * away
    puff_move = toward(puff, 1.22, 0.0, 0.62)
    lips = face.patch((0.0, m.mouth_y), (3.2, 2.2))
    puff_both = puff_move + face.mirrored(puff_move) + toward(lips, 0.0, 0.0, 0.12)
    wing = face.patch((m.nose_wing - 0.1, tip[1] - 0.1), (1.5, 1.7)) * soft
    side = face.patch((1.25, -1.9), (1.5, 2.4)) * soft
    lip = face.patch((1.2, m.mouth_y + 1.2), (1.9, 1.7)) * soft * face.upper
    sneer = toward(wing, 0.10, 0.52, -0.02) + toward(side, -0.05, 0.34, 0.10)
    sneer += toward(lip, 0.0, 0.36, 0.05)
    # Wrinkles beside the bridge where the skin piles up.
    folds = np.sin((face.p[:, 1] - 0.4 * np.abs(face.p[:, 0])) * 9.0)
    sneer += toward(face.patch((0.75, -0.7), (0.8, 1.3)) * soft * folds, 0.03, 0.0, 0.05)
    sneer += toward(face.patch((1.2, m.brow_y - 0.2), (1.9, 1.6)) * soft, -0.05, -0.18, 0.03)
    fold = face.patch((2.7, m.mouth_y + 1.9), (1.5, 2.0)) * soft
    edge = (face.p[:, 0] - 2.35) + 0.55 * (face.p[:, 1] - m.mouth_y - 1.4)
    deepen = toward(fold * np.exp(-((edge / 0.3) ** 2)), 0.0, 0.05, -0.26)
    deepen += toward(fold * np.exp(-(((edge - 0.75) / 0.5) ** 2)), 0.05, 0.22, 0.2)
    nostril = face.patch((m.nose_wing - 0.15, tip[1] - 0.3), (0.9, 0.9)) * soft
    dilate = toward(nostril, 0.26, 0.06, 0.02)
    compress = toward(nostril, -0.22, -0.04, 0.02)
    return {
        "cheekSquintLeft": squint,
        "cheekPuff": puff_both,
        "noseSneerLeft": sneer,
        "nasolabialDeepenLeft": deepen,
        "nostrilDilate": dilate + face.mirrored(dilate),
        "nostrilCompress": compress + face.mirrored(compress),
        "neckTighten": _neck(face),
    }


def _neck(face: Face) -> Floats:
    """Platysma: cords stand out from the jaw down the neck."""
    m = face.m
    p = face.p
    zone = smoothstep(m.chin_y + 0.3, m.chin_y - 1.2, p[:, 1]) * smoothstep(-16.5, -14.0, p[:, 1])
    zone *= smoothstep(-7.5, -5.0, p[:, 2])
    azimuth = np.abs(np.arctan2(p[:, 0], p[:, 2] + 7.6))
    cord = np.exp(-(((azimuth - 0.55) / 0.16) ** 2))
    out = np.stack(
        [np.sin(np.arctan2(p[:, 0], p[:, 2] + 7.6)), 0 * azimuth, np.cos(azimuth)], axis=1
    )
    return np.asarray(out * (0.45 * cord * zone)[:, None])
